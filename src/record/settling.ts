/**
 * Which problems are over for good: those whose condition was seen to be gone, and has stayed gone for the settle time.
 * In memory: an Argus that starts anew looks anew.
 */
import { isoTime, type Moment, secondsBetween } from "../types/moment.ts";
import type { Gone } from "./resolvable.ts";

export interface Settled extends Gone {
  /** When a look first found it gone, ISO 8601. */
  readonly goneAt: string;
}

export interface Settling {
  /**
   * @param gone what a look has found to be gone. What is not among them is there again, or nobody can tell: its time
   *   begins anew.
   * @param watchedSeconds for how long a remedy that verified itself saw it gone already, by key.
   */
  look(gone: readonly Gone[], now: Moment, watchedSeconds?: ReadonlyMap<string, number>): Settled[];
  /** The same for a look at these keys alone. */
  lookAgain(gone: readonly Gone[], now: Moment): Settled[];
  /** When the next of them will have settled; null: none is gone and unsettled. */
  dueInSeconds(now: Moment): number | null;
}

export function createSettling(settleSeconds: number): Settling {
  let since = new Map<string, Moment>();

  function look(
    gone: readonly Gone[],
    now: Moment,
    watchedSeconds: ReadonlyMap<string, number> = new Map(),
  ): Settled[] {
    const before = since;
    since = new Map();
    return gone.flatMap((each): Settled[] => {
      const first = before.get(each.key) ?? earlier(now, watchedSeconds.get(each.key) ?? 0);
      const isSettled = each.because !== "not_found" || secondsBetween(first, now) >= settleSeconds;
      if (!isSettled) since.set(each.key, first);
      return isSettled ? [{ ...each, goneAt: isoTime(first) }] : [];
    });
  }

  return {
    look,
    lookAgain: (gone, now) =>
      look(
        gone.filter(({ key }) => since.has(key)),
        now,
      ),
    dueInSeconds(now) {
      const left = [...since.values()].map((first) => settleSeconds - secondsBetween(first, now));
      return left.length === 0 ? null : Math.max(0, Math.min(...left));
    },
  };
}

const earlier = (moment: Moment, seconds: number): Moment => ({
  ...moment,
  wallMs: moment.wallMs - seconds * 1000,
  uptimeSeconds: moment.uptimeSeconds - seconds,
});
