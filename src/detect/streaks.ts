/** How long a rule's conditions have held on an entity: in scheduled cycles, and in time. */

import * as z from "zod";
import { Moment, secondsBetween } from "../types/moment.ts";
import { duration } from "../types/quantities.ts";
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

/** Content of `streaks.json`. Keys are `<rule>#<version>|<entity identity>`, with `*` for the host. */
export const StreakFile = z.strictObject({ version: z.literal(1), streaks: z.record(z.string(), Streak) });
export type StreakFile = z.infer<typeof StreakFile>;
export type Streaks = ReadonlyMap<string, Streak>;

/** Of all rules together: 4 MB on disk. */
export const mostStreaks = 20_000;

/** @param rule its name and version: what held under other conditions says nothing about these. */
export const streakKey = (rule: string, identity: string): string => `${rule}|${identity}`;

export function readStreaks(file: StreakFile): Streaks {
  return new Map(Object.entries(file.streaks));
}

/** Keeps the first `mostStreaks`: the rules of the highest priority. `detect` says it in a note. */
export function writeStreaks(streaks: Streaks): StreakFile {
  return { version: 1, streaks: Object.fromEntries([...streaks].slice(0, mostStreaks)) };
}

/**
 * Whether a streak may go on: after a longer gap Argus did not run, and after a reboot everything was started anew;
 * nobody knows what was between, and a process of the same pid and start time may be another one.
 */
function goesOn(streak: Streak, now: Moment, maxGapSeconds: number): boolean {
  const { last } = streak;
  if (last.bootId !== now.bootId || now.uptimeSeconds < last.uptimeSeconds) return false;
  return secondsBetween(last, now) <= maxGapSeconds;
}

export interface Sight {
  /** null: could not be judged. That neither ends a streak nor advances it. */
  readonly holds: boolean | null;
  /** A wake-up may end a streak, and never counts as one of its cycles: wake-ups may come as often as they like. */
  readonly scheduled: boolean;
  /** The rule asks for minutes, which pass whoever looks: then any look may begin the streak. */
  readonly byTime?: boolean;
}

/** The streak after a look at the entity. */
export function advance(
  streak: Streak | undefined,
  { holds, scheduled, byTime = false }: Sight,
  now: Moment,
  maxGapSeconds: number,
): Streak | undefined {
  if (holds === false) return undefined;
  const alive = streak !== undefined && goesOn(streak, now, maxGapSeconds) ? streak : undefined;
  if (holds === null || !(scheduled || byTime)) return alive;
  if (alive === undefined) return { cycles: 1, since: now, last: now };
  return { ...alive, cycles: alive.cycles + (scheduled ? 1 : 0), last: now };
}

/**
 * When a recorded snapshot was taken, for what its streak had held then. Snapshots have whole seconds: of the look that
 * the streak counted last, its own moment is exact.
 */
export function momentOf(takenAtMs: number, { last }: Streak): Moment {
  const later = Math.max(0, takenAtMs - last.wallMs);
  return { ...last, wallMs: last.wallMs + later, uptimeSeconds: last.uptimeSeconds + later / 1000 };
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
      wanted: `${wanted.cycles} cycle${wanted.cycles === 1 ? "" : "s"}`,
      enough,
    };
  }
  const minutes = wanted.minutes ?? 0;
  const enough = cycles > 0 && seconds >= minutes * 60;
  return { cycles, seconds, wanted: duration(minutes * 60), enough };
}
