/** When the daemon wakes: pure arithmetic over the times at which something rang. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { burst, coalesceMs, createBell, refillMs } from "../src/bell.ts";
import { isMoving, takeTurn } from "../src/daemon.ts";

const bellOf = () => createBell(() => undefined);

describe("the bell", () => {
  it("has nobody get up before it rings", () => {
    expect(bellOf().dueMs(1_000)).toBeNull();
  });

  it("takes what rings within a tenth of a second together, each reason once", () => {
    const bell = bellOf();
    bell.ring("web.service failed", 1_000);
    bell.ring("api.service failed", 1_040);
    bell.ring("web.service failed", 1_090);
    expect(takeTurn(bell, 300_000, 1_099)).toEqual({ trigger: null, dueMs: 1_100 });
    expect(takeTurn(bell, 300_000, 1_100)).toEqual({
      trigger: "wake",
      wokenBy: ["web.service failed", "api.service failed"],
    });
    expect(takeTurn(bell, 300_000, 1_101)).toEqual({ trigger: null, dueMs: 300_000 });
  });

  it("leaves what rang to a cycle of the schedule that is due", () => {
    const bell = bellOf();
    bell.ring("SIGUSR1", 950);
    expect(takeTurn(bell, 1_000, 1_000)).toEqual({ trigger: "schedule", wokenBy: ["SIGUSR1"] });
    expect(bell.dueMs(2_000)).toBeNull();
  });

  it("keeps the first twenty reasons of a storm and counts the rest", () => {
    const bell = bellOf();
    for (let unit = 0; unit < 50; unit += 1) bell.ring(`u${unit}.service failed`, 0);
    const said = bell.answer();
    expect(said).toHaveLength(21);
    expect(said.at(-1)).toBe("and 30 more");
  });

  it("cuts a reason that is longer than anybody wants to read", () => {
    const bell = bellOf();
    bell.ring(`disk /${"x".repeat(4_000)} usedPercent crossed 90`, 0);
    expect(bell.answer()[0]).toHaveLength(300);
  });
});

interface Cycle {
  readonly trigger: "schedule" | "wake" | "once";
  readonly startMs: number;
  readonly endMs: number;
  readonly wokenBy: readonly string[];
}

const intervalMs = 60_000;

/** The daemon's loop over a made clock, until all that rang is answered and ten slots of the schedule are over. */
function live(rings: readonly number[], tookMs: (cycle: number) => number): Cycle[] {
  const bell = bellOf();
  const queue = [...rings].sort((a, b) => a - b);
  const cycles: Cycle[] = [];
  let slotMs = 0;
  let nowMs = 0;
  const ringUntil = (ms: number) => {
    while (queue[0] !== undefined && queue[0] <= ms) {
      const at = queue.shift() ?? 0;
      bell.ring(`ring ${queue.length} at ${at}`, at);
    }
  };
  while (queue.length > 0 || bell.dueMs(nowMs) !== null || nowMs < 10 * intervalMs) {
    ringUntil(nowMs);
    const turn = takeTurn(bell, slotMs, nowMs);
    if (turn.trigger === null) {
      // It sleeps until then, or until the next ring.
      nowMs = Math.max(nowMs, Math.min(turn.dueMs, queue[0] ?? turn.dueMs));
      continue;
    }
    if (turn.trigger === "schedule") slotMs += intervalMs;
    const endMs = nowMs + tookMs(cycles.length);
    cycles.push({ ...turn, startMs: nowMs, endMs });
    ringUntil(endMs);
    nowMs = endMs;
  }
  return cycles;
}

/** Storms of up to 80 rings, as close together as they come. */
const storms = fc
  .array(
    fc.record({
      startMs: fc.integer({ min: 0, max: 500_000 }),
      count: fc.integer({ min: 1, max: 80 }),
      gapMs: fc.integer({ min: 0, max: 2_000 }),
    }),
    { maxLength: 8 },
  )
  .map((each) =>
    each.flatMap(({ startMs, count, gapMs }) =>
      Array.from({ length: count }, (_, index) => startMs + index * gapMs),
    ),
  );
const durations = fc.array(fc.integer({ min: 1, max: 4_000 }), { minLength: 1, maxLength: 20 });

function holds(check: (rings: readonly number[], cycles: readonly Cycle[]) => void): void {
  fc.assert(
    fc.property(storms, durations, (rings, took) =>
      check(
        rings,
        live(rings, (cycle) => took[cycle % took.length] ?? 1),
      ),
    ),
  );
}

/** What a cycle says of its reasons, counted. */
const reasonsOf = ({ wokenBy }: Cycle): number =>
  wokenBy.reduce((sum, each) => sum + Number(/^and (\d+) more$/.exec(each)?.[1] ?? 1), 0);

describe("whatever rings, and however long the cycles take,", () => {
  it("each ring is answered once, by a cycle that began after it", () => {
    holds((rings, cycles) => {
      expect(cycles.reduce((sum, cycle) => sum + reasonsOf(cycle), 0)).toBe(rings.length);
      for (const { wokenBy, startMs } of cycles)
        for (const reason of wokenBy) {
          const rangMs = Number(/at (\d+)$/.exec(reason)?.[1] ?? 0);
          expect(rangMs).toBeLessThanOrEqual(startMs);
        }
    });
  });

  it("no wake-up is without a reason, and no two cycles run at a time", () => {
    holds((_, cycles) => {
      for (const [index, cycle] of cycles.entries()) {
        if (cycle.trigger === "wake") expect(cycle.wokenBy.length).toBeGreaterThan(0);
        expect(cycle.startMs).toBeGreaterThanOrEqual(cycles[index - 1]?.endMs ?? 0);
      }
    });
  });

  it("wake-ups are a burst and then one in five seconds, over any length of time", () => {
    holds((_, cycles) => {
      const wakes = cycles.filter(({ trigger }) => trigger === "wake").map(({ startMs }) => startMs);
      for (const [first, from] of wakes.entries())
        for (const [last, to] of wakes.entries()) {
          const allowed = burst + Math.floor((to - from) / refillMs) + 1;
          if (last >= first) expect(last - first + 1).toBeLessThanOrEqual(allowed);
        }
    });
  });

  it("the schedule keeps its slots, late by no more than the cycle that runs", () => {
    holds((_, cycles) => {
      const schedule = cycles.filter(({ trigger }) => trigger === "schedule");
      expect(schedule.length).toBeGreaterThanOrEqual(10);
      for (const [slot, { startMs }] of schedule.entries()) {
        const running = cycles.find((each) => each.startMs < slot * intervalMs && each.endMs === startMs);
        expect(startMs).toBe(running === undefined ? slot * intervalMs : running.endMs);
      }
    });
  });

  it("a ring while nothing runs and little rang before is answered within a tenth of a second", () => {
    holds((rings, cycles) => {
      for (const rangMs of rings) {
        const answer = cycles.find(({ startMs }) => startMs >= rangMs);
        const isBusy = cycles.some((each) => each.startMs < rangMs + coalesceMs && each.endMs > rangMs);
        const lately = cycles.filter(
          ({ trigger, startMs }) =>
            trigger === "wake" && startMs < rangMs && startMs >= rangMs - burst * refillMs,
        );
        if (isBusy || lately.length > burst - 2) continue;
        expect((answer?.startMs ?? Number.POSITIVE_INFINITY) - rangMs).toBeLessThanOrEqual(coalesceMs);
      }
    });
  });
});

describe("progress, for the watchdog", () => {
  const minutes = 60_000;
  it.each([
    ["between two cycles, before the next is due", { begunMs: null, nextMs: 5 * minutes }, 4 * minutes, true],
    [
      "between two cycles, and the next is overdue",
      { begunMs: null, nextMs: 5 * minutes },
      6.1 * minutes,
      false,
    ],
    ["in a cycle that restarts some services", { begunMs: 0, nextMs: 5 * minutes }, 20 * minutes, true],
    ["in a cycle that hangs", { begunMs: 0, nextMs: 5 * minutes }, 26 * minutes, false],
  ])("%s", (_, progress, nowMs, moving) => {
    expect(isMoving(progress, nowMs)).toBe(moving);
  });
});
