/** How many actions an hour: a sliding window over the moments of the intents. Pure. */
import { type Moment, secondsAtLeast } from "../types/moment.ts";

const hourSeconds = 3600;

/** Those that still count against the budget. */
export function spentWithinHour(spent: readonly Moment[], now: Moment): Moment[] {
  return spent.filter((moment) => secondsAtLeast(moment, now) < hourSeconds);
}

/** Seconds until one more is allowed; 0 when one is allowed now, null when never (a budget of 0). */
export function secondsUntilAllowed(spent: readonly Moment[], limit: number, now: Moment): number | null {
  if (limit === 0) return null;
  const passed = spentWithinHour(spent, now)
    .map((moment) => secondsAtLeast(moment, now))
    .sort((a, b) => a - b);
  const oldestThatMustLeave = passed[limit - 1];
  return oldestThatMustLeave === undefined ? 0 : hourSeconds - oldestThatMustLeave;
}
