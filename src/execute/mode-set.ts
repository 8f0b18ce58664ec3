/**
 * `mode.json`: the mode that argus.env said last, and who set it with `argus mode`, and when. The mode itself stands in
 * argus.env; this keeps a file that is lost or saved by halves from letting Argus act.
 */
import { join } from "node:path";
import * as z from "zod";
import { stringify } from "../system/printable.ts";
import { redactDeep } from "../system/redact/redact.ts";
import { RefusedFile } from "../system/refused.ts";
import type { Files } from "../system/system.ts";
import { UserError } from "../types/errors.ts";
import { isoTime, type Moment } from "../types/moment.ts";
import { utc } from "../types/quantities.ts";
import { type Config, type Mode, modes } from "../types/settings.ts";

export const ModeSet = z.strictObject({
  version: z.literal(1),
  mode: z.enum(modes),
  by: z.string().max(256),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
});
export type ModeSet = z.infer<typeof ModeSet>;

/** `by` is null where it was written into argus.env by hand. */
const ModeFile = ModeSet.extend({ by: ModeSet.shape.by.nullable() });
type ModeFile = z.infer<typeof ModeFile>;

const fileOf = (stateDir: string): string => join(stateDir, "mode.json");

/** null: nobody did, or it cannot be understood. */
export function readModeSet(files: Files, stateDir: string): ModeSet | null {
  return ModeSet.safeParse(readModeFile(files, stateDir)).data ?? null;
}

/**
 * After `watch`, settings that say nothing of the mode go on watching: only an explicit `act` lets Argus act.
 * @param last the mode that argus.env said before, where this process knows it.
 */
export function keepWatching(files: Files, config: Config, last: Mode | null = null): Config {
  if (config.modeSource.kind !== "default") return config;
  const known = last ?? rememberedMode(files, config.executorStateDir);
  return known === "watch" ? { ...config, mode: "watch", modeSource: { kind: "kept" } } : config;
}

export const keptSentence =
  "argus.env said ARGUS_MODE=watch and says nothing of it any more; Argus goes on watching until it says act (argus mode watch or argus mode act sets it)";

/** null: none, or this user may not look there. */
function rememberedMode(files: Files, stateDir: string): Mode | null {
  try {
    return readModeFile(files, stateDir)?.mode ?? null;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** What argus.env says now, for the time when it says nothing any more. What a command is given by its environment is for that once. */
export function rememberMode(
  files: Files,
  { mode, modeSource, executorStateDir }: Config,
  now: Moment,
): void {
  if (modeSource.kind !== "file" || readModeFile(files, executorStateDir)?.mode === mode) return;
  write(files, executorStateDir, { version: 1, mode, by: null, at: isoTime(now) });
}

function readModeFile(files: Files, stateDir: string): ModeFile | null {
  try {
    return ModeFile.safeParse(JSON.parse(files.tryRead(fileOf(stateDir), "own") ?? "")).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RefusedFile) return null;
    throw error;
  }
}

export function writeModeSet(files: Files, stateDir: string, set: Omit<ModeSet, "version">): void {
  write(files, stateDir, { version: 1, ...set });
}

function write(files: Files, stateDir: string, set: ModeFile): void {
  files.makeDirectory(stateDir);
  files.writeAtomic(fileOf(stateDir), `${stringify(redactDeep(ModeFile.parse(set)))}\n`);
}

/** For the decision log. */
export const modeSentence = (mode: ModeSet["mode"], set: ModeSet | null): string => {
  const what = mode === "watch" ? "Argus only watches from now on" : "Argus may act from now on";
  return set?.mode === mode ? `${what}: ${set.by} set the mode at ${utc(set.at)}` : `${what} (ARGUS_MODE)`;
};
