/** The cheap filter before the engine: with it and without it, everything comes out the same. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DetectOutput } from "../../src/detect/detect.ts";
import type { RuleSet } from "../../src/detect/load.ts";
import { decorators, operators } from "../../src/detect/operators.ts";
import { readStreaks, writeStreaks } from "../../src/detect/streaks.ts";
import { at, look, type RuleParts, rulesFrom } from "./support.ts";

/** Few values, so that equal ones meet; `null` and `undefined` are fields that were not observed. */
const numbers = fc.constantFrom(0, 1, 2, 50, 90.5);
const texts = fc.constantFrom("", "node", "node --test", "a.service");
const lists = fc.array(texts, { maxLength: 3 });
const maybe = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: value, weight: 5 }, { arbitrary: fc.constantFrom(null, undefined), weight: 1 });

const processes = fc.record({
  pid: fc.integer({ min: 1, max: 4 }),
  startTime: fc.constant(1),
  rssBytes: maybe(numbers),
  cpuPercent: maybe(numbers),
  executable: maybe(texts),
  commandLine: maybe(texts),
  arguments: maybe(lists),
  orphan: maybe(fc.boolean()),
});
const facts = fc.record(
  {
    process: fc.uniqueArray(processes, { maxLength: 4, selector: ({ pid }) => pid }),
    memory: fc.record({
      usedPercent: maybe(numbers),
      limitedByCgroup: maybe(fc.boolean()),
      hog: maybe(fc.record({ name: maybe(texts), pid: maybe(numbers) })),
    }),
  },
  { requiredKeys: [] },
);

const fields = [
  { fact: "process", path: "rssBytes", type: "number" },
  { fact: "process", path: "cpuPercent", type: "number" },
  { fact: "process", path: "executable", type: "text" },
  { fact: "process", path: "commandLine", type: "text" },
  { fact: "process", path: "arguments", type: "list" },
  { fact: "process", path: "orphan", type: "flag" },
  { fact: "memory", path: "usedPercent", type: "number" },
  { fact: "memory", path: "limitedByCgroup", type: "flag" },
  { fact: "memory", path: "hog.name", type: "text" },
  { fact: "memory", path: "hog.pid", type: "number" },
  { fact: "problem", path: "occurrences24h", type: "number" },
] as const;
type Type = (typeof fields)[number]["type"];

const constants: Record<Exclude<Type, "list">, fc.Arbitrary<unknown>> = {
  number: numbers,
  text: texts,
  flag: fc.boolean(),
};
const references = (type: Type) =>
  fc.constantFrom(...fields.filter((field) => field.type === type)).map(({ fact, path }) => ({ fact, path }));
const names = fc.constantFrom(...(Object.keys(operators) as (keyof typeof operators)[]));
const prefixes = fc.array(fc.constantFrom(...(Object.keys(decorators) as (keyof typeof decorators)[])), {
  maxLength: 3,
});

/** Comparisons that the load-time check takes, of every operator behind every prefix. */
const leaf = fc
  .tuple(fc.constantFrom(...fields), names, prefixes)
  .filter(([field, name, prefixed]) => {
    const factPrefixes = prefixed.filter((each) => each.endsWith("Fact")).length;
    const left =
      factPrefixes === 0 ? field.type : field.type === "list" && factPrefixes === 1 ? "text" : null;
    const takesEach = prefixed.filter((each) => each.endsWith("Value")).length;
    const { left: fitting, right } = operators[name];
    return (
      left !== null &&
      (fitting as readonly string[]).includes(left) &&
      takesEach <= (right === "list of same" ? 0 : 1)
    );
  })
  .chain(([field, name, prefixed]) => {
    const left = prefixed.some((each) => each.endsWith("Fact")) ? "text" : field.type;
    const { right } = operators[name];
    const type: Exclude<Type, "list"> =
      right === "number" ? "number" : right === "element" || left === "list" ? "text" : left;
    const one: fc.Arbitrary<unknown> =
      right === "pattern" ? fc.constantFrom("^node", "--test$", "e.*e") : constants[type];
    const many = fc.array(one, { minLength: 0, maxLength: 3 });
    const each = prefixed.some((prefix) => prefix.endsWith("Value"));
    const constant = right === "list of same" || each ? many : one;
    const value =
      right === "pattern" || right === "list of same" || each
        ? constant
        : fc.oneof({ arbitrary: constant, weight: 4 }, { arbitrary: references(type), weight: 1 });
    return value.map((wanted) => ({
      fact: field.fact,
      path: field.path,
      operator: [...prefixed, name].join(":"),
      value: wanted,
    }));
  });

const { condition } = fc.letrec<{
  condition: unknown;
  leaf: unknown;
  all: unknown;
  any: unknown;
  not: unknown;
}>((tie) => ({
  leaf,
  all: fc.record({ all: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }) }),
  any: fc.record({ any: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }) }),
  not: fc.record({ not: tie("condition") }),
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie("leaf"),
    tie("all"),
    tie("any"),
    tie("not"),
  ),
}));

const rule: fc.Arbitrary<RuleParts> = fc.record(
  {
    conditions: condition,
    forEach: fc.constant("process"),
    for: fc.constantFrom({ cycles: 1 }, { cycles: 2 }, { minutes: 5 }),
    params: fc.constant({
      summary: "{{process.pid}} {{memory.usedPercent}}",
      subject: "{{process.executable}}",
    }),
  },
  { requiredKeys: ["conditions", "forEach", "params"] },
);

function withoutFilter(set: RuleSet): RuleSet {
  return {
    ...set,
    rules: set.rules.map((judged) => ({
      ...judged,
      compiled: { ...judged.compiled, surelyQuiet: () => false },
    })),
  };
}

function plain({ findings, verdicts, blindEntities, waitingKeys, streaks, notes }: DetectOutput): unknown {
  const blind = [...blindEntities].map(([name, identities]) => [name, [...identities].sort()]);
  return {
    findings,
    verdicts,
    blind,
    waiting: [...(waitingKeys ?? [])],
    streaks: writeStreaks(streaks),
    notes,
  };
}

const problemOf = () => ({ occurrences24h: 2, openSeconds: 0 });

describe("the filter", () => {
  it("changes no verdict, finding, streak or name of what is missing, over several cycles", async () => {
    let skipped = 0;
    let fired = 0;
    let blind = 0;
    await fc.assert(
      fc.asyncProperty(
        rule,
        fc.array(fc.tuple(facts, fc.boolean()), { minLength: 1, maxLength: 3 }),
        async (parts, cycles) => {
          const rules = rulesFrom(parts);
          const bare = withoutFilter(rules);
          let streaks = readStreaks({ version: 1, streaks: {} });
          for (const [index, [given, scheduled]] of cycles.entries()) {
            const more = { streaks, scheduled, now: at(index * 300), problemOf };
            const filtered = await look(rules, given, more);
            const whole = await look(bare, given, more);
            expect(plain(filtered)).toEqual(plain(whole));
            expect(whole.notes).toEqual([]);
            streaks = filtered.streaks;
            fired += whole.findings.length;
            blind += whole.blindEntities.size;
            for (const process of given.process ?? []) {
              if (rules.rules[0]?.compiled.surelyQuiet({ ...given, process }) === true) skipped += 1;
            }
          }
        },
      ),
      { numRuns: 600 },
    );
    // Nothing would be shown if rules were never skipped, or never anything else.
    expect(Math.min(skipped, fired, blind)).toBeGreaterThan(50);
  });

  it("spares the engine what is plainly quiet, also behind prefixes", () => {
    const surely = (conditions: unknown, process: unknown) =>
      rulesFrom({ forEach: "process", conditions }).rules[0]?.compiled.surelyQuiet({ process });
    const name = (operator: string, value: unknown) => ({
      fact: "process",
      path: "executable",
      operator,
      value,
    });
    const test = { fact: "process", path: "arguments", operator: "someFact:equal", value: "--test" };
    expect(surely({ all: [name("equal", "node"), test] }, { executable: "sh", arguments: [] })).toBe(true);
    expect(surely({ all: [test] }, { arguments: ["node"] })).toBe(true);
    expect(surely({ any: [name("equal", "node"), test] }, { executable: "sh", arguments: ["node"] })).toBe(
      true,
    );
    expect(surely({ any: [name("equal", "node"), test] }, { executable: "sh", arguments: null })).toBe(false);
    expect(surely({ all: [name("not:equal", "sh")] }, { executable: "sh" })).toBe(true);
    expect(surely({ all: [name("equal", "node")] }, { executable: null })).toBe(false);
  });
});
