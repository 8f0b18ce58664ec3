/** Settings out of `argus.json`, `argus.env` and the environment, checked and with every path resolved. */
import { dirname, join, resolve } from "node:path";
import { type EnvFile, readEnvFile } from "./system/env-file.ts";
import { faultsOf } from "./system/json-faults.ts";
import {
  type Fault,
  faultText,
  isFault,
  type JsonPath,
  type JsonSource,
  parseJson,
  pathText,
} from "./system/json-source.ts";
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

/** @throws UserError with one sentence for each thing that is wrong. */
export function loadConfig(source: ConfigSource): Config {
  const { system, env, programDir } = source;
  const settingsFile = settingsPath(source);
  const settings = readSettings(system, settingsFile);
  const envFile = readEnvFile(system.files, join(dirname(settingsFile), "argus.env"));
  const value = (name: string): Value | null => lookUp(name, env, envFile);
  const integer = (name: VariableName) => readInteger(name, value(name));
  const home = (path: string) => expandHome(path, system.self.home);
  const path = (name: VariableName, fallback: string): string => {
    const found = value(name);
    return found === null
      ? fallback
      : resolve(found.where === "environment" ? source.workingDir : dirname(settingsFile), home(found.text));
  };
  const given = (name: string): string | null => env[name]?.split(":")[0] || null;
  const stateDir = path("ARGUS_STATE_DIR", given("STATE_DIRECTORY") ?? join(source.workingDir, "state"));
  const bundled = join(programDir, "rules");
  return {
    intervalSeconds: integer("ARGUS_INTERVAL"),
    dryRun: readFlag("ARGUS_DRY_RUN", value("ARGUS_DRY_RUN")),
    settings: { ...settings, homes: settings.homes.map(home), tmuxSockets: settings.tmuxSockets.map(home) },
    settingsFile,
    envFile: envFile.state === "read" ? envFile.path : null,
    rulesDir: path("ARGUS_RULES_DIR", bundled),
    localRulesDir: path("ARGUS_LOCAL_RULES_DIR", join(etc, "rules.d")),
    stateDir,
    logDir: path("ARGUS_LOG_DIR", given("LOGS_DIRECTORY") ?? join(source.workingDir, "logs")),
    observationsFile: path("ARGUS_OBSERVATIONS_FILE", join(stateDir, "observations.md")),
    bootGraceSeconds: integer("ARGUS_BOOT_GRACE_SECONDS"),
    dedupWindowSeconds: integer("ARGUS_DEDUP_WINDOW"),
    diskCleanMaxAgeDays: integer("ARGUS_DISK_CLEAN_MAX_AGE_DAYS"),
    restartSecondDelaySeconds: integer("ARGUS_RESTART_BACKOFF_SECOND_DELAY"),
    restartThirdDelaySeconds: integer("ARGUS_RESTART_BACKOFF_THIRD_DELAY"),
    restartCooldownSeconds: integer("ARGUS_RESTART_COOLDOWN_SECONDS"),
    restartSettleSeconds: integer("ARGUS_RESTART_SETTLE_SECONDS"),
    swapThrashMegabytesPerSecond: integer("ARGUS_SWAP_THRASH_MBPS"),
    telegram: telegramOf(value),
    anthropicKey: value("ANTHROPIC_API_KEY")?.text ?? null,
    notes:
      envFile.state === "unreadable"
        ? [`${envFile.path} cannot be read by this user, so its settings are not in force here`]
        : [],
  };
}

interface Value {
  readonly text: string;
  readonly where: "environment" | "file";
}

function lookUp(name: string, env: ConfigSource["env"], file: EnvFile): Value | null {
  const fromEnvironment = env[name];
  if (fromEnvironment !== undefined && fromEnvironment !== "")
    return { text: fromEnvironment, where: "environment" };
  const fromFile = file.values.get(name);
  return fromFile === undefined || fromFile === "" ? null : { text: fromFile, where: "file" };
}

function readInteger(name: VariableName, value: Value | null): number {
  const row: Variable = variables[name];
  if (row.kind !== "integer") throw new Error(`${name} is no number`);
  if (value === null) return row.fallback;
  const number = /^-?\d{1,15}$/.test(value.text) ? Number(value.text) : Number.NaN;
  if (number >= row.min && number <= row.max) return number;
  throw new UserError(
    `${name} is "${value.text}", but must be a whole number from ${row.min} to ${row.max} (${row.unit})`,
  );
}

function readFlag(name: VariableName, value: Value | null): boolean {
  const word = value?.text.toLowerCase();
  if (word === undefined || ["false", "0", "no", "off"].includes(word)) return false;
  if (["true", "1", "yes", "on"].includes(word)) return true;
  throw new UserError(`${name} is "${value?.text}", but must be true or false`);
}

function telegramOf(value: (name: string) => Value | null): Config["telegram"] {
  const token = value("TELEGRAM_BOT_TOKEN")?.text ?? null;
  const chatId = value("TELEGRAM_CHAT_ID")?.text ?? null;
  if (token === null && chatId === null) return null;
  if (token === null)
    throw new UserError("TELEGRAM_CHAT_ID is set, but TELEGRAM_BOT_TOKEN is not: set both, or neither");
  if (chatId === null)
    throw new UserError("TELEGRAM_BOT_TOKEN is set, but TELEGRAM_CHAT_ID is not: set both, or neither");
  return { token, chatId, apiUrl: value("TELEGRAM_API_URL")?.text ?? "https://api.telegram.org" };
}

function expandHome(path: string, home: string): string {
  return path === "~" ? home : path.startsWith("~/") ? join(home, path.slice(2)) : path;
}

function settingsPath({ system, env, workingDir, programDir }: ConfigSource): string {
  const chosen = env.ARGUS_CONFIG;
  if (chosen !== undefined && chosen !== "") return resolve(workingDir, expandHome(chosen, system.self.home));
  const installed = join(etc, "argus.json");
  return system.files.stat(installed) === null ? join(programDir, "argus.json") : installed;
}

function readSettings(system: System, file: string): Settings {
  if (system.files.stat(file) === null)
    throw new UserError(`${file} does not exist; ARGUS_CONFIG must name a settings file`);
  const text = system.files.tryRead(file);
  if (text === null)
    throw new UserError(
      `${file} cannot be read by this user; run as its owner, or set ARGUS_CONFIG to another file`,
    );
  const source = parseJson(file, text);
  if (isFault(source)) throw new UserError(faultText(source));
  const parsed = Settings.safeParse(source.value);
  const faults = parsed.success
    ? contradictions(source, parsed.data)
    : faultsOf(source, Settings, parsed.error);
  if (faults.length > 0 || !parsed.success) throw new UserError(faults.map(faultText).join("\n"));
  return parsed.data;
}

/** What a schema cannot say. */
function contradictions(source: JsonSource, settings: Settings): Fault[] {
  const faults: Fault[] = [];
  const say = (path: JsonPath, message: string) =>
    faults.push({ file: source.file, line: source.lineOf(path), path: pathText(path), message });
  const bare = (unit: string) => unit.replace(/\.service$/, "");
  const units = new Set<string>();
  const names = new Set<string>();
  settings.services.forEach(({ unit, endpoint }, index) => {
    if (units.has(bare(unit))) say(["services", index, "unit"], `"${unit}" is listed twice`);
    units.add(bare(unit));
    if (endpoint !== undefined) names.add(bare(unit));
  });
  settings.services.forEach(({ unit, requires }, index) => {
    requires.forEach((other, at) => {
      if (bare(other) === bare(unit))
        say(["services", index, "requires", at], `"${unit}" cannot require itself`);
    });
  });
  settings.endpoints.forEach(({ name }, index) => {
    if (names.has(name)) say(["endpoints", index, "name"], `"${name}" is the name of another endpoint`);
    names.add(name);
  });
  settings.processes.killable.forEach((name, index) => {
    if (settings.processes.protected.includes(name))
      say(
        ["processes", "killable", index],
        `"${name}" is also in processes.protected; it can only be in one`,
      );
  });
  return faults;
}
