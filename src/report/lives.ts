/** Problems that began and ended over days, from the registry. */
import { createPastOutages } from "../types/past.ts";
import type { RegistryRecord } from "../types/problem.ts";
import { askerOf, percentile } from "./tally.ts";

export interface Lives {
  readonly opened: number;
  readonly resolved: number;
  /** Of those that were both opened and resolved in this time; null: none. */
  readonly secondsToHeal: { readonly median: number; readonly worst: number } | null;
}

/**
 * Openings and ends, paired by key.
 * @param records newest first.
 */
export function livesOf(
  records: Iterable<RegistryRecord>,
  from: string,
): { readonly problems: Lives; readonly resolvedByModel: number } {
  /** By the number of the problem. */
  const openedMs: (number | undefined)[] = [];
  const helped = new Set<number>();
  const past = createPastOutages();
  const durations: number[] = [];
  let opened = 0;
  let resolved = 0;
  let resolvedByModel = 0;
  for (const { atMs, problem, kind } of inTime(records, from, past)) {
    if (kind === "opened") {
      opened += 1;
      openedMs[problem] = atMs;
      helped.delete(problem);
    }
    if (kind === "helped") helped.add(problem);
    if (kind !== "resolved") continue;
    resolved += 1;
    const begunMs = openedMs[problem];
    if (begunMs !== undefined) durations.push((atMs - begunMs) / 1000);
    if (helped.delete(problem)) resolvedByModel += 1;
    openedMs[problem] = undefined;
  }
  const secondsToHeal =
    durations.length === 0 ? null : { median: percentile(durations, 0.5), worst: percentile(durations, 1) };
  // How those of the first Argus ended nobody wrote down.
  opened += past.count();
  return { problems: { opened, resolved, secondsToHeal }, resolvedByModel };
}

interface Step {
  readonly atMs: number;
  /** Each key has a number. */
  readonly problem: number;
  readonly kind: (typeof kinds)[number];
}
const kinds = ["opened", "helped", "resolved"] as const;

/**
 * Only what is needed of each line, in some bytes, so that the lines of years are not held all at once; oldest first.
 * @param past is given the lines of the first Argus.
 */
function* inTime(
  newestFirst: Iterable<RegistryRecord>,
  from: string,
  past: { take(record: RegistryRecord): void },
): Generator<Step> {
  const problems = new Map<string, number>();
  const times: number[] = [];
  /** The problem, and the kind. */
  const what: number[] = [];
  for (const record of newestFirst) {
    if (record.ts >= from) past.take(record);
    const kind = record.ts < from ? null : kindOf(record);
    const atMs = Date.parse(record.ts);
    if (kind === null || Number.isNaN(atMs)) continue;
    const problem = problems.get(record.key) ?? problems.size;
    problems.set(record.key, problem);
    times.push(atMs);
    what.push(problem * kinds.length + kinds.indexOf(kind));
  }
  problems.clear();
  // A clock may have been set back.
  const order = Uint32Array.from(times.keys()).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || b - a);
  for (const index of order) {
    const step = what[index] ?? 0;
    const kind = kinds[step % kinds.length] ?? "opened";
    yield { atMs: times[index] ?? 0, problem: Math.floor(step / kinds.length), kind };
  }
}

/** `helped`: an action that the model asked for was seen to have worked. */
function kindOf({ event, source, action_result: result, verified }: RegistryRecord): Step["kind"] | null {
  if (event === "opened" || event === "resolved") return event;
  const isHelp = event === "action" && result === "success" && verified === true;
  return isHelp && askerOf(source) === "model" ? "helped" : null;
}
