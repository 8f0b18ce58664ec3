/** Settings out of `argus.json`, `argus.env` and the environment, checked and with every path resolved. */
import { dirname, join, resolve } from "node:path";
import { resolveChannels } from "./system/channel-settings.ts";
import { type EnvFile, isSecretName, readEnvFile } from "./system/env-file.ts";
import { type EnvPlace, envPlace, leftOutFile } from "./system/env-place.ts";
import {
  faultIn,
  lookUp,
  readChoice,
  readFlag,
  readInteger,
  type Value,
  webUrl,
} from "./system/env-values.ts";
import { formerGiven } from "./system/first-argus/settings.ts";
import { isFormerName } from "./system/first-argus/settings-table.ts";
import { type Fault, faultText } from "./system/json-source.ts";
import { nearestOf, quoted } from "./system/names.ts";
import { ownWords } from "./system/own-words.ts";
import { reach } from "./system/reach.ts";
import { knowSecrets, protectWords } from "./system/redact/known.ts";
import { relayOf, summaryTime } from "./system/relay-settings.ts";
import { secretsAmong } from "./system/secrets.ts";
import { readSettings } from "./system/settings-file.ts";
import type { Files, System } from "./system/system.ts";
import { UserError } from "./types/errors.ts";
import { type Config, Settings, type VariableName, variables } from "./types/settings.ts";

export interface ConfigSource {
  readonly system: System;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What to take in place of variables of `env` that cannot be used; empty: as if they were not set. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where relative paths of the environment begin. */
  readonly workingDir: string;
  /** The folder that holds rules/, argus.json and prompt.md. */
  readonly programDir: string;
  /** What to take in place of what stands in the files; `file` is the settings file. */
  readonly instead?: { readonly file?: string; readonly settings?: string; readonly env?: string };
}

/** What stands in the files; of one with faults the default stands here, which must not be used. */
export interface ReadConfig {
  readonly config: Config;
  readonly faults: readonly Fault[];
  readonly envPath: string;
  /** null: it could not be read. */
  readonly texts: { readonly settings: string | null; readonly env: string | null };
}

const etc = "/etc/argus";

/** @throws UserError with a line for each thing that is wrong. */
export function loadConfig(source: ConfigSource): Config {
  const { config, faults } = readConfig(source);
  if (faults.length > 0) throw new UserError(faults.map(faultSentence));
  return config;
}

export function readConfig(source: ConfigSource): ReadConfig {
  const { system, programDir, workingDir, instead = {} } = source;
  const env = { ...source.env, ...source.environment };
  const settingsFile = settingsPath(source);
  const read = isMissing(source, settingsFile)
    ? { faults: [missing(settingsFile)] }
    : readSettings(system.files, settingsFile, instead.settings);
  const place = placeOfEnv(source, settingsFile);
  const left = place.isLeftOut && instead.env === undefined ? leftOutFile(system.files, place.path) : null;
  const envFile = left ?? readEnvFile(system.files, place.path, system.self.home, instead.env);
  const faults: Fault[] = [...envFile.faults];
  const settings = "settings" in read ? read.settings : Settings.parse({});
  // Before anything is said about a setting: what is wrong with one may quote it.
  protectWords(ownWords);
  knowSecrets(secretsAmong({ env: source.env, envFile, settings, files: system.files }));

  const home = (path: string) => expandHome(path, system.self.home);
  const pathOf = ({ file, text }: Value): string =>
    resolve(file === "" ? workingDir : dirname(settingsFile), home(text));
  const hasTicketsDirectory = settings.tickets.directory !== undefined;
  const former = formerGiven({ system, env, envFile, pathOf, hasTicketsDirectory });
  const value = (name: string) =>
    lookUp(name, env, envFile) ?? former.values.get(name as VariableName) ?? null;
  const integer = (name: VariableName) => readInteger(name, value(name), faults);
  const path = (name: VariableName, fallback: string): string => {
    const found = value(name);
    return found === null ? fallback : pathOf(found);
  };
  const given = (name: string): string | null => env[name]?.split(":")[0] || null;
  const stateDir = path("ARGUS_STATE_DIR", given("STATE_DIRECTORY") ?? join(workingDir, "state"));
  const telegram = telegramOf(value, faults);
  const relay = relayOf({
    value,
    isEnabled: readFlag("ARGUS_RELAY_ENABLED", value("ARGUS_RELAY_ENABLED"), faults),
    timeoutSeconds: integer("ARGUS_RELAY_TIMEOUT"),
    home,
    stateDir,
    fault: (at, message) => void faults.push(faultIn(at, message)),
  });
  const secretOf = (name: string) => value(name)?.text ?? (envFile.state === "unreadable" ? "" : null);
  const config: Config = {
    intervalSeconds: integer("ARGUS_INTERVAL"),
    dryRun: readFlag("ARGUS_DRY_RUN", value("ARGUS_DRY_RUN"), faults),
    ...modeOf(value("ARGUS_MODE"), envFile, faults),
    settings: withHome(settings, home, former.ticketsDirectory),
    ...(former.cleanDryRun ? { cleanDryRun: true } : {}),
    settingsFile,
    program: [process.execPath, join(programDir, "dist", "main.js")],
    envFile: envFile.state === "read" ? envFile.path : null,
    ...(envFile.state === "unreadable" ? { unreadEnvFile: envFile.path } : {}),
    rulesDir: path("ARGUS_RULES_DIR", join(programDir, "rules")),
    localRulesDir: path("ARGUS_LOCAL_RULES_DIR", join(etc, "rules.d")),
    stateDir,
    executorSocket: path("ARGUS_EXECUTOR_SOCKET", "") || null,
    executorStateDir: path("ARGUS_EXECUTOR_STATE_DIR", stateDir),
    logDir: path("ARGUS_LOG_DIR", given("LOGS_DIRECTORY") ?? join(workingDir, "logs")),
    observationsFile: path("ARGUS_OBSERVATIONS_FILE", join(stateDir, "observations.md")),
    bootGraceSeconds: integer("ARGUS_BOOT_GRACE_SECONDS"),
    dedupWindowSeconds: integer("ARGUS_DEDUP_WINDOW"),
    reportRepairs: readFlag("ARGUS_REPORT_REPAIRS", value("ARGUS_REPORT_REPAIRS"), faults),
    diskCleanMaxAgeDays: integer("ARGUS_DISK_CLEAN_MAX_AGE_DAYS"),
    restartSecondDelaySeconds: integer("ARGUS_RESTART_BACKOFF_SECOND_DELAY"),
    restartThirdDelaySeconds: integer("ARGUS_RESTART_BACKOFF_THIRD_DELAY"),
    restartCooldownSeconds: integer("ARGUS_RESTART_COOLDOWN_SECONDS"),
    restartSettleSeconds: integer("ARGUS_RESTART_SETTLE_SECONDS"),
    swapThrashMegabytesPerSecond: integer("ARGUS_SWAP_THRASH_MBPS"),
    telegram,
    channels: resolveChannels(settings, { telegram, relay }, secretOf, (at, name) => {
      if ("faultAt" in read)
        faults.push(read.faultAt(at, `${name} is not set; ${whereToPut(place, settingsFile)}`));
    }),
    ticketRepeats: {
      threshold: integer("ARGUS_BEAD_REPEAT_THRESHOLD"),
      windowSeconds: integer("ARGUS_BEAD_REPEAT_WINDOW_SECONDS"),
    },
    pingUrl: webUrl("ARGUS_PING_URL", value("ARGUS_PING_URL"), faults),
    summaryAt: summaryTime(value("ARGUS_SUMMARY_AT"), relay !== null, (at, message) => {
      faults.push(faultIn(at, message));
    }),
    dashboardUrl: webUrl("ARGUS_DASHBOARD_URL", value("ARGUS_DASHBOARD_URL"), faults),
    anthropicKey: value("ANTHROPIC_API_KEY")?.text ?? null,
    model: {
      name: modelName(value("ARGUS_MODEL"), faults),
      url: webUrl("ANTHROPIC_BASE_URL", value("ANTHROPIC_BASE_URL"), faults) ?? "https://api.anthropic.com",
      promptFile: path("ARGUS_PROMPT_FILE", join(programDir, "prompt.md")),
      dailyCalls: integer("ARGUS_LLM_DAILY_CALLS"),
      dailyTokens: integer("ARGUS_LLM_DAILY_TOKENS"),
      confidence: integer("ARGUS_LLM_CONFIDENCE") / 100,
      timeoutSeconds: integer("ARGUS_LLM_TIMEOUT"),
      review:
        readChoice("ARGUS_LLM_REVIEW", value("ARGUS_LLM_REVIEW"), faults) === "daily" ? "daily" : "never",
    },
    unitFaults: "unitFaults" in read ? read.unitFaults.map(faultText) : [],
    notes: [],
  };
  faults.sort((a, b) => a.line - b.line);
  const notes = notesOf(source, config, envFile, value("ARGUS_LOCAL_RULES_DIR") !== null);
  const formerNotes = former.notes.length === 0 ? {} : { formerNotes: former.notes };
  return {
    config: { ...config, ...formerNotes, notes: [...notes, ...former.notes] },
    faults: [...("faults" in read ? read.faults : []), ...faults],
    envPath: envFile.path,
    texts: { settings: "text" in read ? read.text : null, env: envFile.text },
  };
}

const placeOfEnv = ({ system, env }: ConfigSource, settingsFile: string): EnvPlace =>
  envPlace(system.files, settingsFile, env["CREDENTIALS_DIRECTORY"] ?? "");

/** What systemd hands over is a copy, which a service is given anew only at its start. */
function whereToPut({ isHandedOver }: EnvPlace, settingsFile: string): string {
  const restart = isHandedOver ? ", then: sudo systemctl restart argus" : "";
  return `put it into ${join(dirname(settingsFile), "argus.env")}${restart}`;
}

/** The files that the settings stand in, as far as they are there. */
export function settingsFiles(source: ConfigSource): { settings: string; env: string } {
  const settings = settingsPath(source);
  return { settings, env: placeOfEnv(source, settings).path };
}

/** Somebody may have said `watch` where this user cannot read it: doing less is the safe reading. */
function modeOf(
  value: Value | null,
  { path, state }: EnvFile,
  faults: Fault[],
): Pick<Config, "mode" | "modeSource"> {
  if (value === null && state === "unreadable")
    return { mode: "watch", modeSource: { kind: "hidden", file: path } };
  const mode = readChoice("ARGUS_MODE", value, faults) === "watch" ? "watch" : "act";
  if (value === null) return { mode, modeSource: { kind: "default" } };
  const { file, line } = value;
  return { mode, modeSource: file === "" ? { kind: "environment" } : { kind: "file", file, line } };
}

/** Of a fault of the environment, which has no file, and of a file as a whole the message says it all. */
export const faultSentence = (fault: Fault): string => (fault.line === 0 ? fault.message : faultText(fault));

function telegramOf(value: (name: VariableName) => Value | null, faults: Fault[]): Config["telegram"] {
  const token = value("TELEGRAM_BOT_TOKEN");
  const chatId = value("TELEGRAM_CHAT_ID");
  const apiUrl = webUrl("TELEGRAM_API_URL", value("TELEGRAM_API_URL"), faults);
  const alone = (set: Value, missing: VariableName, name: VariableName) =>
    faults.push(faultIn(set, `${name} is set, but ${missing} is not: set both, or neither`));
  if (token === null && chatId !== null) alone(chatId, "TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID");
  if (token !== null && chatId === null) alone(token, "TELEGRAM_CHAT_ID", "TELEGRAM_BOT_TOKEN");
  if (token === null || chatId === null) return null;
  return { token: token.text, chatId: chatId.text, apiUrl: apiUrl ?? "https://api.telegram.org" };
}

function modelName(value: Value | null, faults: Fault[]): string {
  if (value === null) return "claude-haiku-5-5";
  // It stands in the source of every proposal; names of models hold nothing else.
  if (!/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/.test(value.text)) {
    faults.push(faultIn(value, `ARGUS_MODEL is ${quoted(value.text)}, but must be the name of a model`));
  }
  return value.text;
}

/** What is no error, and still not what somebody meant. */
function notesOf(
  { system, env }: ConfigSource,
  config: Config,
  envFile: EnvFile,
  localRulesChosen: boolean,
): string[] {
  const notes: string[] = [...(config.unitFaults ?? [])];
  if (envFile.state === "unreadable") {
    const watching =
      config.modeSource.kind === "hidden" ? "; an Argus that this user runs would only watch" : "";
    notes.push(
      `${envFile.path} cannot be read by this user, so its settings are not in force here${watching}`,
    );
  }
  if (config.settings.telegram !== undefined && config.telegram === null) {
    notes.push(
      "telegram in argus.json names people who may answer, but TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID are not set",
    );
  }
  if (localRulesChosen && reach(system.files, config.localRulesDir).kind === "nothing") {
    notes.push(
      `ARGUS_LOCAL_RULES_DIR names ${config.localRulesDir}, which does not exist; make that folder, or name another one`,
    );
  }
  const known = Object.keys(variables);
  for (const name of Object.keys(env)) {
    // Only what looks like one of ours misspelt: other programs may have variables that begin with ARGUS_ too.
    const isOurs = name.startsWith("ARGUS_") && !isSecretName(name);
    const meant = isOurs && !known.includes(name) && !isFormerName(name) ? nearestOf(name, known) : null;
    if (meant !== null)
      notes.push(`${name} in the environment is no setting of Argus; did you mean ${meant}?`);
  }
  return notes;
}

function withHome(
  settings: Settings,
  home: (path: string) => string,
  formerDirectory: string | null,
): Settings {
  const { homes, tmuxSockets, tickets } = settings;
  const named = tickets.directory ?? formerDirectory;
  const directory = named === null ? {} : { directory: home(named) };
  return {
    ...settings,
    ...(homes === undefined ? {} : { homes: homes.map(home) }),
    tmuxSockets: tmuxSockets.map(home),
    tickets: { ...tickets, ...directory },
  };
}

function expandHome(path: string, home: string): string {
  return path === "~" ? home : path.startsWith("~/") ? join(home, path.slice(2)) : path;
}

export const installedSettings = join(etc, "argus.json");
export const installedEnv = join(etc, "argus.env");

/** A settings file that is there and cannot be read is the one that was meant: the bundled one would not be. */
function settingsPath({ system, env, workingDir, programDir, instead }: ConfigSource): string {
  const chosen = env["ARGUS_CONFIG"] ?? "";
  if (instead?.file !== undefined) return instead.file;
  if (chosen !== "") return resolve(workingDir, expandHome(chosen, system.self.home));
  return isAt(system.files, installedSettings) ? installedSettings : join(programDir, "argus.json");
}

/** A link that leads nowhere is one that led somewhere. */
const isAt = (files: Files, path: string): boolean =>
  reach(files, path).kind !== "nothing" || files.tryReadLink(path) !== null;

const isMissing = ({ system, env, instead }: ConfigSource, path: string): boolean =>
  (env["ARGUS_CONFIG"] ?? "") !== "" && instead?.settings === undefined && !isAt(system.files, path);

const missing = (file: string): Fault => ({
  file,
  line: 0,
  path: "",
  message: `${file} does not exist; ARGUS_CONFIG must name a settings file`,
});
