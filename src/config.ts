/** Settings out of `argus.json`, `argus.env` and the environment, checked and with every path resolved. */
import { dirname, join, resolve } from "node:path";
import { resolveChannels } from "./system/channel-settings.ts";
import { type EnvFile, isSecretName, readEnvFile } from "./system/env-file.ts";
import { type Fault, faultText } from "./system/json-source.ts";
import { nearestOf, quoted } from "./system/names.ts";
import { reach } from "./system/reach.ts";
import { readSettings } from "./system/settings-file.ts";
import type { System } from "./system/system.ts";
import { UserError } from "./types/errors.ts";
import { type Config, Settings, type Variable, type VariableName, variables } from "./types/settings.ts";

export interface ConfigSource {
  readonly system: System;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths of the environment begin. */
  readonly workingDir: string;
  /** The folder that holds rules/, argus.json and prompt.md. */
  readonly programDir: string;
}

const etc = "/etc/argus";

/** @throws UserError with a line for each thing that is wrong. */
export function loadConfig(source: ConfigSource): Config {
  const { system, env, programDir, workingDir } = source;
  const settingsFile = settingsPath(source);
  const read = readSettings(system.files, settingsFile);
  const envFile = readEnvFile(system.files, envPath(source, settingsFile));
  const faults: Fault[] = [...envFile.faults];
  const settings = "settings" in read ? read.settings : Settings.parse({});

  const value = (name: string) => lookUp(name, env, envFile);
  const integer = (name: VariableName) => readInteger(name, value(name), faults);
  const home = (path: string) => expandHome(path, system.self.home);
  const path = (name: VariableName, fallback: string): string => {
    const found = value(name);
    return found === null
      ? fallback
      : resolve(found.file === "" ? workingDir : dirname(settingsFile), home(found.text));
  };
  const given = (name: string): string | null => env[name]?.split(":")[0] || null;
  const stateDir = path("ARGUS_STATE_DIR", given("STATE_DIRECTORY") ?? join(workingDir, "state"));
  const telegram = telegramOf(value, faults);
  const secretOf = (name: string) => value(name)?.text ?? (envFile.state === "unreadable" ? "" : null);
  const config: Config = {
    intervalSeconds: integer("ARGUS_INTERVAL"),
    dryRun: readFlag("ARGUS_DRY_RUN", value("ARGUS_DRY_RUN"), faults),
    settings: { ...settings, homes: settings.homes.map(home), tmuxSockets: settings.tmuxSockets.map(home) },
    settingsFile,
    program: [process.execPath, join(programDir, "dist", "main.js")],
    envFile: envFile.state === "read" ? envFile.path : null,
    rulesDir: path("ARGUS_RULES_DIR", join(programDir, "rules")),
    localRulesDir: path("ARGUS_LOCAL_RULES_DIR", join(etc, "rules.d")),
    stateDir,
    executorSocket: path("ARGUS_EXECUTOR_SOCKET", "") || null,
    executorStateDir: path("ARGUS_EXECUTOR_STATE_DIR", stateDir),
    logDir: path("ARGUS_LOG_DIR", given("LOGS_DIRECTORY") ?? join(workingDir, "logs")),
    observationsFile: path("ARGUS_OBSERVATIONS_FILE", join(stateDir, "observations.md")),
    bootGraceSeconds: integer("ARGUS_BOOT_GRACE_SECONDS"),
    dedupWindowSeconds: integer("ARGUS_DEDUP_WINDOW"),
    diskCleanMaxAgeDays: integer("ARGUS_DISK_CLEAN_MAX_AGE_DAYS"),
    restartSecondDelaySeconds: integer("ARGUS_RESTART_BACKOFF_SECOND_DELAY"),
    restartThirdDelaySeconds: integer("ARGUS_RESTART_BACKOFF_THIRD_DELAY"),
    restartCooldownSeconds: integer("ARGUS_RESTART_COOLDOWN_SECONDS"),
    restartSettleSeconds: integer("ARGUS_RESTART_SETTLE_SECONDS"),
    swapThrashMegabytesPerSecond: integer("ARGUS_SWAP_THRASH_MBPS"),
    telegram,
    channels: resolveChannels(settings.channels, telegram, secretOf, (at, name) => {
      if ("faultAt" in read) faults.push(read.faultAt(at, `${name} is not set; put it into ${envFile.path}`));
    }),
    pingUrl: webUrl("ARGUS_PING_URL", value("ARGUS_PING_URL"), faults),
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
    notes: [],
  };
  faults.sort((a, b) => a.line - b.line);
  const said = [...("faults" in read ? read.faults : []), ...faults].map(sentence);
  if (said.length > 0) throw new UserError(said.join("\n"));
  return { ...config, notes: notesOf(source, config, envFile, value("ARGUS_LOCAL_RULES_DIR") !== null) };
}

/** systemd hands a copy to the service that may not read the file itself (LoadCredential= of systemd.exec(5)). */
function envPath({ system, env }: ConfigSource, settingsFile: string): string {
  const beside = join(dirname(settingsFile), "argus.env");
  const folder = env["CREDENTIALS_DIRECTORY"] ?? "";
  if (folder === "") return beside;
  const credential = join(folder, "argus.env");
  return system.files.stat(credential) === null ? beside : credential;
}

interface Value {
  readonly text: string;
  /** Empty: of the environment. */
  readonly file: string;
  readonly line: number;
}

const faultIn = ({ file, line }: Value, message: string): Fault => ({ file, line, path: "", message });
const sentence = (fault: Fault): string => (fault.file === "" ? fault.message : faultText(fault));

function lookUp(name: string, env: ConfigSource["env"], file: EnvFile): Value | null {
  const fromEnvironment = env[name];
  if (fromEnvironment !== undefined && fromEnvironment !== "")
    return { text: fromEnvironment, file: "", line: 0 };
  const fromFile = file.values.get(name);
  if (fromFile === undefined || fromFile.text === "") return null;
  return { ...fromFile, file: file.path };
}

function readInteger(name: VariableName, value: Value | null, faults: Fault[]): number {
  const row: Variable = variables[name];
  if (row.kind !== "integer") throw new Error(`${name} is no number`);
  if (value === null) return row.fallback;
  const number = /^-?\d{1,15}$/.test(value.text) ? Number(value.text) : Number.NaN;
  if (number >= row.min && number <= row.max) return number;
  const wanted = `a whole number from ${row.min} to ${row.max} (${row.unit})`;
  const comment = value.text.includes("#") ? "; a comment stands on a line of its own" : "";
  faults.push(faultIn(value, `${name} is ${quoted(value.text)}, but must be ${wanted}${comment}`));
  return row.fallback;
}

function readFlag(name: VariableName, value: Value | null, faults: Fault[]): boolean {
  const word = value?.text.toLowerCase();
  if (value === null || word === undefined || ["false", "0", "no", "off"].includes(word)) return false;
  if (["true", "1", "yes", "on"].includes(word)) return true;
  faults.push(faultIn(value, `${name} is ${quoted(value.text)}, but must be true or false`));
  return false;
}

function readChoice(name: VariableName, value: Value | null, faults: Fault[]): string {
  const row: Variable = variables[name];
  if (row.kind !== "choice") throw new Error(`${name} is no choice`);
  if (value === null) return row.fallback;
  if (!row.choices.includes(value.text))
    faults.push(faultIn(value, `${name} is ${quoted(value.text)}, but must be ${row.choices.join(" or ")}`));
  return value.text;
}

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

function webUrl(name: VariableName, value: Value | null, faults: Fault[]): string | null {
  if (value === null) return null;
  if (!/^https?:$/.test(URL.canParse(value.text) ? new URL(value.text).protocol : "")) {
    faults.push(faultIn(value, `${name} is ${quoted(value.text)}, but must be http://… or https://…`));
  }
  return value.text;
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
  const notes: string[] = [];
  if (envFile.state === "unreadable") {
    notes.push(`${envFile.path} cannot be read by this user, so its settings are not in force here`);
  }
  if (localRulesChosen && reach(system.files, config.localRulesDir).kind === "nothing") {
    notes.push(
      `ARGUS_LOCAL_RULES_DIR names ${config.localRulesDir}, which does not exist: there are no local rules`,
    );
  }
  const known = Object.keys(variables);
  for (const name of Object.keys(env)) {
    // Only what looks like one of ours misspelt: other programs may have variables that begin with ARGUS_ too.
    const isOurs = name.startsWith("ARGUS_") && !isSecretName(name);
    const meant = isOurs && !known.includes(name) ? nearestOf(name, known) : null;
    if (meant !== null)
      notes.push(`${name} in the environment is no setting of Argus; did you mean ${meant}?`);
  }
  return notes;
}

function expandHome(path: string, home: string): string {
  return path === "~" ? home : path.startsWith("~/") ? join(home, path.slice(2)) : path;
}

/** A settings file that is there and cannot be read is the one that was meant: the bundled one would not be. */
function settingsPath({ system, env, workingDir, programDir }: ConfigSource): string {
  const chosen = env.ARGUS_CONFIG;
  if (chosen !== undefined && chosen !== "") {
    const path = resolve(workingDir, expandHome(chosen, system.self.home));
    if (reach(system.files, path).kind !== "nothing") return path;
    throw new UserError(`${path} does not exist; ARGUS_CONFIG must name a settings file`);
  }
  const installed = join(etc, "argus.json");
  return reach(system.files, installed).kind === "nothing" ? join(programDir, "argus.json") : installed;
}
