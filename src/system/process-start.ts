/** Whether a process is still the one that was meant: its pid alone may be somebody else's by now. */
import { readStat } from "./proc.ts";
import type { Files } from "./system.ts";

/** Start in clock ticks since boot; null when there is no such process, or only its zombie, which holds nothing more. */
export function processStart(files: Files, pid: number): number | null {
  const stat = readStat(files, pid);
  return stat === null || stat.state === "Z" || stat.state === "X" ? null : stat.startTime;
}

export function processAlive(files: Files, pid: number, startTime: number): boolean {
  return processStart(files, pid) === startTime;
}
