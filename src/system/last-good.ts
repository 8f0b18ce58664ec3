/**
 * Copies of the files that people write, as they were when all of them could be used: what stays in force while one of
 * them is broken, also after a restart. Each process keeps its own, where only its user writes.
 */
import { join } from "node:path";
import * as z from "zod";
import { UserError } from "../types/errors.ts";
import { isoTime, type Moment } from "../types/moment.ts";
import { stringify } from "./printable.ts";
import { moveAside, replaceOwn } from "./store.ts";
import type { Files } from "./system.ts";

const Copies = z.strictObject({
  version: z.literal(1),
  /** Since when they are in force, ISO 8601, UTC. */
  at: z.iso.datetime(),
  /** By path. */
  texts: z.record(z.string(), z.string()),
});
export type Copies = Readonly<z.infer<typeof Copies>>;

const copyFiles = {
  settings: { name: "good_settings.json", mode: undefined },
  /** argus.env holds secrets: not even those who may read the state may read this. */
  env: { name: "good_env.json", mode: 0o600 },
  rules: { name: "good_rules.json", mode: undefined },
} as const;
export type CopyKind = keyof typeof copyFiles;

/** null: none was kept, it cannot be understood, or this user may not read it. */
export function readCopies(files: Files, folder: string, kind: CopyKind): Copies | null {
  const read = readFile(files, join(folder, copyFiles[kind].name));
  return read === "unknown" ? null : read;
}

/** unknown: damaged, or of another version. */
function readFile(files: Files, path: string): Copies | "unknown" | null {
  try {
    const text = files.tryRead(path, "own");
    return text === null ? null : (Copies.safeParse(JSON.parse(text)).data ?? "unknown");
  } catch (error) {
    if (error instanceof SyntaxError) return "unknown";
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** Written only when they changed. Throws (ENOSPC) when they cannot be. */
export function keepCopies(
  files: Files,
  folder: string,
  kind: CopyKind,
  texts: Copies["texts"],
  now: Moment,
  note: (sentence: string) => void,
): void {
  const { name, mode } = copyFiles[kind];
  const path = join(folder, name);
  const kept = readFile(files, path);
  if (kept === "unknown")
    note(`${path} cannot be understood; it was set aside as ${moveAside(files, path)} and is written anew`);
  else if (kept !== null && sameTexts(kept.texts, texts)) return;
  const text = `${stringify({ version: 1, at: isoTime(now), texts } satisfies Copies)}\n`;
  replaceOwn(files, path, text, note, mode === undefined ? {} : { mode });
}

export function sameTexts(one: Copies["texts"], other: Copies["texts"]): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
