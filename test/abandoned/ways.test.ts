/** In how many ways a test run is started, and which of them Argus ends: real processes, three cycles each. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCollector } from "../../src/collect/collect.ts";
import { detect } from "../../src/detect/detect.ts";
import { loadRules } from "../../src/detect/load.ts";
import { remediesOf } from "../../src/detect/proposals.ts";
import type { Streaks } from "../../src/detect/streaks.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { ActionRecord } from "../../src/types/action.ts";
import type { Process, Self } from "../../src/types/facts.ts";
import { configWith } from "../collect/tree.ts";
import { bench } from "../execute/support.ts";
import { learnedWays, unlearnedWays } from "./learned-ways.ts";
import { liveWays } from "./live-ways.ts";
import { lostWays } from "./lost-ways.ts";
import { createStage, isAlive, missing, type Run } from "./stage.ts";
import type { Way } from "./way.ts";

const live = [...liveWays, ...learnedWays];
const nobodys = [...lostWays, ...unlearnedWays];
const stage = createStage();
const runs = new Map<Way, Run>();
const seen = new Map<number, Process>();
const records: ActionRecord[] = [];
const notStarted = new Map<Way, string>();
const isRoot = process.getuid?.() === 0;
const isPossible = (way: Way) => !missing(way);

async function threeCycles(): Promise<void> {
  const system = createSystem();
  const loaded = loadRules(system.files, { rulesDir: "rules", localRulesDir: "/nowhere" });
  if (!loaded.ok) throw new Error("the rules do not load");
  const collector = createCollector(system, configWith({ processes: { killable: ["node", "worker"] } }));
  const executor = bench({
    policy: { killable: ["node", "worker"], budgets: { kills: 500, restarts: 1, cleanings: 1 } },
  });
  const ours = new Set([...runs.values()].map(({ pid }) => pid));
  let streaks: Streaks = new Map();
  for (let cycle = 1; cycle <= 3; cycle += 1) {
    const { facts } = await collector.collect({} as Self, new Set(["processes"]));
    for (const process of facts.process ?? []) if (ours.has(process.pid)) seen.set(process.pid, process);
    const output = await detect({
      rules: loaded.set,
      // What else runs on this machine is not the test's.
      facts: { process: (facts.process ?? []).filter(({ pid }) => ours.has(pid)) },
      streaks,
      problemOf: () => ({ count24h: 0 }) as never,
      now: system.clock.now(),
      scheduled: true,
      maxGapSeconds: 900,
    });
    streaks = output.streaks;
    const proposals = output.findings.flatMap(remediesOf);
    if (cycle < 3) expect(proposals, `in cycle ${cycle}`).toEqual([]);
    records.push(...(await executor.run(proposals)));
  }
}

const why = (way: Way): string => {
  const run = runs.get(way);
  const record = records.find(({ target }) => target === run?.pid);
  return JSON.stringify({ seen: seen.get(run?.pid ?? 0), record }, null, 1);
};

beforeAll(async () => {
  const possible = [...live, ...nobodys].filter(isPossible);
  for (let from = 0; from < possible.length; from += 12) {
    const some = possible.slice(from, from + 12);
    await Promise.all(
      some.map((way) =>
        stage.start(way).then(
          (run) => runs.set(way, run),
          (error) => notStarted.set(way, String(error)),
        ),
      ),
    );
  }
  await threeCycles();
}, 180_000);
afterAll(() => stage.clear());

describe("left alone, since somebody waits for it, can learn its result, or it is no test run", () => {
  it.each(live.map((way) => [way.name, way] as const))("%s", (_, way) => {
    const run = runs.get(way);
    if (run === undefined) return expect([missing(way), notStarted.get(way)]).toEqual([true, undefined]);
    expect(isAlive(run), why(way)).toBe(true);
  });
});

describe("killed in the third scheduled cycle", () => {
  it.each(nobodys.map((way) => [way.name, way] as const))("%s", (_, way) => {
    const run = runs.get(way);
    if (run === undefined) return expect([missing(way), notStarted.get(way)]).toEqual([true, undefined]);
    // Without root nobody can tell who reads a pipe, and unknown is live.
    if (!isRoot && seen.get(run.pid)?.abandoned !== true) return expect(isAlive(run), why(way)).toBe(true);
    expect(isAlive(run), why(way)).toBe(false);
    expect(records.find(({ target }) => target === run.pid)).toMatchObject({
      result: "success",
      verified: true,
    });
  });
});
