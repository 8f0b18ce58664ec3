import { rmSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createExecutor } from "../../src/execute/executor.ts";
import { clearPause, writePause } from "../../src/execute/pause.ts";
import type { Policy } from "../../src/execute/policy.ts";
import { type Effect, type ModelMachine, modelMachine, orphanPids, ownPid, socket } from "./model-machine.ts";
import { policy as defaults, proposal, temporaryFolder } from "./support.ts";

const policy: Policy = {
  ...defaults,
  killable: ["node"],
  tmuxSockets: [socket],
  budgets: { kills: 3, restarts: 4, cleanings: 1 },
};

type Raw = (machine: ModelMachine) => unknown;
const source = fc.constantFrom("rule:a", "llm:m", "operator", "self");
const digit = fc.integer({ min: 0, max: 9 });

const restartOf: fc.Arbitrary<Raw> = fc
  .record({
    unit: fc.constantFrom("web", "web.service", "api", "db", "sshd", "sshd.service", "nothing"),
    source,
    digit,
  })
  .map(
    ({ unit, ...more }) =>
      () =>
        wellFormed("restart_service", { target: unit }, more),
  );
const killOf: fc.Arbitrary<Raw> = fc
  .record({
    pid: fc.constantFrom(1, 2, 48, 49, ownPid, 60, 61, 62, 63, 64, 65, ...orphanPids),
    // Mostly what was observed a moment ago; sometimes what was true once, or never.
    off: fc.constantFrom(0, 0, 0, 1, -7),
    source,
    digit,
  })
  .map(
    ({ pid, off, ...more }) =>
      (machine) =>
        wellFormed(
          "kill_pid",
          { target: pid, expect: { startTime: Math.max(0, machine.startTimeOf(pid) + off) } },
          more,
        ),
  );
const sessionOf: fc.Arbitrary<Raw> = fc
  .record({ name: fc.constantFrom("one", "two", "three", "t", "-a"), source, digit })
  .map(
    ({ name, ...more }) =>
      () =>
        wellFormed("kill_tmux", { target: name, expect: { socket } }, more),
  );
const otherOf: fc.Arbitrary<Raw> = fc
  .record({ type: fc.constantFrom("clean_disk", "alert", "log", "reboot"), source, digit })
  .map(
    ({ type, ...more }) =>
      () =>
        wellFormed(type, type === "clean_disk" ? {} : { message: "m" }, more),
  );
/** Something that looks like a proposal, with one field made into anything at all. */
const spoiled: fc.Arbitrary<Raw> = fc
  .tuple(
    fc.oneof(restartOf, killOf, sessionOf, otherOf),
    fc.constantFrom("type", "target", "source", "problem", "severity", "expect", "message", "extra"),
    fc.jsonValue({ maxDepth: 2 }),
  )
  .map(([raw, key, value]) => (machine) => ({ ...(raw(machine) as object), [key]: value }));
const rawOf: fc.Arbitrary<Raw> = fc.oneof(
  { weight: 4, arbitrary: restartOf },
  { weight: 5, arbitrary: killOf },
  { weight: 2, arbitrary: sessionOf },
  { weight: 2, arbitrary: otherOf },
  { weight: 2, arbitrary: spoiled },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }).map((value) => () => value) },
);

function wellFormed(type: string, its: object, { source, digit }: { source: string; digit: number }): object {
  return proposal(type, { ...its, source, problem: `service:${String(digit).repeat(16)}` });
}

type Happening =
  | { do: "propose"; raws: Raw[]; dryRun: boolean; sameCycle: boolean }
  | { do: "wait" | "setWall"; seconds: number }
  | { do: "reboot" | "restartArgus" | "crash" | "pause" | "resume" | "respawn" | "watch" | "act" }
  | { do: "diskFull"; full: boolean }
  | { do: "breakUnit" | "observe"; healthy: string[] }
  | { do: "takeOver"; pid: number };

const seconds = fc.oneof(
  fc.constantFrom(0, 1, 59, 60, 61, 299, 300, 301, 3599, 3600, 3601),
  fc.integer({ min: 0, max: 9000 }),
);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("propose" as const),
      raws: fc.array(rawOf, { minLength: 1, maxLength: 6 }),
      dryRun: fc.constantFrom(false, false, false, false, true),
      sameCycle: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("setWall" as const),
      seconds: fc.integer({ min: -1e8, max: 1e8 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(
        "reboot",
        "restartArgus",
        "restartArgus",
        "crash",
        "pause",
        "resume",
        "respawn",
        "respawn",
        "watch",
        "act",
      )
      .map((what) => ({ do: what }) as Happening),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("diskFull" as const), full: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("breakUnit" as const, "observe" as const),
      healthy: fc.subarray(["web", "api"]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("takeOver" as const), pid: fc.constantFrom(...orphanPids) }),
  },
);

const isAskedByHand = (raw: unknown): boolean =>
  typeof raw === "object" && raw !== null && "source" in raw && raw.source === "operator";

interface Witnessed {
  readonly effects: readonly Effect[];
  readonly cleanings: readonly number[];
  readonly crimes: readonly string[];
}

/** Lives through what happens, and returns what came of it. */
async function live(happenings: readonly Happening[]): Promise<Witnessed> {
  const machine = modelMachine();
  const { clock, system, effects, crimes } = machine;
  const stateDir = temporaryFolder();
  const its = { ...policy, observationsFile: `${stateDir}/observations.md` };
  const cleanings: number[] = [];
  const signal = new AbortController().signal;
  let executor = createExecutor(system, its, stateDir);
  let paused = false;
  let mode: Policy["mode"] = "act";
  let cycle = 0;
  for (const what of happenings) {
    switch (what.do) {
      case "propose": {
        const before = effects.length;
        if (!what.sameCycle) cycle += 1;
        const proposals = what.raws.map((raw) => raw(machine));
        // The model may ask for anything here that was offered to anybody: the other guards must hold by themselves.
        const candidates = {
          restart_service: ["web", "api", "sshd"],
          kill_pid: machine.pids(),
          kill_tmux: [...machine.sessions],
        };
        const request = { cycle: `c${cycle}`, host: "h", dryRun: what.dryRun, proposals, candidates };
        const { actions } = await executor.execute(JSON.parse(JSON.stringify(request)), signal);
        if (actions.length !== proposals.length) crimes.push("a proposal without a record");
        for (const action of actions) {
          if (
            action.type === "clean_disk" &&
            action.refusal === null &&
            !action.detail.startsWith("not done")
          ) {
            cleanings.push(clock.elapsed());
          }
        }
        if (what.dryRun && effects.length > before) crimes.push("an effect in a dry run");
        if (mode === "watch" && !proposals.some(isAskedByHand) && effects.length > before)
          crimes.push("an effect while Argus only watches");
        if (paused && effects.length > before) crimes.push("an effect in a pause");
        if (machine.diskFull && effects.length > before) crimes.push("an effect without an intent");
        break;
      }
      case "crash":
        machine.hang = true;
        void executor.execute(
          {
            cycle: "crash",
            host: "h",
            dryRun: false,
            proposals: [wellFormed("restart_service", { target: "web" }, { source: "rule:a", digit: 1 })],
          },
          signal,
        );
        for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
        machine.hang = false;
        executor = createExecutor(system, { ...its, mode }, stateDir);
        break;
      case "wait":
        clock.advance(what.seconds);
        break;
      case "setWall":
        clock.setWall(what.seconds);
        break;
      case "reboot":
        clock.reboot();
        executor = createExecutor(system, { ...its, mode }, stateDir);
        break;
      case "restartArgus":
        executor = createExecutor(system, { ...its, mode }, stateDir);
        break;
      case "pause":
        if (machine.diskFull) break;
        writePause(
          system.files,
          stateDir,
          { until: null, reason: "", since: "2026-11-20T22:40:00Z" },
          () => {},
        );
        paused = true;
        break;
      case "resume":
        clearPause(system.files, stateDir, () => {});
        paused = false;
        break;
      case "watch":
      case "act":
        mode = what.do;
        executor.replacePolicy({ ...its, mode });
        break;
      case "respawn":
        for (const pid of orphanPids) machine.spawnOrphan(pid, pid % 2 === 0);
        for (const name of ["one", "two", "three"]) machine.sessions.add(name);
        break;
      case "diskFull":
        machine.diskFull = what.full;
        break;
      case "breakUnit":
        for (const unit of what.healthy) machine.units.set(`${unit}.service`, "failed");
        break;
      case "observe":
        executor.observeHealth(what.healthy, []);
        break;
      case "takeOver":
        machine.takeOver(what.pid);
        break;
    }
  }
  rmSync(stateDir, { recursive: true, force: true });
  return { effects, cleanings, crimes };
}

/** The most that happened within any hour of true time. */
function mostInAnHour(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + 3600).length));
}

/**
 * Attempts are 60, 300 and 3600 s apart, over and over; what is forgotten after an hour of health has an hour between
 * as well. So whatever happened: no gap is below 60, of two in a row one is at least 300, and of three one is 3600.
 */
function tooEarly(times: readonly number[]): string[] {
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  return gaps.flatMap((gap, index) => {
    const two = Math.max(gap, gaps[index + 1] ?? 300);
    const three = Math.max(two, gaps[index + 2] ?? 3600, index + 2 < gaps.length ? 0 : 3600);
    return gap < 60 || two < 300 || three < 3600 ? [`gaps ${gaps.slice(index, index + 3).join(", ")} s`] : [];
  });
}

const seen = { kills: 0, restarts: 0, cleanings: 0 };

async function holds(happenings: readonly Happening[]): Promise<void> {
  const { effects, cleanings, crimes } = await live(happenings);
  const of = (kind: Effect["kind"]) => effects.filter((effect) => effect.kind === kind);
  expect(crimes).toEqual([]);
  expect(mostInAnHour(of("kill").map(({ at }) => at))).toBeLessThanOrEqual(policy.budgets.kills);
  expect(mostInAnHour(of("restart").map(({ at }) => at))).toBeLessThanOrEqual(policy.budgets.restarts);
  expect(mostInAnHour(cleanings)).toBeLessThanOrEqual(policy.budgets.cleanings);
  for (const unit of new Set(of("restart").map(({ target }) => target))) {
    expect(["web.service", "api.service"]).toContain(unit);
    const times = of("restart").filter(({ target }) => target === unit);
    expect(tooEarly(times.map(({ at }) => at))).toEqual([]);
  }
  seen.kills += of("kill").length;
  seen.restarts += of("restart").length;
  seen.cleanings += cleanings.length;
}

it("whatever is proposed and whatever happens in between, the policy holds", async () => {
  await fc.assert(fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 40 }), holds), {
    numRuns: 200,
  });
  // A gate that refuses everything would pass all of the above.
  expect(seen.kills).toBeGreaterThan(60);
  expect(seen.restarts).toBeGreaterThan(60);
  expect(seen.cleanings).toBeGreaterThan(10);
}, 60_000);

it("a service that is down all the time is never restarted too early, whatever the clock does", async () => {
  seen.restarts = 0;
  const down: Happening = { do: "breakUnit", healthy: ["web"] };
  const ask: Happening = {
    do: "propose",
    raws: [() => wellFormed("restart_service", { target: "web" }, { source: "rule:a", digit: 1 })],
    dryRun: false,
    sameCycle: false,
  };
  const between = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("setWall" as const),
        seconds: fc.integer({ min: -1e8, max: 1e8 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom("reboot", "restartArgus", "crash")
        .map((what) => ({ do: what }) as Happening),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("observe" as const), healthy: fc.subarray(["web"]) }),
    },
  );
  const rounds = fc.array(
    between.map((what) => [what, down, ask]),
    { minLength: 8, maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(rounds, (each) => holds(each.flat())),
    { numRuns: 100 },
  );
  expect(seen.restarts).toBeGreaterThan(300);
}, 60_000);
