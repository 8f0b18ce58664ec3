/** What is old enough. */
import type { Entry } from "../../system/safe-tree.ts";

const dayMs = 86_400_000;

/** Nanoseconds since 1970: what has a stamp at or after it is young. */
export function cutoff(nowMs: number, maxAgeDays: number): bigint {
  return BigInt(Math.floor(nowMs - maxAgeDays * dayMs)) * 1_000_000n;
}

/**
 * The newest of the stamps that count. Unpacked archives carry old modification times, reading leaves only the access
 * time, chmod and rename only the change time: each alone shows that somebody wants the entry. The change time of a
 * directory does not count (as in systemd-tmpfiles), because cleaning and looking change it.
 * @param ownLook Argus itself has read the directory a moment ago, which is no sign of anybody's interest.
 */
export function newestStamp(entry: Entry, ownLook = false): bigint {
  const directory = entry.kind === "directory";
  let newest = entry.modifiedNs;
  if (entry.bornNs > newest) newest = entry.bornNs;
  if (!directory && entry.changedNs > newest) newest = entry.changedNs;
  if (!(directory && ownLook) && entry.accessedNs > newest) newest = entry.accessedNs;
  return newest;
}

export function wholeDaysSince(stampNs: bigint, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - Number(stampNs / 1_000_000n)) / dayMs));
}
