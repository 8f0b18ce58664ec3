/** Reading /proc, and what it names, with the bytes of paths kept: in latin1 they survive, in UTF-8 they do not. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { errorCode } from "./files.ts";
import { type Mount, parseMountInfo } from "./mounts.ts";
import type { Files } from "./system.ts";

export const bytes = { encoding: "latin1" } as const;

export const vanished: ReadonlySet<string> = new Set(["ENOENT", "ESRCH", "EINVAL"]);
export const forbidden: ReadonlySet<string> = new Set(["EACCES", "EPERM"]);
export const unreadable: ReadonlySet<string> = new Set([...vanished, ...forbidden, "ENOTDIR"]);

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (unreadable.has(errorCode(error))) return null;
    throw error;
  }
}

/** null when it is gone, or is not this user's to read. */
export const tryText = (path: string): string | null => orNull(() => readFileSync(path, bytes));
export const tryLink = (path: string): string | null => orNull(() => readlinkSync(path, bytes));
export const tryNames = (path: string): string[] => orNull(() => readdirSync(path)) ?? [];

/** Permission bits of what a path (latin1) leads to; null when that cannot be told. */
export function modeOf(path: string): number | null {
  const status = orNull(() => statSync(Buffer.from(path, "latin1")));
  return status === null ? null : status.mode & 0o7777;
}

/** Mounts of this process's own namespace, their paths in latin1; null when /proc does not tell. */
export function ownMounts(files: Files): Mount[] | null {
  const text = ownMountInfo(files);
  return text === null ? null : parseMountInfo(text);
}

export const ownMountInfo = (files: Files): string | null =>
  tryText(`${files.realPath("/proc")}/self/mountinfo`);
