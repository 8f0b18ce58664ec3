/** Tables of /proc that concern all processes. Pure. */
import { basename } from "node:path";
import { deviceNumber } from "./mounts.ts";

/**
 * /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path. A name in the abstract namespace begins with `@`.
 * @returns the last component of each path that a socket is bound to: a path may be relative to the binder's folder, or
 * be another one in its namespace; and all sockets as `/proc/PID/fd` shows them.
 */
export function parseUnixSockets(text: string): { names: string[]; links: string[] } {
  const names: string[] = [];
  const links: string[] = [];
  for (const line of text.split("\n")) {
    const [, inode, path] = /^[0-9a-f]+: (?:\S+ +){5}(\d+)(?: (.+))?$/.exec(line) ?? [];
    if (inode === undefined) continue;
    links.push(`socket:[${inode}]`);
    if (path !== undefined && !path.startsWith("@")) names.push(basename(path));
  }
  return { names, links };
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
