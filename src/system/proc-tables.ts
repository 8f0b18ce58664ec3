/** Tables of /proc that concern all processes. Pure. */
import { basename } from "node:path";
import { deviceNumber } from "./mounts.ts";

/**
 * Last component of each path that a socket is bound to: a path may be relative to the binder's folder, or be another
 * one in its namespace. Columns of /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path. A name in the
 * abstract namespace begins with `@`.
 */
export function socketNamesIn(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const path = /^[0-9a-f]+: (?:\S+ +){6}(?!@)(.+)$/.exec(line)?.[1];
    return path === undefined ? [] : [basename(path)];
  });
}

/** `1: FLOCK  ADVISORY  WRITE 5125 fe:00:260072 0 EOF`; a waiter has `->` after the number. */
export function parseLocks(text: string): Set<string> {
  const locked = new Set<string>();
  for (const [, major = "", minor = "", inode = ""] of text.matchAll(
    / ([0-9a-f]+):([0-9a-f]+):(\d+) \S+ \S+$/gm,
  )) {
    locked.add(superBlockKey(major, minor, inode));
  }
  return locked;
}

/** @param major hexadecimal, as is `minor`. */
export function superBlockKey(major: string, minor: string, inode: string | bigint): string {
  return `${deviceNumber(Number.parseInt(major, 16), Number.parseInt(minor, 16))}:${inode}`;
}
