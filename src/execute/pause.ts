/** `pause.json`: a person's word that Argus shall watch, tell and note, and do nothing else. */
import { join } from "node:path";
import * as z from "zod";
import { fileError } from "../system/file-error.ts";
import { stringify } from "../system/printable.ts";
import { redactDeep } from "../system/redact/redact.ts";
import { RefusedFile } from "../system/refused.ts";
import { createStore } from "../system/store.ts";
import type { Files } from "../system/system.ts";
import type { Moment } from "../types/moment.ts";

const isoInstant = z.iso.datetime();
export const Pause = z.strictObject({
  version: z.literal(1),
  /** ISO 8601, UTC; null: until `argus resume`. */
  until: isoInstant.nullable(),
  reason: z.string().max(1024),
  since: isoInstant,
  /** Who wanted it; versions before did not note it. */
  by: z.string().max(256).optional(),
});
export type Pause = z.infer<typeof Pause>;

const pauseFile = (stateDir: string): string => join(stateDir, "pause.json");

/**
 * The pause in force, null when there is none or it has ended. A file that cannot be understood counts as a pause:
 * somebody wanted one, and doing less is the safe reading.
 */
export function readPause(files: Files, stateDir: string, now: Moment): Pause | null {
  const path = pauseFile(stateDir);
  if (!isThere(files, path)) return null;
  const pause = understood(files, path);
  if (pause === null || pause instanceof RefusedFile) {
    const reason = pause?.message ?? `${path} cannot be understood; \`argus resume\` ends this pause`;
    return { version: 1, until: null, reason, since: new Date(now.wallMs).toISOString() };
  }
  return pause.until !== null && Date.parse(pause.until) <= now.wallMs ? null : pause;
}

function isThere(files: Files, path: string): boolean {
  try {
    return files.stat(path) !== null;
  } catch (error) {
    throw fileError("read", path, error);
  }
}

function understood(files: Files, path: string): Pause | RefusedFile | null {
  try {
    return Pause.safeParse(JSON.parse(files.tryRead(path, "own") ?? "")).data ?? null;
  } catch (error) {
    return error instanceof RefusedFile ? error : null;
  }
}

/** @param note told in one sentence when a file that cannot be understood was set aside. */
export function writePause(
  files: Files,
  stateDir: string,
  pause: Omit<Pause, "version">,
  note: (sentence: string) => void,
): void {
  setAsideIfBroken(files, stateDir, note);
  try {
    files.makeDirectory(stateDir);
    files.writeAtomic(
      pauseFile(stateDir),
      `${stringify(redactDeep(Pause.parse({ version: 1, ...pause })))}\n`,
    );
  } catch (error) {
    throw fileError("write", pauseFile(stateDir), error);
  }
}

/** @returns whether there was a pause file. */
export function clearPause(files: Files, stateDir: string, note: (sentence: string) => void): boolean {
  const path = pauseFile(stateDir);
  if (files.stat(path) === null) return false;
  setAsideIfBroken(files, stateDir, note);
  files.remove(path);
  return true;
}

function setAsideIfBroken(files: Files, stateDir: string, note: (sentence: string) => void): void {
  createStore<Pause | null>({
    files,
    path: pauseFile(stateDir),
    schema: Pause,
    empty: () => null,
    note,
  }).load();
}
