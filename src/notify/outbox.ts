/** `outbox/*.json`: messages that wait until the channel has confirmed them. Oldest first, bounded, never lost. */
import { join } from "node:path";
import { readJsonFolder } from "../system/json-folder.ts";
import type { Files } from "../system/system.ts";
import { OutboxMessage } from "../types/action.ts";
import type { Severity } from "../types/problem.ts";

/** Thousands of problems may begin in one cycle, each with a note; whatever is larger is not a message of ours. */
const mostBytes = 8 * 1024 * 1024;

export interface Waiting {
  readonly path: string;
  /** Name of the file. */
  readonly file: string;
  readonly message: OutboxMessage;
}

export const outboxDir = (stateDir: string): string => join(stateDir, "outbox");

/**
 * Messages that wait, oldest first. What cannot be understood is left where it is and counted. When very many wait, the
 * newest are `unread` names, which wait for their turn.
 */
export function readOutbox(
  files: Files,
  stateDir: string,
): { waiting: Waiting[]; broken: string[]; unread: string[] } {
  const { found, broken, unread } = readJsonFolder(files, outboxDir(stateDir), OutboxMessage, mostBytes);
  const waiting = found.map(({ value, ...where }): Waiting => ({ ...where, message: value }));
  waiting.sort((a, b) => compare(a.message.createdAt, b.message.createdAt) || compare(a.path, b.path));
  return { waiting, broken, unread };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Gives a file another name in the same folder, under which it is kept and no longer read.
 * @returns the new path.
 */
export function setAside(files: Files, path: string): string {
  const kept = nameBeside(files, path, "corrupt").path;
  files.rename(path, kept);
  return kept;
}

/**
 * Keeps what a channel will never take under a second name; other channels may still send it, and what one of them, or
 * an Argus before this one, has kept already is kept once.
 * @returns the path.
 */
export function keepRefused(files: Files, path: string): string {
  const kept = nameBeside(files, path, "refused", files.tryRead(path, "own"));
  if (kept.isFree) files.link(path, kept.path);
  return kept.path;
}

/**
 * Keeps a text of several messages that a channel will never take, and whose files are gone, beside the others.
 * @returns the path.
 */
export function keepRefusedText(files: Files, stateDir: string, name: string, text: string): string {
  const kept = nameBeside(files, join(outboxDir(stateDir), name), "refused", `${text}\n`);
  if (kept.isFree) files.writeExclusive(kept.path, `${text}\n`);
  return kept.path;
}

/** The first name that is free, or holds this text. */
function nameBeside(
  files: Files,
  beside: string,
  kind: "corrupt" | "refused",
  text: string | null = null,
): { path: string; isFree: boolean } {
  for (let number = 1; ; number += 1) {
    const path = `${beside}.${kind}-${number}`;
    if (files.stat(path) === null) return { path, isFree: true };
    if (text !== null && files.tryRead(path, "own") === text) return { path, isFree: false };
  }
}

/** Which messages must go when more wait than may: the oldest `info`, then the oldest `warning`, never a `critical`. */
export function excess(waiting: readonly Waiting[], most: number): Waiting[] {
  let surplus = waiting.length - most;
  const gone: Waiting[] = [];
  for (const severity of ["info", "warning"] satisfies Severity[]) {
    if (surplus <= 0) break;
    const oldest = waiting.filter(({ message }) => message.severity === severity).slice(0, surplus);
    gone.push(...oldest);
    surplus -= oldest.length;
  }
  return gone;
}

/** Without a channel: then the oldest critical ones too, which only a disk without an end could keep. */
export function excessWithoutChannel(
  waiting: readonly Waiting[],
  most: number,
  mostCritical: number,
): Waiting[] {
  const gone = excess(waiting, most);
  const left = waiting.filter((each) => !gone.includes(each));
  return [...gone, ...left.slice(0, Math.max(0, left.length - mostCritical))];
}
