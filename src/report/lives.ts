/** Problems that began and ended over days, from the registry. */
import { pastOutages } from "../types/past.ts";
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
  const past: RegistryRecord[] = [];
  const steps = stepsOf(records, from, past);
  const openedAt = new Map<string, string>();
  const helped = new Set<string>();
  const durations: number[] = [];
  let opened = 0;
  let resolved = 0;
  let resolvedByModel = 0;
  for (const { ts, key, kind } of steps) {
    if (kind === "opened") {
      opened += 1;
      openedAt.set(key, ts);
      helped.delete(key);
    }
    if (kind === "helped") helped.add(key);
    if (kind !== "resolved") continue;
    resolved += 1;
    const begun = openedAt.get(key);
    if (begun !== undefined) durations.push((Date.parse(ts) - Date.parse(begun)) / 1000);
    if (helped.delete(key)) resolvedByModel += 1;
    openedAt.delete(key);
  }
  const secondsToHeal =
    durations.length === 0 ? null : { median: percentile(durations, 0.5), worst: Math.max(...durations) };
  // How those of the first Argus ended nobody wrote down.
  opened += pastOutages(past);
  return { problems: { opened, resolved, secondsToHeal }, resolvedByModel };
}

interface Step {
  readonly ts: string;
  readonly key: string;
  readonly kind: "opened" | "helped" | "resolved";
}

/**
 * Only what is needed of each line, so that the evidence of months is not held all at once; oldest first.
 * @param past is given the lines of the first Argus.
 */
function stepsOf(records: Iterable<RegistryRecord>, from: string, past: RegistryRecord[]): Step[] {
  const steps: Step[] = [];
  for (const record of records) {
    if (record.event === "past" && record.ts >= from) past.push(record);
    const kind = record.ts < from ? null : kindOf(record);
    if (kind !== null) steps.push({ ts: record.ts, key: record.key, kind });
  }
  return steps.reverse().sort((a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0));
}

/** `helped`: an action that the model asked for was seen to have worked. */
function kindOf({ event, source, action_result: result, verified }: RegistryRecord): Step["kind"] | null {
  if (event === "opened" || event === "resolved") return event;
  const isHelp = event === "action" && result === "success" && verified === true;
  return isHelp && askerOf(source) === "model" ? "helped" : null;
}
