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

/** Messages that wait, oldest first. What cannot be understood is left where it is and counted. */
export function readOutbox(files: Files, stateDir: string): { waiting: Waiting[]; broken: string[] } {
  const { found, broken } = readJsonFolder(files, outboxDir(stateDir), OutboxMessage, mostBytes);
  const waiting = found.map(({ value, ...where }): Waiting => ({ ...where, message: value }));
  waiting.sort((a, b) => compare(a.message.createdAt, b.message.createdAt) || compare(a.path, b.path));
  return { waiting, broken };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Gives a file another name in the same folder, under which it is kept and no longer read.
 * @returns the new path.
 */
export function setAside(files: Files, path: string): string {
  const kept = freeName(files, path, "corrupt");
  files.rename(path, kept);
  return kept;
}

/**
 * Keeps what a channel will never take under a second name; other channels may still send it.
 * @returns the new path.
 */
export function keepRefused(files: Files, path: string): string {
  const kept = freeName(files, path, "refused");
  files.link(path, kept);
  return kept;
}

/**
 * Keeps a text of several messages that a channel will never take, and whose files are gone, beside the others.
 * @returns the path.
 */
export function keepRefusedText(files: Files, stateDir: string, name: string, text: string): string {
  const kept = freeName(files, join(outboxDir(stateDir), name), "refused");
  files.writeExclusive(kept, `${text}\n`);
  return kept;
}

function freeName(files: Files, path: string, kind: "corrupt" | "refused"): string {
  let number = 1;
  while (files.stat(`${path}.${kind}-${number}`) !== null) number += 1;
  return `${path}.${kind}-${number}`;
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
