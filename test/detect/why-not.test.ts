import { describe, expect, it } from "vitest";
import { lookAgain } from "../../src/detect/why-not.ts";
import { at, factsOf, look, type RuleParts, rulesFrom } from "./support.ts";

const process = (path: string, operator: string, value: unknown) => ({
  fact: "process",
  path,
  operator,
  value,
});
const orphans: RuleParts = {
  forEach: "process",
  conditions: { all: [process("orphan", "equal", true), process("rssBytes", "greaterThan", 100)] },
  for: { cycles: 2 },
};
const input = (facts: Parameters<typeof factsOf>[0], more = {}) => ({
  facts: factsOf(facts),
  streaks: new Map(),
  problemOf: () => ({ occurrences24h: 1, openSeconds: 0 }),
  now: at(0),
  ...more,
});

function onlyRule(parts: RuleParts) {
  const [judged] = rulesFrom(parts).rules;
  if (judged === undefined) throw new Error("no rule");
  return judged;
}

describe("looking again", () => {
  const facts = {
    process: [
      { pid: 1, startTime: 1, orphan: false, rssBytes: 5 },
      { pid: 2, startTime: 1, orphan: true, rssBytes: 500 },
      { pid: 3, startTime: 1, orphan: null, rssBytes: 500 },
    ],
  };

  it("shows every condition of every entity, those that the filter would skip too", async () => {
    const { looks, missing } = await lookAgain(onlyRule(orphans), input(facts));
    expect(missing).toEqual([]);
    expect(
      looks.map(({ identity, holds, evidence }) => [
        identity,
        holds,
        ...evidence.map(({ saw, result }) => [saw, result]),
      ]),
    ).toEqual([
      ["1@1", false, [false, false], [5, false]],
      ["2@1", true, [true, true], [500, true]],
      ["3@1", null, [null, null], [500, true]],
    ]);
  });

  it("says how long it has held, and how long it must", async () => {
    const rules = rulesFrom(orphans);
    const [judged] = rules.rules;
    const first = await look(rules, facts);
    const { looks } = await lookAgain(
      judged ?? onlyRule(orphans),
      input(facts, { streaks: first.streaks, now: at(60) }),
    );
    expect(looks.map(({ held }) => held)).toEqual([
      { cycles: 0, seconds: 0, wanted: "2 cycles", enough: false },
      { cycles: 1, seconds: 60, wanted: "2 cycles", enough: false },
      { cycles: 0, seconds: 0, wanted: "2 cycles", enough: false },
    ]);
  });

  it("says how long it had held at a recorded look, whatever the time is when somebody asks", async () => {
    const rules = rulesFrom(orphans);
    const [judged] = rules.rules;
    const first = await look(rules, facts);
    const held = async (recordedAtMs: number) => {
      const more = { streaks: first.streaks, now: at(7200), recordedAtMs };
      return (await lookAgain(judged ?? onlyRule(orphans), input(facts, more))).looks[1]?.held;
    };
    // A snapshot has whole seconds: of the look that was counted last it seems to be taken a little before.
    expect(await held(at(0).wallMs - 900)).toMatchObject({ cycles: 1, seconds: 0 });
    expect(await held(at(45).wallMs)).toMatchObject({ cycles: 1, seconds: 45 });
  });

  it("has the words that the facts have for what is not so", async () => {
    const rule = onlyRule({
      forEach: "process",
      conditions: { all: [process("abandoned", "equal", true), process("killable", "equal", true)] },
    });
    const words = { notAbandonedBecause: "a client is connected to it", notKillableBecause: "it is root's" };
    const kept = { pid: 1, startTime: 1, abandoned: false, killable: false, ...words };
    const killable = { pid: 2, startTime: 1, abandoned: true, killable: true, notKillableBecause: null };
    const child = { pid: 3, startTime: 1, abandoned: false, killable: true, notAbandonedBecause: null };
    const { looks } = await lookAgain(rule, input({ process: [kept, killable, child] }));
    expect(looks.map(({ reasons }) => reasons)).toEqual([
      { abandoned: "a client is connected to it", killable: "it is root's" },
      {},
      { abandoned: "it, or what waits for it, still has its parent" },
    ]);
  });

  it("looks only at what it is asked about", async () => {
    const { looks } = await lookAgain(onlyRule(orphans), input(facts), new Set(["3@1", "9@9"]));
    expect(looks.map(({ identity }) => identity)).toEqual(["3@1"]);
    const host = onlyRule({
      conditions: { fact: "memory", path: "usedPercent", operator: "greaterThan", value: 1 },
    });
    const memory = { memory: { usedPercent: 5 } };
    expect(
      (await lookAgain(host, input(memory), new Set(["host"]))).looks.map(({ identity }) => identity),
    ).toEqual(["host"]);
  });

  it("agrees with the verdict of a cycle: a rule that lacks a fact is blind, and not quiet", async () => {
    const both = {
      conditions: {
        all: [
          { not: { fact: "memory", path: "usedPercent", operator: "greaterThan", value: 1 } },
          { fact: "swap", path: "usedPercent", operator: "greaterThan", value: 1 },
        ],
      },
    };
    const { looks, missing } = await lookAgain(onlyRule(both), input({ memory: { usedPercent: 5 } }));
    expect([looks.map(({ holds }) => holds), missing]).toEqual([[null], ["swap"]]);
    expect((await look(rulesFrom(both), { memory: { usedPercent: 5 } })).verdicts[0]?.verdict).toBe("blind");
  });

  it("says that it could not judge, instead of failing as a whole", async () => {
    const trap = {
      pid: 2,
      startTime: 1,
      rssBytes: 1,
      get orphan(): boolean {
        throw new Error("cannot be read");
      },
    };
    const { looks } = await lookAgain(
      onlyRule(orphans),
      input({ process: [trap, { pid: 3, startTime: 1, orphan: true, rssBytes: 1 }] }),
    );
    expect(looks.map(({ identity, holds, fault }) => [identity, holds, fault])).toEqual([
      ["2@1", null, "could not be judged, because Argus has a fault: cannot be read"],
      ["3@1", false, undefined],
    ]);
  });
});

describe("a recorded snapshot, which holds no secrets", () => {
  const rule = (operator: string, value: unknown, more: object[] = []) =>
    onlyRule({
      forEach: "process",
      conditions: { all: [process("commandLine", operator, value), ...more] },
    });
  const facts = {
    process: [{ pid: 1, startTime: 1, rssBytes: 500, commandLine: "app --password=[redacted] --port 80" }],
  };
  const recorded = { recordedAtMs: at(0).wallMs };

  it("cannot say whether a condition held on the whole of what was taken out in part", async () => {
    const { looks } = await lookAgain(rule("matches", "hunter2"), input(facts, recorded));
    expect(looks).toMatchObject([{ holds: null, evidence: [{ result: null }] }]);
    const fresh = await lookAgain(rule("matches", "hunter2"), input(facts));
    expect(fresh.looks).toMatchObject([{ holds: false }]);
  });

  it("says what holds, and what another condition decides", async () => {
    const holds = await lookAgain(rule("matches", "--port 80"), input(facts, recorded));
    expect(holds.looks).toMatchObject([{ holds: true }]);
    const small = process("rssBytes", "greaterThan", 9999);
    const other = await lookAgain(rule("matches", "hunter2", [small]), input(facts, recorded));
    expect(other.looks).toMatchObject([{ holds: false, evidence: [{ result: null }, { result: false }] }]);
  });
});
