/** Lines of the first Argus, counted: each says that the trouble was there, none says that it was gone. Pure. */
import type { RegistryRecord } from "./problem.ts";

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
  return isHealed(before.action, before.result) || isLater(Date.parse(before.ts), Date.parse(ts));
}

/** A repair of it went well. */
export const isHealed = (action: string, result: string | undefined): boolean =>
  result === "success" && remedies.includes(action.split(":", 1)[0] ?? "");
const isLater = (beforeMs: number, ms: number): boolean => Math.abs(ms - beforeMs) > quietMs;

/** Outages among lines that come in any order; those of others than the first Argus are passed over. */
export function createPastOutages(): { take(record: RegistryRecord): void; count(): number } {
  // Some bytes for each line: there may be a million of them.
  const problems = new Map<string, number>();
  const times: number[] = [];
  const whats: number[] = [];
  return {
    take(record) {
      if (record.event !== "past") return;
      const problem = problems.get(record.key) ?? problems.size;
      problems.set(record.key, problem);
      times.push(Date.parse(record.ts));
      whats.push(problem * 2 + Number(isHealed(record.action_taken, record.action_result)));
    },
    count() {
      const order = Uint32Array.from(times.keys()).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || b - a);
      const last: ({ atMs: number; healed: boolean } | undefined)[] = [];
      let outages = 0;
      for (const index of order) {
        const what = whats[index] ?? 0;
        const atMs = times[index] ?? 0;
        const before = last[what >> 1];
        if (before === undefined || before.healed || isLater(before.atMs, atMs)) outages += 1;
        last[what >> 1] = { atMs, healed: what % 2 === 1 };
      }
      return outages;
    },
  };
}

/** What it did, by the names that the actions have today; null: nothing that is an action. */
export function pastAction({ action_taken }: Pick<RegistryRecord, "action_taken">): string | null {
  const [type = ""] = action_taken.split(":", 1);
  return type === "none" || type === "" ? null : type === "kill_orphan_tests" ? "kill_pid" : type;
}
