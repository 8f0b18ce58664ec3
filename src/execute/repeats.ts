/** How often an observation was made: pure functions over what is kept in `observations.json`. */
import * as z from "zod";
import { Moment, secondsBetween } from "../types/moment.ts";
import { ProblemKey } from "../types/problem.ts";

export const Repeats = z.record(
  ProblemKey,
  z.strictObject({
    /** When it was last written into the file, and when it was last made. */
    written: Moment,
    seen: Moment,
    /** How often it was made without a pause of a day. */
    count: z.number().int().min(1),
  }),
);
export type Repeats = z.infer<typeof Repeats>;

const pauseSeconds = 86_400;
const keptEntries = 1000;

export interface Counted {
  readonly repeats: Repeats;
  readonly count: number;
  /** False within the window of a line that stands in the file already. */
  readonly write: boolean;
}

export function countObservation(
  repeats: Repeats,
  problem: string,
  windowSeconds: number,
  now: Moment,
): Counted {
  const before = repeats[problem];
  const goesOn =
    before !== undefined && secondsBetween(before.seen, now) < Math.max(pauseSeconds, windowSeconds);
  const count = goesOn ? before.count + 1 : 1;
  const write = !goesOn || secondsBetween(before.written, now) >= windowSeconds;
  const entries = new Map(Object.entries(repeats));
  entries.delete(problem);
  entries.set(problem, { written: write || before === undefined ? now : before.written, seen: now, count });
  const kept = [...entries].filter(
    ([, entry]) => secondsBetween(entry.seen, now) < Math.max(pauseSeconds, windowSeconds),
  );
  return { repeats: Object.fromEntries(kept.slice(-keptEntries)), count, write };
}
