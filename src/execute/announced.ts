/** Which problems were announced, and when: pure functions over what is kept in `dedup.json`. */
import * as z from "zod";
import { Moment, secondsBetween } from "../types/moment.ts";
import { ProblemKey, Severity, severities } from "../types/problem.ts";
import { duration } from "../types/quantities.ts";

export const Announced = z.record(
  ProblemKey,
  z.strictObject({
    at: Moment,
    severity: Severity,
    /** Its end was announced too. */
    over: z.boolean().optional(),
    /** It was said that it flaps. */
    flapping: z.boolean().optional(),
    /** When a repair of it was last reported. */
    repairedAt: Moment.optional(),
  }),
);
export type Announced = z.infer<typeof Announced>;

/** A problem may stay announced long after its window, so that its end is announced too. */
const keptSeconds = 30 * 86_400;
const keptEntries = 1000;
/** A repair is reported at most so often for one problem. */
const repairSeconds = 3600;
/** What goes down and comes back within a minute all day is announced less often than what stays. */
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
  /** It flaps, so that neither every opening nor every end is announced. */
  readonly flapping?: boolean;
  /** This outage has lasted for more than a minute: that it flaps makes it no less of one. */
  readonly lasting?: boolean;
  /** Of an end: Argus brought it about, and that is to be reported even where nobody was alerted. */
  readonly reportRepair?: boolean;
}

type Entry = Announced[string];

/** An alert about it is standing: its end is awaited. */
export const isStanding = (entry: Entry | undefined): boolean => entry !== undefined && entry.over !== true;

/** How the end is to be called: what nobody was alerted to is no end for people, but a repair. */
export const endsAs = (announced: Announced, problem: string): "resolved" | "repaired" =>
  isStanding(announced[problem]) ? "resolved" : "repaired";

/** @returns pass, and a sentence with the values. */
export function mayAnnounce(
  announced: Announced,
  alert: AlertQuestion,
  windowSeconds: number,
  now: Moment,
): { pass: boolean; detail: string } {
  const entry = announced[alert.problem];
  if (alert.recovery) return mayAnnounceEnd(entry, alert, now);
  if (entry === undefined) return { pass: true, detail: "it was not announced before" };
  if (alert.question === true) return { pass: true, detail: "it asks a person to decide something" };
  const passed = secondsBetween(entry.at, now);
  const isShort = alert.flapping === true && alert.lasting !== true;
  const window = isShort ? flappingWindows * windowSeconds : windowSeconds;
  const ago = `${duration(Math.floor(passed))} ago as ${entry.severity}; the window is ${duration(window)}`;
  if (entry.over === true) return { pass: true, detail: "its end was announced, and this is another outage" };
  if (alert.flapping === true && entry.flapping !== true)
    return { pass: true, detail: `it was announced ${ago}, and has been flapping since` };
  if (passed >= window) return { pass: true, detail: `it was announced ${ago}` };
  if (isWorse(alert.severity, entry.severity)) {
    return { pass: true, detail: `it was announced ${ago}, and has become ${alert.severity} since` };
  }
  return { pass: false, detail: `it was announced ${ago}` };
}

function mayAnnounceEnd(
  entry: Entry | undefined,
  { flapping, reportRepair }: AlertQuestion,
  now: Moment,
): { pass: boolean; detail: string } {
  if (isStanding(entry)) {
    return flapping === true
      ? { pass: false, detail: "it is flapping: its end is announced when it has been calm for an hour" }
      : { pass: true, detail: "it was announced, so its end is announced too" };
  }
  if (reportRepair !== true) {
    const why =
      entry === undefined
        ? "the problem was never announced, so its end is not announced either"
        : "its end was announced already";
    return { pass: false, detail: why };
  }
  const passed = entry?.repairedAt === undefined ? null : secondsBetween(entry.repairedAt, now);
  if (passed === null || passed >= repairSeconds)
    return { pass: true, detail: "Argus repaired it before anybody was alerted, and reports that" };
  return {
    pass: false,
    detail: `a repair of it was reported ${duration(Math.floor(passed))} ago, which is done once an hour`,
  };
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
    const repaired = before?.repairedAt === undefined ? {} : { repairedAt: before.repairedAt };
    if (!alert.recovery)
      entries.set(alert.problem, {
        at: now,
        severity: alert.severity,
        ...(alert.flapping ? { flapping: true } : {}),
        ...repaired,
      });
    else if (before !== undefined && isStanding(before))
      entries.set(alert.problem, { ...before, over: true });
    else entries.set(alert.problem, { at: now, severity: alert.severity, over: true, repairedAt: now });
  }
  const kept = [...entries].filter(([, entry]) => secondsBetween(entry.at, now) < keptSeconds);
  return Object.fromEntries(kept.slice(-keptEntries));
}
