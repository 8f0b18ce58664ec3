/**
 * The settings to work with: those of the files or, while one of them is broken, its last good copy. Whole files only:
 * what is right in a broken file does not count, but for where the state lies, and for a `watch`.
 */
import {
  type ConfigSource,
  faultSentence,
  installedEnv,
  installedSettings,
  type ReadConfig,
} from "./config.ts";
import { beside, readOverruled } from "./settings-of-environment.ts";
import { type Copies, keepCopies, readCopies } from "./system/last-good.ts";
import { reach } from "./system/reach.ts";
import type { System } from "./system/system.ts";
import { UserError } from "./types/errors.ts";
import { utc } from "./types/quantities.ts";
import type { Broken, Config } from "./types/settings.ts";

export interface SettingsInForce {
  readonly config: Config;
  readonly texts: ReadConfig["texts"];
}

type Folders = Pick<Config, "stateDir" | "executorStateDir">;

/** Whose copies a process goes by: root never by those that the daemon's user could have written. */
export const copiesFolder = ({ stateDir, executorStateDir }: Folders, uid: number): string =>
  uid === 0 ? executorStateDir : stateDir;

export function settingsInForce(source: ConfigSource, folderOf = copiesFolder): SettingsInForce {
  const { files, self } = source.system;
  const present = readOverruled(source);
  const folder = folderOf(present.config, self.uid);
  const kept = { settings: readCopies(files, folder, "settings"), env: readCopies(files, folder, "env") };
  const removed = removedFile(source, present, kept.settings);
  const file = removed?.file ?? present.config.settingsFile;
  const removedEnv = removedEnvFile(present, kept.env?.texts[file]);
  const ofFiles = removed === null ? present.faults.map(faultSentence) : [removed.fault];
  const faults = removedEnv === null ? ofFiles : [removedEnv, ...ofFiles];
  if (faults.length === 0) return { config: present.config, texts: present.texts };
  const isBroken = {
    settings: removed !== null || present.faults.some((fault) => fault.file === file),
    env: removedEnv !== null || present.faults.some((fault) => fault.file === present.envPath),
  };
  const copy = { settings: kept.settings?.texts[file], env: kept.env?.texts[file] };
  const at = (kind: "settings" | "env") => (isBroken[kind] ? [kept[kind]?.at ?? ""] : []);
  const since = [...at("settings"), ...at("env")].sort().pop() ?? "";
  for (const { instead, isDefault } of ladder(isBroken, copy)) {
    const read = readOverruled({ ...source, instead: { file, ...instead } });
    if (read.faults.length > 0) continue;
    const { config, texts } = read;
    const which = isBroken.settings ? file : present.envPath;
    if (isDefault) {
      const inForce = `no good copy of ${isBroken.settings && isBroken.env ? "them" : "it"} is kept: Argus only watches, with default settings, until that is fixed`;
      const modeSource = { kind: "broken", file: which } as const;
      const { stateDir, executorStateDir, logDir, executorSocket, observationsFile } = present.config;
      const places = { stateDir, executorStateDir, logDir, executorSocket, observationsFile };
      const broken = withEnvironment({ faults, inForce }, config);
      return { config: { ...config, ...places, mode: "watch", modeSource, broken }, texts };
    }
    const time = since === "" ? "before" : utc(since);
    const inForce = `the settings of ${time} stay in force until that is fixed`;
    const broken = withEnvironment({ faults, inForce }, config);
    return { config: { ...watching(config, present.config), broken }, texts };
  }
  throw new UserError(faults);
}

/** A variable of the environment may be wrong as well. */
const withEnvironment = (broken: Broken, config: Config): Broken =>
  config.broken === undefined ? broken : beside(broken, config.broken);

/** After a load whose files were all good. Throws (ENOSPC) when nothing can be written. */
export function keepSettings(
  { files, clock }: System,
  folder: string,
  { config, texts }: SettingsInForce,
  note: (sentence: string) => void,
): void {
  if (config.broken !== undefined && config.broken.filesAreGood !== true) return;
  const keep = (kind: "settings" | "env", text: string | null): void => {
    if (text !== null) keepCopies(files, folder, kind, { [config.settingsFile]: text }, clock.now(), note);
  };
  keep("settings", texts.settings);
  // Absent is as good as empty; one that cannot be read says nothing of what was in force.
  keep("env", config.unreadEnvFile === undefined ? (texts.env ?? "") : null);
}

interface Rung {
  readonly instead: NonNullable<ConfigSource["instead"]>;
  readonly isDefault: boolean;
}

/** What is tried, one after the other: as little as possible in place of what stands in the files. */
function ladder(
  isBroken: { settings: boolean; env: boolean },
  { settings, env }: { settings: string | undefined; env: string | undefined },
): Rung[] {
  const rungs: Rung[] = [];
  const add = (instead: { settings?: string | undefined; env?: string | undefined }, isDefault = false) => {
    rungs.push({
      instead: {
        ...(instead.settings === undefined ? {} : { settings: instead.settings }),
        ...(instead.env === undefined ? {} : { env: instead.env }),
      },
      isDefault,
    });
  };
  const hasCopies = (!isBroken.settings || settings !== undefined) && (!isBroken.env || env !== undefined);
  if (hasCopies)
    add({ settings: isBroken.settings ? settings : undefined, env: isBroken.env ? env : undefined });
  // The fault of one may lie in the other: a secret that argus.json names, taken out of argus.env.
  if (settings !== undefined && env !== undefined) add({ settings, env });
  add({ settings: isBroken.settings ? "{}" : undefined, env: isBroken.env ? "" : undefined }, true);
  add({ settings: "{}", env: isBroken.env ? "" : undefined }, true);
  add({ settings: "{}", env: "" }, true);
  return rungs;
}

/** Settings that were in force and are gone: those that come with the program would allow what these did not. */
function removedFile(
  { env, system, instead }: ConfigSource,
  { config }: ReadConfig,
  kept: Copies | null,
): { file: string; fault: string } | null {
  const file = installedSettings;
  if (instead !== undefined || (env["ARGUS_CONFIG"] ?? "") !== "" || config.settingsFile === file)
    return null;
  if (kept?.texts[file] === undefined || reach(system.files, file).kind !== "nothing") return null;
  const fault = `${file} does not exist any more; put it back (one that holds {} stands for the default settings)`;
  return { file, fault };
}

/** Secrets stood in it, and the way to whoever is to be told: none is no better than a broken one. */
function removedEnvFile(
  { config, envPath, texts, faults }: ReadConfig,
  kept: string | undefined,
): string | null {
  const isGone =
    texts.env === null && config.unreadEnvFile === undefined && !faults.some(({ file }) => file === envPath);
  if (!isGone || envPath !== installedEnv || (kept ?? "").trim() === "") return null;
  return `${envPath} does not exist any more; put it back (it may be empty)`;
}

/** A `watch` counts also in a file with a fault elsewhere: doing less is the safe reading. */
function watching(config: Config, present: Config): Config {
  if (
    present.mode !== "watch" ||
    present.modeSource.kind !== "file" ||
    ["environment", "unclear"].includes(config.modeSource.kind)
  )
    return config;
  return { ...config, mode: present.mode, modeSource: present.modeSource };
}
