/** What is due before the next scheduled cycle, and that it makes the daemon look again by itself. */
import { describe, expect, it } from "vitest";
import { createBell } from "../src/bell.ts";
import { runCycle } from "../src/cycle.ts";
import { takeTurn } from "../src/daemon.ts";
import { createTimers } from "../src/timers.ts";
import type { Service } from "../src/types/facts.ts";
import { serviceFact } from "./escalate/samples.ts";
import { folder, world } from "./support/world.ts";

const quiet = { tickets: { enabled: false } };
const web = (more: Partial<Service> = {}) => ({ service: [serviceFact({ restartable: false, ...more })] });
const up = { activeState: "active", status: "up", down: false, downBecause: null };

describe("timers", () => {
  it("keep the first that is still to come, with its reason", () => {
    let nowMs = 1000;
    const timers = createTimers({ monotonicMs: () => nowMs });
    expect(timers.next()).toBeNull();
    timers.plan([
      { inSeconds: 9, why: "later" },
      { inSeconds: 2, why: "first" },
      { inSeconds: -1, why: "over" },
      { inSeconds: Number.NaN, why: "never" },
    ]);
    expect(timers.next()).toEqual({ atMs: 3020, why: "first" });
    nowMs = 3020;
    timers.plan([{ inSeconds: 0, why: "now" }]);
    expect(timers.next()).toBeNull();
    // A cycle that took two seconds may have missed what became due meanwhile, and has seen what was due before.
    timers.plan([{ inSeconds: -1, why: "meanwhile" }], 2);
    expect(timers.next()).toEqual({ atMs: 3040, why: "meanwhile" });
    timers.plan([{ inSeconds: -3, why: "before" }], 2);
    expect(timers.next()).toBeNull();
  });

  it("are answered by the cycle that they begin, also when it fails: nothing spins", () => {
    const timers = createTimers({ monotonicMs: () => 0 });
    timers.plan([{ inSeconds: 1, why: "due" }]);
    timers.clear();
    expect(timers.next()).toBeNull();
  });

  it("begin a cycle that is not rationed as wake-ups from outside are", () => {
    const bell = createBell(() => undefined);
    const due = { atMs: 500, why: "the backoff of web is over" };
    expect(takeTurn(bell, 60_000, 499, due)).toEqual({ trigger: null, dueMs: 500 });
    for (let times = 0; times < 50; times += 1)
      expect(takeTurn(bell, 60_000, 500, due)).toEqual({ trigger: "wake", wokenBy: [due.why] });
    expect(takeTurn(bell, 60_000, 60_000, due).trigger).toBe("schedule");
  });
});

it("what ended is looked at again after the settle time, and resolved then", async () => {
  const its = world({ settings: quiet, env: { ARGUS_INTERVAL: "300" } });
  await its.look(web(), 30);
  expect((await its.look(web(up), 1)).problems.resolved).toEqual([]);
  expect(its.parts().timers.next()?.why).toBe("a problem was gone for the settle time");
  await its.look(web(up), 5);
  expect(its.messages().map(({ text }) => text.split("\n")[0])).toEqual([
    expect.stringMatching(/^landmass: CRITICAL web /),
    expect.stringMatching(
      /^landmass: RESOLVED web \(was: failed, exit-code\), down 30 s, ended without Argus\.$/,
    ),
  ]);
});

it("conditions that must hold for minutes are looked at when the minutes are over, whoever saw them first", async () => {
  const rule = {
    name: "lasting",
    description: "Holds for a minute",
    conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
    for: { minutes: 1 },
    event: {
      type: "check",
      params: { condition: "lasting", severity: "warning", subject: "cores", summary: "there are cores" },
    },
  };
  const its = world({ settings: quiet, rules: [rule] });
  const collect = { collect: async () => ({ takenAt: "", collectors: [], facts: { host: host() } }) };
  const host = () => ({ name: "landmass", bootId: "b", uptimeSeconds: 5000, cores: 4 }) as never;
  const wake = async () =>
    await runCycle({ ...its.parts(), collector: collect }, "wake", new AbortController().signal);
  expect((await wake()).findings).toEqual([]);
  expect(its.parts().timers.next()?.why).toBe("conditions have held for as long as their rule wants");
  its.clock.advance(60.02);
  expect((await wake()).findings).toHaveLength(1);
});

describe("an observation that is noted for the third time", () => {
  const filling = {
    disk: [
      {
        mount: "/",
        device: "/dev/vda1",
        type: "ext4",
        totalBytes: 1e10,
        usedBytes: 8.5e9,
        availableBytes: 1.5e9,
        usedPercent: 85,
        inodesUsedPercent: 1,
        cleanableRoots: ["/tmp"],
        fullInHours: null,
      },
    ],
  };
  it("is alerted where there is no tracker, once in the window", async () => {
    const its = world({ dir: folder() });
    for (let cycle = 0; cycle < 2; cycle += 1) await its.look(filling, 30);
    expect(() => its.messages()).toThrow(/ENOENT/);
    for (let cycle = 0; cycle < 3; cycle += 1) await its.look(filling, 30);
    expect(its.messages().map(({ severity, text }) => [severity, text.split("\n")[0]])).toEqual([
      ["info", "landmass: INFO / is 85 % full (1.50 GB left)"],
    ]);
  });
});
