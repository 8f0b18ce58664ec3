/**
 * What is due before the next scheduled cycle: a settle time, a minute of healing, a backoff, a pause or a silence that
 * ends. The daemon begins a cycle then. Such a cycle is no wake-up from outside: it is not rationed.
 */
import type { Parts } from "./cycle.ts";
import { healingSeconds, healingSince } from "./escalate/healing.ts";
import { calmAtMs } from "./escalate/recovery.ts";
import { lookAtExecutor } from "./execute/look.ts";
import { isOpen } from "./record/problems.ts";
import type { Clock } from "./system/system.ts";

export interface Due {
  readonly inSeconds: number;
  /** One clause, such as `the backoff of web is over`. */
  readonly why: string;
}

export interface Timers {
  /**
   * In place of what was planned before. What became due while the cycle ran is due now; what was due before that, the
   * cycle has looked at.
   */
  plan(dues: readonly Due[], cycleSeconds?: number): void;
  /** A cycle begins, which looks at all that is due. One that fails plans nothing: the schedule goes on. */
  clear(): void;
  /** The first of them, on the monotonic clock. */
  next(): { readonly atMs: number; readonly why: string } | null;
}

/** A limit that is reached to the millisecond is not yet passed. */
const marginMs = 20;

export function createTimers(clock: Pick<Clock, "monotonicMs">): Timers {
  let first: { atMs: number; why: string } | null = null;
  return {
    plan(dues, cycleSeconds = 0) {
      const [soonest] = dues
        .filter(({ inSeconds }) => Number.isFinite(inSeconds) && inSeconds > -cycleSeconds)
        .sort((a, b) => a.inSeconds - b.inSeconds);
      first =
        soonest === undefined
          ? null
          : {
              atMs: clock.monotonicMs() + Math.max(0, soonest.inSeconds) * 1000 + marginMs,
              why: soonest.why,
            };
    },
    clear: () => {
      first = null;
    },
    next: () => first,
  };
}

const executorSeconds = 60;

/** @param heldSeconds when the first rule's `for` will have been held, if any waits. */
export async function duesOf(parts: Parts, heldSeconds: number | null | undefined): Promise<Due[]> {
  const { settling, registry, system } = parts;
  const now = system.clock.now();
  const settle = settling.dueInSeconds(now);
  const all = [...registry.problems().values()];
  const open = all.filter(isOpen);
  const at = (iso: string): number => (Date.parse(iso) - now.wallMs) / 1000;
  const dues: Due[] = [
    ...all.flatMap((problem) => {
      const calm = problem.life === "resolved" ? calmAtMs(problem) : null;
      return calm === null
        ? []
        : [
            {
              inSeconds: (calm - now.wallMs) / 1000 + 1,
              why: `${problem.subject} has been calm for an hour`,
            },
          ];
    }),
    ...(settle === null ? [] : [{ inSeconds: settle, why: "a problem was gone for the settle time" }]),
    ...(heldSeconds == null
      ? []
      : [{ inSeconds: heldSeconds, why: "conditions have held for as long as their rule wants" }]),
    ...(parts.book.waits() ? [{ inSeconds: 2.5, why: "a rule file was being written" }] : []),
    ...open.flatMap((problem) => {
      const since = healingSince(problem);
      if (since === null) return [];
      const inSeconds = (since.ms - now.wallMs) / 1000 + healingSeconds + 1;
      return [{ inSeconds, why: `${problem.subject} has been healing for a minute` }];
    }),
  ];
  if (open.length === 0) return dues;
  const { backoffs, pausedUntil, silencedUntil, error } = await lookAtExecutor(parts.executor);
  const down = new Set(open.map(({ subject }) => subject));
  const grace = parts.config.bootGraceSeconds - now.uptimeSeconds;
  return [
    ...dues,
    { inSeconds: grace, why: "the grace after boot is over" },
    // Nothing is repaired until it answers.
    ...(error === null ? [] : [{ inSeconds: executorSeconds, why: "the executor is asked again" }]),
    ...backoffs.flatMap(({ unit, nextInSeconds }) =>
      down.has(unit) ? [{ inSeconds: nextInSeconds, why: `the backoff of ${unit} is over` }] : [],
    ),
    ...(pausedUntil === null ? [] : [{ inSeconds: at(pausedUntil), why: "the pause is over" }]),
    ...silencedUntil.map((until) => ({ inSeconds: at(until), why: "a silence is over" })),
  ];
}
