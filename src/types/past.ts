/** Lines of the first Argus, counted: each says that the trouble was there, none says that it was gone. Pure. */
import { pastSource, type RegistryRecord } from "./problem.ts";

interface PastLine {
  readonly ts: string;
  readonly action: string;
  readonly result: string | undefined;
}

/** It repeated what lasted once an hour: what comes later than that is another outage. */
const quietMs = 2 * 3_600_000;
const remedies = ["restart_service", "kill_orphan_tests", "clean_disk"];

/** Whether a line about the same problem tells of another outage than the line before: that one was healed, or long ago. */
export function beginsAnew(before: PastLine, { ts }: Pick<RegistryRecord, "ts">): boolean {
  const isHealed = before.result === "success" && remedies.includes(before.action.split(":", 1)[0] ?? "");
  return isHealed || Math.abs(Date.parse(ts) - Date.parse(before.ts)) > quietMs;
}

/** Outages among them, by key. @param records in any order; lines of others are passed over. */
export function pastOutages(records: Iterable<RegistryRecord>): number {
  const lines = [...records].filter(({ source }) => source === pastSource);
  lines.sort((a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0));
  const last = new Map<string, PastLine>();
  let outages = 0;
  for (const record of lines) {
    const before = last.get(record.key);
    if (before === undefined || beginsAnew(before, record)) outages += 1;
    last.set(record.key, { ts: record.ts, action: record.action_taken, result: record.action_result });
  }
  return outages;
}

/** What it did, by the names that the actions have today; null: nothing that is an action. */
export function pastAction({ action_taken }: Pick<RegistryRecord, "action_taken">): string | null {
  const [type = ""] = action_taken.split(":", 1);
  return type === "none" || type === "" ? null : type === "kill_orphan_tests" ? "kill_pid" : type;
}
