/** What a process that goes on for days remembers in memory when its folders cannot be written. */
import { holdWhatHasNoRoom, mostHeldBytes } from "../system/held-files.ts";
import type { System } from "../system/system.ts";
import { isoTime } from "../types/moment.ts";
import { utc } from "../types/quantities.ts";

/** @param note told when something begins to wait for room, and when it is written. */
export function withMemory(
  system: System,
  roots: readonly string[],
  note: (sentence: string) => void,
): System {
  const now = () => isoTime(system.clock.now());
  const files = holdWhatHasNoRoom(system.files, roots, { now, note, mostBytes: mostHeldBytes });
  return { ...system, files };
}

/** For whoever ends: what is in memory alone. */
export function lostSentence({ files }: System): string | null {
  const held = files.holding?.held() ?? null;
  if (held === null) return null;
  return `${held.why} since ${utc(held.since)}: ${held.bytes} bytes of what was done meanwhile are lost with this process`;
}
