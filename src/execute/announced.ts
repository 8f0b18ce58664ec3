/** Which problems were announced, and when: pure functions over what is kept in `dedup.json`. */
import * as z from "zod";
import { Moment, secondsBetween } from "../types/moment.ts";
import { ProblemKey, Severity, severities } from "../types/problem.ts";

export const Announced = z.record(
  ProblemKey,
  z.strictObject({
    at: Moment,
    severity: Severity,
    /** Its end was announced too. */
    over: z.boolean().optional(),
    /** It was said that it flaps. */
    flapping: z.boolean().optional(),
  }),
);
export type Announced = z.infer<typeof Announced>;

/** A problem may stay announced long after its window, so that its end is announced too. */
const keptSeconds = 30 * 86_400;
const keptEntries = 1000;
/** What comes and goes all day is told less often than what stays. */
const flappingWindows = 3;

export function isWorse(severity: Severity, than: Severity): boolean {
  return severities.indexOf(severity) < severities.indexOf(than);
}

export interface AlertQuestion {
  readonly problem: string;
  readonly severity: Severity;
  readonly recovery: boolean;
  /** A person is asked to decide something. */
  readonly question?: boolean;
  /** It comes and goes, so that not every opening is told. */
  readonly flapping?: boolean;
}

/** @returns pass, and a sentence with the values. */
export function mayAnnounce(
  announced: Announced,
  alert: AlertQuestion,
  windowSeconds: number,
  now: Moment,
): { pass: boolean; detail: string } {
  const entry = announced[alert.problem];
  if (entry === undefined) {
    return alert.recovery
      ? { pass: false, detail: "the problem was never announced, so its end is not announced either" }
      : { pass: true, detail: "it was not announced before" };
  }
  if (alert.recovery) {
    return entry.over === true
      ? { pass: false, detail: "its end was announced already" }
      : { pass: true, detail: "it was announced, so its end is announced too" };
  }
  if (alert.question === true) return { pass: true, detail: "it asks a person to decide something" };
  const passed = secondsBetween(entry.at, now);
  const window = alert.flapping === true ? flappingWindows * windowSeconds : windowSeconds;
  const ago = `${Math.floor(passed)} s ago as ${entry.severity}; the window is ${window} s`;
  if (alert.flapping === true && entry.flapping !== true)
    return { pass: true, detail: `it was announced ${ago}, and has begun to come and go since` };
  if (alert.flapping !== true && entry.over === true)
    return { pass: true, detail: "its end was announced, and this is another outage" };
  if (passed >= window) return { pass: true, detail: `it was announced ${ago}` };
  if (isWorse(alert.severity, entry.severity)) {
    return { pass: true, detail: `it was announced ${ago}, and has become ${alert.severity} since` };
  }
  return { pass: false, detail: `it was announced ${ago}` };
}

/** Entries after these alerts went out; the oldest beyond the bound and those nobody can need any more are dropped. */
export function withAnnounced(
  announced: Announced,
  alerts: readonly AlertQuestion[],
  now: Moment,
): Announced {
  const entries = new Map(Object.entries(announced));
  for (const alert of alerts) {
    entries.delete(alert.problem);
    const before = announced[alert.problem];
    if (!alert.recovery)
      entries.set(alert.problem, {
        at: now,
        severity: alert.severity,
        ...(alert.flapping ? { flapping: true } : {}),
      });
    else if (before !== undefined) entries.set(alert.problem, { ...before, over: true });
  }
  const kept = [...entries].filter(([, entry]) => secondsBetween(entry.at, now) < keptSeconds);
  return Object.fromEntries(kept.slice(-keptEntries));
}
