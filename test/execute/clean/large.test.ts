import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Machine, makeMachine } from "./machine.ts";

const units = 20;
const perUnit = 5_000;

/** 100,000 files in /tmp; every fourth unit has a young file among its five thousand. */
function grow(machine: Machine): { young: string[] } {
  const young: string[] = [];
  for (let unit = 0; unit < units; unit += 1) {
    for (let folder = 0; folder < 5; folder += 1) {
      const path = `/tmp/unit-${unit}/${folder}`;
      mkdirSync(machine.at(path), { recursive: true });
      for (let file = 0; file < perUnit / 5; file += 1) writeFileSync(join(machine.at(path), `f${file}`), "");
    }
    if (unit % 4 === 0) {
      young.push(`/tmp/unit-${unit}`);
      machine.makeYoung(`/tmp/unit-${unit}/4/f999`);
    }
  }
  return { young };
}

test("a tree of 100,000 entries, in a daemon that goes on working", { timeout: 120_000 }, async () => {
  const machine = makeMachine();
  const { young } = grow(machine);
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 5);
  const report = await machine.clean();
  clearInterval(timer);
  expect(report).toMatchObject({ units: 15, entries: 15 * (perUnit + 6), interrupted: false, errors: [] });
  expect(report.kept.young).toBe(young.length);
  expect(young.filter((path) => !machine.exists(`${path}/0/f0`))).toEqual([]);
  // It rests every ten milliseconds; a walk in one go would have left no room for a single tick.
  expect(ticks).toBeGreaterThan(10);
});

describe("stopped in the middle", () => {
  test("it ends between two entries, and the report says what went", async () => {
    const machine = makeMachine();
    for (let file = 0; file < 900; file += 1) machine.file(`/tmp/unit-${file % 3}/f${file}`);
    const stop = new AbortController();
    const { clock } = machine.system;
    let passedMs = 0;
    const monotonicMs = () => {
      const gone = [0, 1, 2].filter((unit) => !machine.exists(`/tmp/unit-${unit}`));
      if (gone.length === 2) stop.abort();
      passedMs += 20; // more than a slice of work: it rests before every entry
      return passedMs;
    };
    Object.assign(machine.system, { clock: { ...clock, monotonicMs } });
    const report = await machine.clean({ signal: stop.signal });
    const left = [0, 1, 2].filter((unit) => machine.exists(`/tmp/unit-${unit}`));
    expect(left).toHaveLength(1);
    expect(report).toMatchObject({ interrupted: true, units: 2, entries: 602, errors: [] });
    expect(report.after).toHaveLength(report.before.length);
    expect(await machine.clean()).toMatchObject({ interrupted: false, units: 1, entries: 301 });
  });

  test("what went of a half removed unit is counted", async () => {
    const machine = makeMachine();
    for (let file = 0; file < 500; file += 1) machine.file(`/tmp/unit/f${file}`);
    const stop = new AbortController();
    const { clock, files } = machine.system;
    let passedMs = 0;
    const monotonicMs = () => {
      if (files.list("/tmp/unit").length === 200) stop.abort();
      passedMs += 20;
      return passedMs;
    };
    Object.assign(machine.system, { clock: { ...clock, monotonicMs } });
    const report = await machine.clean({ signal: stop.signal });
    const left = files.list("/tmp/unit").length;
    expect(left).toBeGreaterThan(100);
    expect(report).toMatchObject({ interrupted: true, units: 1, entries: 500 - left });
  });

  test("a signal that came before does not let it begin", async () => {
    const machine = makeMachine();
    machine.file("/tmp/old");
    // The clock stands still, so that there is never time for a rest, where it would notice.
    Object.assign(machine.system, { clock: { ...machine.system.clock, monotonicMs: () => 0 } });
    const report = await machine.clean({ signal: AbortSignal.abort() });
    expect(machine.exists("/tmp/old")).toBe(true);
    expect(report).toMatchObject({ interrupted: true, units: 0 });
  });
});
