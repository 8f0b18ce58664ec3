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

  it("never loses a ring, never wakes more often than its limit, never lets the schedule wait", () => {
    const rings = fc.array(fc.integer({ min: 0, max: 600_000 }), { maxLength: 300 });
    const cycleMs = fc.integer({ min: 1, max: 3_000 });
    fc.assert(
      fc.property(rings, cycleMs, (times, tookMs) => {
        const bell = bellOf();
        const queue = [...times].sort((a, b) => a - b);
        const intervalMs = 300_000;
        let slotMs = 0;
        let nowMs = 0;
        const wakes: number[] = [];
        const schedule: number[] = [];
        let answeredAt = -1;
        let lastRingMs = -1;
        const ringUntil = (ms: number) => {
          while (queue[0] !== undefined && queue[0] <= ms) {
            lastRingMs = queue.shift() ?? 0;
            bell.ring(`ring at ${lastRingMs}`, lastRingMs);
          }
        };
        while (nowMs < 1_000_000) {
          ringUntil(nowMs);
          const turn = takeTurn(bell, slotMs, nowMs);
          if (turn.trigger === null) {
            // The daemon sleeps until then, or until the next ring.
            nowMs = Math.max(nowMs, Math.min(turn.dueMs, queue[0] ?? turn.dueMs));
            continue;
          }
          answeredAt = nowMs;
          (turn.trigger === "wake" ? wakes : schedule).push(nowMs);
          if (turn.trigger === "schedule") slotMs += intervalMs;
          nowMs += tookMs;
        }
        // Nothing rings for the last 400 s: all of it was answered, and by a cycle that began after it.
        if (times.length > 0) expect(answeredAt).toBeGreaterThanOrEqual(lastRingMs);
        expect(bell.dueMs(nowMs)).toBeNull();
        for (const [index, at] of wakes.entries()) {
          const tenLater = wakes[index + burst];
          if (tenLater !== undefined) expect(tenLater - at).toBeGreaterThanOrEqual(refillMs - tookMs);
          const within = wakes.filter((each) => each >= at && each < at + 60_000).length;
          expect(within).toBeLessThanOrEqual(burst + 60_000 / refillMs);
        }
        for (const [index, at] of schedule.entries()) {
          expect(at - index * intervalMs).toBeLessThanOrEqual(tookMs + coalesceMs);
        }
      }),
    );
  });

  it("wakes within a tenth of a second when it seldom rings", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 250_000 }), (at) => {
        const bell = bellOf();
        bell.ring("SIGUSR1", at);
        expect(bell.dueMs(at)).toBe(at + coalesceMs);
      }),
    );
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
