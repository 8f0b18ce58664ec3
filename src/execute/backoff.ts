/**
 * How long a unit must be left alone after a restart: pure arithmetic over what is kept in `restart-backoff.json`.
 * A round is three attempts, 0 s, 60 s and 300 s apart; after the third comes the cooldown, then a new round. Every
 * attempt counts, also a successful one: a service that dies again 20 s after each restart must run into the
 * cooldown. Attempts are forgotten only after an hour of health, never at the first success (Monit #787).
 */
import * as z from "zod";
import { Moment, secondsAtLeast } from "../types/moment.ts";
import type { Policy } from "./policy.ts";

export const UnitBackoff = z.strictObject({
  /** In this round; the third is the last before the cooldown. */
  attempts: z.number().int().min(1).max(3),
  last: Moment,
  /** Since when every look found it active; null when the last look did not. */
  healthySince: Moment.nullable(),
  /** Of the cooldown that the first Argus began: it goes on as that Argus said. */
  cooldownSeconds: z.number().nonnegative().optional(),
});
export type UnitBackoff = z.infer<typeof UnitBackoff>;

const attemptsInRound = 3;

export interface BackoffAnswer {
  /** `ready` also after a cooldown: then a new round begins. */
  readonly state: "ready" | "backoff" | "cooldown";
  /** Attempts of this round so far. */
  readonly attempts: number;
  /** Wanted since the last attempt, and passed. */
  readonly delaySeconds: number;
  readonly passedSeconds: number;
}

export function backoffAnswer(entry: UnitBackoff | undefined, policy: Policy, now: Moment): BackoffAnswer {
  if (entry === undefined) return { state: "ready", attempts: 0, delaySeconds: 0, passedSeconds: 0 };
  const exhausted = entry.attempts >= attemptsInRound;
  const delaySeconds = exhausted
    ? (entry.cooldownSeconds ?? policy.restartCooldownSeconds)
    : entry.attempts === 1
      ? policy.restartSecondDelaySeconds
      : policy.restartThirdDelaySeconds;
  const passedSeconds = secondsAtLeast(entry.last, now);
  const over = passedSeconds >= delaySeconds;
  return {
    state: over ? "ready" : exhausted ? "cooldown" : "backoff",
    attempts: entry.attempts,
    delaySeconds,
    passedSeconds,
  };
}

/** Called when the intent is written: an attempt that is cut off by a crash counts too. */
export function countAttempt(entry: UnitBackoff | undefined, now: Moment): UnitBackoff {
  const before = entry === undefined || entry.attempts >= attemptsInRound ? 0 : entry.attempts;
  return { attempts: before + 1, last: now, healthySince: null };
}

/**
 * What a look at the unit changes. Only health that was seen at every look counts: a cycle that could not look
 * starts the hour again, because nobody knows what happened in between.
 * @returns null when its attempts are forgotten.
 */
export function afterLook(
  entry: UnitBackoff,
  healthy: boolean,
  policy: Policy,
  now: Moment,
): UnitBackoff | null {
  if (!healthy) return { ...entry, healthySince: null };
  const healthySince = entry.healthySince ?? now;
  return secondsAtLeast(healthySince, now) >= policy.restartCooldownSeconds
    ? null
    : { ...entry, healthySince };
}
