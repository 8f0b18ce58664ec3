import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHistory, readSnapshot } from "../../src/record/history.ts";
import { noTrends, observeTrends, slope, type Trends } from "../../src/record/trends.ts";
import { createSystem } from "../../src/system/machine.ts";
import { redactProcess } from "../../src/system/redact/processes.ts";
import type { Disk, Service } from "../../src/types/facts.ts";
import type { Moment } from "../../src/types/moment.ts";
import type { Snapshot } from "../../src/types/snapshot.ts";
import { processFact } from "../escalate/samples.ts";
import { temporaryDir } from "./samples.ts";

const gigabyte = 1e9;

function disk(usedBytes: number, more: Partial<Disk> = {}): Disk {
  const totalBytes = 100 * gigabyte;
  return {
    mount: "/",
    device: "/dev/vda1",
    type: "ext4",
    totalBytes,
    usedBytes,
    availableBytes: totalBytes - usedBytes,
    usedPercent: (usedBytes / totalBytes) * 100,
    inodesUsedPercent: null,
    fullInHours: null,
    ...more,
  };
}

function service(restarts: number, name = "openclaw-gateway"): Service {
  return {
    name,
    installed: true,
    watched: true,
    restartable: true,
    loadState: "loaded",
    activeState: "active",
    subState: "running",
    result: "success",
    mainPid: 10,
    restarts,
    restartsLastHour: null,
    restarts24h: null,
    sinceSeconds: 5,
    stoppedByOperator: null,
    unitFileState: "enabled",
    nature: "continuous",
    status: "up",
    down: false,
    downBecause: null,
    downWhy: "",
    stopKnown: true,
    stoppedBy: null,
    stoppedWith: null,
    stuck: false,
    tasks: null,
    tasksMax: null,
    tasksUsedPercent: null,
    memoryMaxBytes: null,
    wasInstalled: true,
    triggers: [],
    hints: [],
  };
}

const gone: Partial<Service> = {
  installed: false,
  wasInstalled: false,
  activeState: "inactive",
  loadState: "not-found",
  status: "not-installed",
};

const snapshot = (facts: Snapshot["facts"]): Snapshot => ({
  takenAt: "2026-02-19T23:30:00Z",
  collectors: [],
  facts,
});
const moment = (seconds: number, more: Partial<Moment> = {}): Moment => ({
  wallMs: 1.7e12 + seconds * 1000,
  uptimeSeconds: 1000 + seconds,
  bootId: "boot",
  ...more,
});

type Look = readonly [seconds: number, facts: Snapshot["facts"], more?: Partial<Moment>];

/** Looks at these facts at these seconds, and tells what the last look knew. */
function look(looks: readonly Look[]): { trends: Trends; facts: Snapshot["facts"] } {
  let trends = noTrends();
  let facts: Snapshot["facts"] = {};
  for (const [seconds, seen, more] of looks) {
    const observed = observeTrends(trends, snapshot(seen), moment(seconds, more));
    trends = observed.trends;
    facts = observed.snapshot.facts;
  }
  return { trends, facts };
}

const hourly = (usedBytesOf: (hour: number) => number, hours: number, step = 0.25): Look[] =>
  Array.from({ length: hours / step + 1 }, (_, index) => [
    index * step * 3600,
    { disk: [disk(usedBytesOf(index * step))] },
  ]);

describe("disk.fullInHours", () => {
  const hoursOf = (looks: Parameters<typeof look>[0]) => look(looks).facts.disk?.[0]?.fullInHours;

  it("is not known before an hour of history", () => {
    expect(hoursOf([[0, { disk: [disk(1)] }]])).toBeNull();
    expect(
      hoursOf([
        [0, { disk: [disk(1)] }],
        [3599, { disk: [disk(2 * gigabyte)] }],
      ]),
    ).toBeNull();
  });

  it("is what is left at the rate of the last six hours", () => {
    expect(hoursOf(hourly((hour) => 50 * gigabyte + hour * gigabyte, 2))).toBeCloseTo(48, 6);
    // Growth that ended more than six hours ago is past.
    expect(hoursOf(hourly((hour) => 50 * gigabyte + Math.min(hour, 2) * gigabyte, 9))).toBe(8760);
  });

  it("is a year at most: not growing, shrinking, or hardly growing", () => {
    expect(hoursOf(hourly(() => 50 * gigabyte, 3))).toBe(8760);
    expect(hoursOf(hourly((hour) => 50 * gigabyte - hour, 3))).toBe(8760);
    expect(hoursOf(hourly((hour) => 50 * gigabyte + hour, 3))).toBe(8760);
  });

  it("is not bent by a wall clock that is set, and begins anew with another device", () => {
    const looks = hourly((hour) => 50 * gigabyte + hour * gigabyte, 4).map(
      ([seconds, facts], index): Look =>
        index % 3 === 0 ? [seconds, facts, { wallMs: index % 2 === 0 ? 0 : 9e12 }] : [seconds, facts],
    );
    expect(hoursOf(looks)).toBeCloseTo(46, 6);
    expect(hoursOf([...looks, [5 * 3600, { disk: [disk(1, { device: "/dev/vdb1" })] }]])).toBeNull();
  });

  it("is never negative, never more than a year, and smaller the faster the disk grows", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1e11 }), { minLength: 2, maxLength: 30 }),
        fc.integer({ min: 1, max: 7200 }),
        (used, step) => {
          const hours = hoursOf(used.map((bytes, index) => [index * step, { disk: [disk(bytes)] }]));
          if (hours === null || hours === undefined)
            expect((used.length - 1) * step).toBeLessThan(3600 + 7200);
          else expect(hours >= 0 && hours <= 8760).toBe(true);
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 5, noNaN: true }),
        fc.double({ min: 1.1, max: 3, noNaN: true }),
        (rate, factor) => {
          const at = (bytesPerHour: number) =>
            hoursOf(hourly((hour) => 10 * gigabyte + hour * bytesPerHour * gigabyte, 3)) ?? 0;
          expect(at(rate * factor)).toBeLessThan(at(rate));
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("slope", () => {
  it("finds the line that samples lie on, however large the numbers", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: 0, max: 1e13 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 1e5 }), { minLength: 2, maxLength: 300 }),
        (rate, start, times) => {
          expect(slope(times.map((at) => [at, start + rate * at]))).toBeCloseTo(rate, 3);
        },
      ),
    );
  });
});

describe("service.restartsLastHour and restarts24h", () => {
  const countsOf = (looks: readonly (readonly [number, number])[]) => {
    const seen = look(
      looks.map(([seconds, restarts]) => [seconds, { service: [service(restarts)] }] as const),
    ).facts.service?.[0];
    return [seen?.restartsLastHour, seen?.restarts24h];
  };

  it("are not known at the first look", () => {
    expect(countsOf([[0, 7]])).toEqual([null, null]);
  });

  it("count the rise of NRestarts within their windows", () => {
    expect(
      countsOf([
        [0, 7],
        [300, 9],
      ]),
    ).toEqual([2, 2]);
    const rising = Array.from({ length: 25 }, (_, hour) => [hour * 3600, hour * 2] as const);
    expect(countsOf(rising)).toEqual([2, 48]);
    expect(countsOf([...rising, [24 * 3600 + 3700, 48]])).toEqual([0, 46]);
  });

  it("count from 0 when the unit was started anew", () => {
    expect(
      countsOf([
        [0, 7],
        [300, 9],
        [600, 1],
      ]),
    ).toEqual([3, 3]);
  });

  it("lose nothing when cycles come every second", () => {
    expect(countsOf(Array.from({ length: 3000 }, (_, second) => [second, second] as const))).toEqual([
      2999, 2999,
    ]);
  });

  it("are the sum of all rises, in any order of rises and resets", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ restarts: fc.nat(20), step: fc.integer({ min: 1, max: 60 }) }), {
          minLength: 2,
          maxLength: 50,
        }),
        (seen) => {
          let at = 0;
          let expected = 0;
          const looks = seen.map(({ restarts, step }, index) => {
            at += step;
            const before = seen[index - 1]?.restarts;
            if (before !== undefined) expected += restarts >= before ? restarts - before : restarts;
            return [at, restarts] as const;
          });
          expect(countsOf(looks)).toEqual([expected, expected]);
        },
      ),
    );
  });
});

describe("trends", () => {
  it("stay small: some 300 samples of a day, whatever the interval", () => {
    const { trends } = look(
      Array.from(
        { length: 10_000 },
        (_, index) => [index * 30, { disk: [disk(index)], service: [service(index)] }] as const,
      ),
    );
    expect(trends.disks["/"]?.usedBytes.length).toBeLessThanOrEqual(303);
    expect(trends.services["openclaw-gateway"]?.total.length).toBeLessThanOrEqual(303);
    const still = look(
      Array.from({ length: 10_000 }, (_, index) => [index * 30, { service: [service(3)] }] as const),
    );
    expect(still.trends.services["openclaw-gateway"]?.total.length).toBeLessThanOrEqual(4);
  });

  it("keep what was not looked at for a day, and then forget it", () => {
    const gone = (seconds: number) =>
      Object.keys(
        look([
          [0, { disk: [disk(1)] }],
          [seconds, {}],
          [seconds + 1, { disk: [] }],
        ]).trends.disks,
      );
    expect(gone(3600)).toEqual(["/"]);
    expect(gone(25 * 3600)).toEqual([]);
  });
});

describe("the history folder", () => {
  const system = createSystem();
  let stateDir: string;
  beforeEach(() => {
    stateDir = temporaryDir();
  });
  afterEach(() => rmSync(stateDir, { recursive: true, force: true }));
  const path = () => join(stateDir, "history", "snapshot.json");
  const seen = snapshot({ disk: [disk(5)], service: [service(3)] });

  it("gives back the newest snapshot, and trends that survive a restart", () => {
    const first = createHistory(system, stateDir, () => undefined);
    first.save(first.observe(seen));
    expect(readSnapshot(system.files, stateDir)).toEqual({ ok: true, snapshot: seen });
    const second = createHistory(system, stateDir, () => undefined);
    expect(second.observe(snapshot({ service: [service(5)] })).facts.service?.[0]?.restartsLastHour).toBe(2);
  });

  it("says why there is no snapshot", () => {
    expect(readSnapshot(system.files, stateDir)).toEqual({
      ok: false,
      why: `there is no snapshot yet (${path()}); run argus run --once`,
    });
    createHistory(system, stateDir, () => undefined).save(seen);
    writeFileSync(path(), readFileSync(path(), "utf8").replace('"takenAt"', '"takenOn"'));
    expect(readSnapshot(system.files, stateDir)).toMatchObject({
      ok: false,
      why: expect.stringContaining("has the shape of another version (takenAt:"),
    });
    writeFileSync(path(), "{");
    expect(readSnapshot(system.files, stateDir)).toEqual({
      ok: false,
      why: `${path()} is not valid JSON; the next cycle writes it anew`,
    });
  });
});

describe("the snapshot on disk", () => {
  const dirs: string[] = [];
  afterEach(() => {
    for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
  });

  /** A command line as the collector reads it: the list of its arguments is one object for the life of the process. */
  const processes = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const args = ["worker", `--password=two words ${index}`, "--port", String(8000 + index)];
      return processFact({ pid: 100 + index, commandLine: args.join(" "), arguments: args });
    });

  it("holds no command line's secrets, and is read as before", () => {
    const dir = temporaryDir();
    dirs.push(dir);
    const { files } = createSystem();
    const history = createHistory(createSystem(), dir, () => undefined);
    const process = processes(3);
    history.save({ takenAt: "", collectors: [], facts: { process } });
    const text = readFileSync(join(dir, "history/snapshot.json"), "utf8");
    expect(text).not.toContain("two words");
    const read = readSnapshot(files, dir);
    expect(read.ok && read.snapshot.facts.process?.map((one) => [one.commandLine, one.arguments])).toEqual(
      process.map(({ pid }) => [
        `worker --password=[redacted] --port ${7900 + pid}`,
        ["worker", "--password=[redacted]", "--port", String(7900 + pid)],
      ]),
    );
    // What the cycle judges stays raw, in memory.
    expect(process[0]?.commandLine).toContain("two words");
  });

  it("is redacted once in the life of a process, though each cycle makes the fact anew", () => {
    const [process] = processes(1);
    if (process === undefined) throw new Error("no process was made");
    // Equal texts made anew are two strings to nobody but this: the very list is looked up, not what it holds.
    const again = { ...process };
    process.arguments.push("--token=one-that-came-later-1234567890abcdef");
    const first = redactProcess({ ...process, commandLine: process.arguments.join(" ") });
    process.arguments.push("--token=one-that-was-not-read-1234567890abcdef");
    expect(redactProcess(again).arguments).toEqual(first.arguments);
  });

  it("has no secret in what node was given for itself, nor in the words about it", () => {
    const [process] = processes(1);
    if (process === undefined) throw new Error("no process was made");
    const given = {
      ...process,
      runtimeOptions: ["--title=x", "--password=two words"],
      abandonedBecause: "its parent (password=hunter2hunter2) has ended",
      agent: { pid: 1, startTime: 1, name: "claude --password=hunter2hunter2" },
    };
    const text = JSON.stringify(redactProcess(given));
    expect(text).toContain("--title=x");
    expect(text).not.toMatch(/two words|hunter2/);
  });
});

describe("a watched service that is not installed", () => {
  const look = (trends: Trends, services: Service[]) =>
    observeTrends(trends, snapshot({ service: services }), moment(0));
  const only = ({ snapshot: { facts } }: ReturnType<typeof look>) => facts.service?.[0];

  it("is down when it was here once, and no problem when it never was", () => {
    const never = look(noTrends(), [{ ...service(0), ...gone }]);
    expect(only(never)).toMatchObject({ down: false, status: "not-installed", wasInstalled: false });
    const here = look(noTrends(), [service(0)]);
    const since = look(here.trends, [{ ...service(0), ...gone }]);
    expect(only(since)).toMatchObject({
      down: true,
      status: "down",
      downBecause: "removed",
      wasInstalled: true,
    });
    // It stays a problem until argus.json no longer names it.
    expect(only(look(since.trends, [{ ...service(0), ...gone }]))?.down).toBe(true);
    const out = look(since.trends, []);
    expect(only(look(out.trends, [{ ...service(0), ...gone }]))?.down).toBe(false);
  });
});
