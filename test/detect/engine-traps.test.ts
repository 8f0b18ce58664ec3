/** What json-rules-engine does that nobody expects of a watchdog: each must be impossible here. */
import { describe, expect, it } from "vitest";
import { look, type RuleParts, rulesFrom, verdictOf } from "./support.ts";

const leaf = (fact: string, path: string, operator: string, value: unknown) => ({
  fact,
  path,
  operator,
  value,
});
const memory = (operator: string, value: unknown, path = "usedPercent") =>
  leaf("memory", path, operator, value);
const process = (path: string, operator: string, value: unknown) => leaf("process", path, operator, value);
const eachProcess = (conditions: unknown): RuleParts => ({ forEach: "process", conditions });

describe("data that is missing", () => {
  const negations: [string, RuleParts][] = [
    ["notEqual", eachProcess({ all: [process("executable", "notEqual", "sshd")] })],
    ["notIn", eachProcess({ all: [process("executable", "notIn", ["sshd", "init"])] })],
    ["not:equal", eachProcess({ all: [process("executable", "not:equal", "sshd")] })],
    ["not: as a condition", eachProcess({ not: process("executable", "equal", "sshd") })],
    ["not:matches", eachProcess({ all: [process("executable", "not:matches", "^ssh")] })],
    ["doesNotContain", eachProcess({ all: [process("arguments", "doesNotContain", "--test")] })],
    ["everyFact:", eachProcess({ all: [process("arguments", "everyFact:notEqual", "--test")] })],
    [
      "a comparison with it",
      eachProcess({ all: [process("name", "notEqual", { fact: "process", path: "unit" })] }),
    ],
  ];

  it.each(negations)(
    "%s does not fire on a field that is null, nor on one that is not there",
    async (_, rule) => {
      const rules = rulesFrom(rule);
      const blank = { pid: 1, startTime: 1, name: "x" };
      expect(
        await verdictOf(rules, { process: [{ ...blank, executable: null, arguments: null, unit: null }] }),
      ).toBe("blind");
      expect(await verdictOf(rules, { process: [blank] })).toBe("blind");
    },
  );

  it.each(negations)("%s does not fire on a fact that is not there at all", async (_, rule) => {
    expect(await verdictOf(rulesFrom(rule), {})).toBe("blind");
  });

  it("is named, so that a person knows what to look for", async () => {
    const wanted = { fact: "memory", path: "hog.pid" };
    const rules = rulesFrom(
      eachProcess({ all: [process("executable", "equal", "node"), process("pid", "equal", wanted)] }),
    );
    const missing = async (memory: unknown) => {
      const { verdicts } = await look(rules, {
        ...(memory === undefined ? {} : { memory }),
        process: [{ pid: 1, startTime: 1, executable: null }],
      });
      return verdicts[0]?.missing;
    };
    expect(await missing({ hog: null })).toEqual(["process.executable", "memory.hog.pid"]);
    expect(await missing(undefined)).toEqual(["memory"]);
  });

  it("does not matter where the answer stands without it", async () => {
    const either = rulesFrom({
      conditions: { any: [memory("greaterThan", 90), leaf("swap", "usedPercent", "greaterThan", 90)] },
    });
    expect(await verdictOf(either, { memory: { usedPercent: 95 } })).toBe("fired");
    const both = rulesFrom(
      eachProcess({ all: [process("executable", "equal", "node"), process("pid", "equal", 1)] }),
    );
    expect(await verdictOf(both, { process: [{ pid: 2, startTime: 1, executable: null }] })).toBe("quiet");
  });

  it("leaves a rule blind even when another of its conditions fails: silence is not health", async () => {
    const rules = rulesFrom({
      conditions: { all: [memory("greaterThan", 90), leaf("swap", "usedPercent", "greaterThan", 90)] },
    });
    expect(await verdictOf(rules, { memory: { usedPercent: 5 } })).toBe("blind");
    // Here the filter before the engine cannot tell.
    const negated = rulesFrom({
      conditions: {
        all: [{ not: memory("greaterThan", 1) }, leaf("swap", "usedPercent", "greaterThan", 90)],
      },
    });
    expect(await verdictOf(negated, { memory: { usedPercent: 5 } })).toBe("blind");
  });

  it("does not reject the engine's run, not even when nobody names the fact", async () => {
    const [judged] = rulesFrom({ conditions: memory("notEqual", 1) }).rules;
    expect(await judged?.judge({})).toMatchObject({ holds: null, evidence: [{ saw: null, result: null }] });
  });

  it("costs only the rule that needs it, not the run", async () => {
    const rules = rulesFrom(
      { name: "a", priority: 9, conditions: { all: [leaf("swap", "usedPercent", "greaterThan", 1)] } },
      { name: "b", conditions: { all: [memory("greaterThan", 1)] } },
    );
    const { verdicts } = await look(rules, { memory: { usedPercent: 50 } });
    expect(verdicts.map(({ rule, verdict }) => `${rule} ${verdict}`)).toEqual(["a blind", "b fired"]);
  });
});

describe("lists", () => {
  it("in with a field that is null neither throws nor fires", async () => {
    const rules = rulesFrom(
      eachProcess({ any: [process("executable", "in", ["node"]), process("pid", "equal", 7)] }),
    );
    expect(await verdictOf(rules, { process: [{ pid: 1, startTime: 1, executable: null }] })).toBe("blind");
    expect(await verdictOf(rules, { process: [{ pid: 7, startTime: 1, executable: null }] })).toBe("fired");
  });

  it("decorators on a list that is null neither throw nor fire", async () => {
    const rules = rulesFrom(
      eachProcess({
        all: [process("executable", "someValue:equal", { fact: "process", path: "arguments" })],
      }),
    );
    const { verdicts, notes } = await look(rules, {
      process: [{ pid: 1, startTime: 1, executable: "node", arguments: null }],
    });
    expect([verdicts[0]?.verdict, notes]).toEqual(["blind", []]);
    expect(
      await verdictOf(rules, {
        process: [{ pid: 1, startTime: 1, executable: "node", arguments: ["node"] }],
      }),
    ).toBe("fired");
  });
});

describe("conditions", () => {
  it("are all judged: there is no short-circuit that would leave evidence out", async () => {
    const rules = rulesFrom({
      conditions: {
        any: [
          memory("greaterThan", 1),
          { all: [memory("lessThan", 1), { not: leaf("load", "one", "greaterThan", 5) }] },
        ],
      },
    });
    const { findings } = await look(rules, { memory: { usedPercent: 50 }, load: { one: 3 } });
    expect(findings[0]?.evidence).toEqual([
      { fact: "memory", path: "usedPercent", operator: "greaterThan", wanted: 1, saw: 50, result: true },
      { fact: "memory", path: "usedPercent", operator: "lessThan", wanted: 1, saw: 50, result: false },
      { fact: "load", path: "one", operator: "greaterThan", wanted: 5, saw: 3, result: false },
    ]);
  });

  it.each([
    ["priority, with which the engine stops early", { ...memory("equal", 1), priority: 5 }],
    ["params, with which the engine calls functions", { ...memory("equal", 1), params: { a: 1 } }],
    ["a named condition, which the engine looks up at run time", { condition: "elsewhere" }],
  ])("may not have %s", (_, condition) => {
    expect(() => rulesFrom({ conditions: { all: [condition] } })).toThrow(/unknown key/);
  });

  it.each(["all", "any"])("an empty %s, which would always hold, is refused", (kind) => {
    expect(() => rulesFrom({ conditions: { [kind]: [] } })).toThrow(
      `conditions.${kind}: must have at least 1 entry`,
    );
  });

  it("a mistyped operator and an unknown fact are errors when the rule is loaded", () => {
    expect(() => rulesFrom({ conditions: memory("greatherThan", 1) })).toThrow(
      /unknown operator "greatherThan"/,
    );
    expect(() => rulesFrom({ conditions: leaf("memry", "usedPercent", "equal", 1) })).toThrow(
      /unknown fact "memry"/,
    );
  });

  it("may be one comparison at the top", async () => {
    expect(
      await verdictOf(rulesFrom({ conditions: memory("greaterThan", 90) }), { memory: { usedPercent: 91 } }),
    ).toBe("fired");
  });
});

describe("a path", () => {
  it("is never an expression: a JSONPath with a call in it does not load", () => {
    const call = "$[?(@.usedPercent = 0)]";
    expect(() => rulesFrom({ conditions: memory("equal", 1, call) })).toThrow(`memory has no "${call}"`);
  });

  it("that got past the check would read nothing and change nothing", async () => {
    const rules = rulesFrom({ conditions: memory("greaterThan", 1) });
    const [judged] = rules.rules;
    if (judged === undefined) throw new Error("no rule");
    const { createJudge } = await import("../../src/detect/judge.ts");
    const facts = { memory: { usedPercent: 50, list: [1, 2] } };
    for (const path of [
      "$.list.[?(@parent.push(3))]",
      "$..*",
      "constructor.name",
      "__proto__",
      "list.length.toString",
    ]) {
      const judge = createJudge({
        ...judged.compiled,
        rule: { ...judged.compiled.rule, conditions: memory("notEqual", 1, path) } as never,
      });
      const { holds, evidence } = await judge(facts);
      expect([path, holds, evidence[0]?.saw]).toEqual([path, null, null]);
    }
    expect(facts).toEqual({ memory: { usedPercent: 50, list: [1, 2] } });
  });
});

describe("results", () => {
  it("come by priority, then by name, whatever stands first; 0 stays 0", async () => {
    const always = memory("greaterThan", 0);
    const rules = rulesFrom(
      { name: "zero", priority: 0, conditions: always },
      { name: "b-default", conditions: always },
      { name: "a-default", conditions: always },
      { name: "two", priority: 2, conditions: always },
      { name: "one", priority: 1, conditions: always },
    );
    const { findings } = await look(rules, { memory: { usedPercent: 5 } });
    expect(findings.map(({ rule, priority }) => `${rule} ${priority}`)).toEqual([
      "two 2",
      "a-default 1",
      "b-default 1",
      "one 1",
      "zero 0",
    ]);
  });

  it("do not change when the facts are changed afterwards", async () => {
    const rules = rulesFrom({
      ...eachProcess({
        all: [process("arguments", "contains", "--test"), process("executable", "in", ["node"])],
      }),
      params: { summary: "{{process.arguments}}" },
    });
    const live = { pid: 1, startTime: 1, executable: "node", arguments: ["node", "--test"] };
    const { findings } = await look(rules, { process: [live] });
    const before = JSON.stringify(findings);
    live.arguments.push("--hijacked");
    live.executable = "bash";
    expect(JSON.stringify(findings)).toBe(before);
    expect(before).not.toContain("hijacked");
  });
});

describe("overlapping looks at one rule set", () => {
  it("lose nothing, however they are interleaved", async () => {
    const rules = rulesFrom(
      { name: "a", priority: 9, conditions: memory("greaterThan", 10) },
      { name: "b", priority: 5, conditions: memory("greaterThan", 20) },
      { name: "c", priority: 1, conditions: memory("greaterThan", 30) },
    );
    const later = async (turns: number, usedPercent: number) => {
      for (let turn = 0; turn < turns; turn += 1) await undefined;
      const { verdicts, notes } = await look(rules, { memory: { usedPercent } });
      return [...verdicts.map(({ verdict }) => verdict), ...notes].join(" ");
    };
    // The engine loses a result only when one run ends in the very turn in which another begins.
    for (let turns = 0; turns < 60; turns += 1) {
      const [high, low] = await Promise.all([later(0, 99), later(turns, 15)]);
      expect([turns, high, low]).toEqual([turns, "fired fired fired", "fired quiet quiet"]);
    }
  });
});

describe("a rule that throws", () => {
  const trap = {
    pid: 2,
    startTime: 1,
    get executable(): string {
      throw new RangeError("cannot be read");
    },
  };

  it("costs the look at that entity only: blind with the reason, its stack in a note, the others as ever", async () => {
    const rules = rulesFrom(
      {
        name: "a",
        priority: 9,
        ...eachProcess({ all: [process("executable", "equal", "node")] }),
        for: { cycles: 1 },
      },
      { name: "b", conditions: memory("greaterThan", 1) },
    );
    const facts = {
      memory: { usedPercent: 50 },
      process: [
        trap,
        { pid: 3, startTime: 1, executable: "node" },
        { ...{ pid: 4 }, startTime: 1, executable: "sh" },
      ],
    };
    const { findings, verdicts, blindEntities, notes } = await look(rules, facts);
    expect(findings.map(({ rule, entity }) => `${rule} ${entity?.identity ?? "host"}`)).toEqual([
      "a 3@1",
      "b host",
    ]);
    expect(verdicts[0]).toMatchObject({
      verdict: "fired",
      fired: 1,
      blind: 1,
      judged: 3,
      fault: "could not be judged, because Argus has a fault: cannot be read",
    });
    expect([...(blindEntities.get("a") ?? [])]).toEqual(["2@1"]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(
      /^rule a could not be judged, because Argus has a fault: cannot be read\nRangeError: cannot be read\n +at /,
    );
  });

  it("is said once, however many entities bring it out, and keeps their streaks", async () => {
    const rules = rulesFrom({
      ...eachProcess({ all: [process("executable", "equal", "node")] }),
      for: { cycles: 2 },
    });
    const sound = { pid: 2, startTime: 1, executable: "node" };
    const first = await look(rules, { process: [sound] });
    const second = await look(rules, { process: [trap, { ...sound, pid: 5 }] }, { streaks: first.streaks });
    const twice = await look(
      rules,
      { process: [trap, Object.create(trap, { pid: { value: 9 } })] },
      { streaks: second.streaks },
    );
    expect(twice.notes).toHaveLength(1);
    expect(twice.verdicts[0]).toMatchObject({ verdict: "blind", blind: 2 });
    const third = await look(rules, { process: [sound] }, { streaks: second.streaks });
    expect(third.findings.map(({ held }) => held?.cycles)).toEqual([2]);
  });
});
