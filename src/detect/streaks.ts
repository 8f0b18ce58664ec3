/** How long a rule's conditions have held on an entity: in scheduled cycles, and in time. */
import { z } from "zod";
import { Moment, secondsBetween } from "../types/moment.ts";
import type { Rule } from "../types/rules.ts";

export const Streak = z.strictObject({
  /** Scheduled cycles in a row in which the conditions held. */
  cycles: z.number().int().min(1),
  /** The first of them. */
  since: Moment,
  /** The last of them. */
  last: Moment,
});
export type Streak = z.infer<typeof Streak>;

/** Content of `streaks.json`. Keys are `<rule>|<entity identity>`, with `*` for the host. */
export const StreakFile = z.strictObject({ version: z.literal(1), streaks: z.record(z.string(), Streak) });
export type StreakFile = z.infer<typeof StreakFile>;
export type Streaks = ReadonlyMap<string, Streak>;

const mostStreaks = 20_000;

export const streakKey = (rule: string, identity: string): string => `${rule}|${identity}`;

export function readStreaks(file: StreakFile): Streaks {
  return new Map(Object.entries(file.streaks));
}

export function writeStreaks(streaks: Streaks): StreakFile {
  return { version: 1, streaks: Object.fromEntries([...streaks].slice(0, mostStreaks)) };
}

/**
 * The streak after a look at the entity.
 * @param holds null: could not be judged. That neither ends a streak nor advances it.
 * @param maxGapSeconds a streak not seen for longer (Argus did not run) is over: nobody knows what was between.
 */
export function advance(
  streak: Streak | undefined,
  holds: boolean | null,
  now: Moment,
  maxGapSeconds: number,
): Streak | undefined {
  const alive =
    streak !== undefined && secondsBetween(streak.last, now) <= maxGapSeconds ? streak : undefined;
  if (holds === null) return alive;
  if (!holds) return undefined;
  return alive === undefined
    ? { cycles: 1, since: now, last: now }
    : { ...alive, cycles: alive.cycles + 1, last: now };
}

export interface Held {
  readonly cycles: number;
  readonly seconds: number;
  readonly wanted: string;
  readonly enough: boolean;
}

/** null: the rule does not ask for a streak. */
export function heldFor(rule: Rule, streak: Streak | undefined, now: Moment): Held | null {
  const wanted = rule.for;
  if (wanted === undefined) return null;
  const cycles = streak?.cycles ?? 0;
  const seconds = streak === undefined ? 0 : Math.round(secondsBetween(streak.since, now));
  if (wanted.cycles !== undefined) {
    // One is this very look, so that a wake-up, which never advances a streak, can act on it too.
    const enough = wanted.cycles === 1 || cycles >= wanted.cycles;
    return {
      cycles,
      seconds,
      wanted: `${wanted.cycles} scheduled cycle${wanted.cycles === 1 ? "" : "s"}`,
      enough,
    };
  }
  const minutes = wanted.minutes ?? 0;
  return {
    cycles,
    seconds,
    wanted: `${minutes} minute${minutes === 1 ? "" : "s"}`,
    enough: cycles > 0 && seconds >= minutes * 60,
  };
}
