/** How often an observation was made: pure functions over what is kept in `observations.json`. */
import * as z from "zod";
import { Moment, secondsBetween } from "../types/moment.ts";
import { ProblemKey } from "../types/problem.ts";

/** The highest ARGUS_BEAD_REPEAT_THRESHOLD. */
const mostRecent = 100;

export const Repeats = z.record(
  ProblemKey,
  z.strictObject({
    /** When it was last written into the file, and when it was last made. */
    written: Moment,
    seen: Moment,
    /** How often it was made without a pause of a day. */
    count: z.number().int().min(1),
    /** When it was made within the window of the settings, newest last; no more than may be asked for. */
    recent: z.array(Moment).max(mostRecent).default([]),
  }),
);
export type Repeats = z.infer<typeof Repeats>;

const pauseSeconds = 86_400;
const keptEntries = 1000;

export interface Counted {
  readonly repeats: Repeats;
  readonly count: number;
  /** How often within the window in which repeats count. */
  readonly recent: number;
  /** False within the window of a line that stands in the file already. */
  readonly write: boolean;
}

export function countObservation(
  repeats: Repeats,
  problem: string,
  { windowSeconds, repeatSeconds }: { readonly windowSeconds: number; readonly repeatSeconds: number },
  now: Moment,
): Counted {
  const before = repeats[problem];
  const goesOn =
    before !== undefined && secondsBetween(before.seen, now) < Math.max(pauseSeconds, windowSeconds);
  const count = goesOn ? before.count + 1 : 1;
  const write = !goesOn || secondsBetween(before.written, now) >= windowSeconds;
  const entries = new Map(Object.entries(repeats));
  entries.delete(problem);
  const lately = (before?.recent ?? []).filter((at) => secondsBetween(at, now) < repeatSeconds);
  const recent = [...lately, now].slice(-mostRecent);
  const written = write || before === undefined ? now : before.written;
  entries.set(problem, { written, seen: now, count, recent });
  const kept = [...entries].filter(
    ([, entry]) => secondsBetween(entry.seen, now) < Math.max(pauseSeconds, windowSeconds),
  );
  return { repeats: Object.fromEntries(kept.slice(-keptEntries)), count, recent: recent.length, write };
}
