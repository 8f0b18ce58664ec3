/** Adds up what a cleaning removes and keeps, in bounded memory. */
import type { Entry } from "../../system/safe-tree.ts";
import { type CleanReport, type KeptReason, keptReasons, type RemovedUnit } from "../../types/clean.ts";
import { keyOf } from "./guard.ts";

const maxRemoved = 200;
const maxKeptExamples = 50;
const maxErrors = 20;
/** Inodes with several names whose other names have not been met; beyond this they count as freeing nothing. */
const maxLinked = 65_536;

export interface Tally {
  /** Bytes that removing this name frees: of an inode with several names, all with its last one. */
  freedBy(entry: Entry): number;
  removed(unit: RemovedUnit, device: bigint): void;
  kept(path: string, reason: KeptReason): void;
  error(sentence: string): void;
  /** Bytes freed on a file system, by st_dev of the folder. */
  bytesOn(device: bigint): number;
  totals(): Pick<
    CleanReport,
    "removed" | "units" | "entries" | "bytesReclaimed" | "kept" | "keptExamples" | "errors"
  >;
}

export function createTally(): Tally {
  const removed: RemovedUnit[] = [];
  const kept = Object.fromEntries(keptReasons.map((reason) => [reason, 0])) as Record<KeptReason, number>;
  const keptExamples: { path: string; reason: KeptReason }[] = [];
  const errors: string[] = [];
  const linked = new Map<string, number>();
  const byDevice = new Map<bigint, number>();
  let units = 0;
  let entries = 0;
  let bytesReclaimed = 0;

  function trim(): void {
    removed.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
    removed.length = Math.min(removed.length, maxRemoved);
  }

  return {
    freedBy(entry) {
      if (entry.kind === "directory") return entry.allocatedBytes;
      if (entry.links === 1 && linked.size === 0) return entry.allocatedBytes;
      // A forecast meets the second name with the same count of links as the first, the deed with one less.
      const key = keyOf(entry);
      const others = (linked.get(key) ?? entry.links) - 1;
      if (others === 0) {
        linked.delete(key);
        return entry.allocatedBytes;
      }
      if (linked.size < maxLinked || linked.has(key)) linked.set(key, others);
      return 0;
    },
    removed(unit, device) {
      units += 1;
      entries += unit.entries;
      bytesReclaimed += unit.bytes;
      byDevice.set(device, (byDevice.get(device) ?? 0) + unit.bytes);
      removed.push(unit);
      if (removed.length >= 2 * maxRemoved) trim();
    },
    kept(path, reason) {
      kept[reason] += 1;
      if (reason !== "young" && keptExamples.length < maxKeptExamples) keptExamples.push({ path, reason });
    },
    error(sentence) {
      if (errors.length < maxErrors) errors.push(sentence);
    },
    bytesOn: (device) => byDevice.get(device) ?? 0,
    totals() {
      trim();
      return { removed, units, entries, bytesReclaimed, kept, keptExamples, errors };
    },
  };
}
