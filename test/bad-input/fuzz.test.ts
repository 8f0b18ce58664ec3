/** Whatever stands in a file: no crash, and sentences of one line. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadRules } from "../../src/detect/load.ts";
import { faultText } from "../../src/system/json-source.ts";
import { readSettings } from "../../src/system/settings-file.ts";
import { emptyMachine, type Machine } from "./cases.ts";

const root = join(import.meta.dirname, "../..");
let machine: Machine;
beforeAll(() => {
  machine = emptyMachine();
  machine.write("/rules/base.json", JSON.stringify({ rules: [{ name: "disk-full", enabled: false }] }));
});
afterAll(() => machine.remove());

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every place in a value, and the value with something else put there. */
function placesIn(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== "object") return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, each]) =>
      placesIn(each, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}
function withAt(value: Json, [step, ...rest]: (string | number)[], put: Json, name: string | null): Json {
  if (step === undefined) return put;
  const copy = structuredClone(value) as { [key: string]: Json };
  const below = withAt((value as { [key: string]: Json })[step] ?? null, rest, put, name);
  if (rest.length > 0 || name === null || Array.isArray(copy)) copy[step] = below;
  else {
    delete copy[step];
    Object.defineProperty(copy, name, { value: below, enumerable: true });
  }
  return copy;
}

const odd: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    0,
    -1,
    1.5,
    "",
    " ",
    "{{",
    "{{process.pid}}",
    "{{a|b|c}}",
    "$.x",
    "__proto__",
    "constructor",
    "(",
    "(a+)+",
    [],
    {},
    [[]],
    [null],
    { fact: "process" },
    { all: [] },
    { not: {} },
    1e308,
    "\u001b[2J\n",
    "x".repeat(5000),
  ),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
);
const names = fc.constantFrom(
  null,
  null,
  null,
  "",
  "__proto__",
  "constructor",
  "toString",
  "all",
  "priority",
  "x y",
);

/** What a slip of the program would look like. A word that stands in the file itself may be quoted from there. */
const slips = /zod|invalid input|undefined|\[object|\bNaN\b|Infinity/gi;

function check(texts: readonly string[], file: string): void {
  for (const text of texts) {
    expect(text).toMatch(/^\/[a-z]+\/x\.json:\d+: \S/);
    expect(text).not.toMatch(/[\0-\x1f\x7f]/);
    expect([...text.matchAll(slips)].map(([word]) => word).filter((word) => !file.includes(word))).toEqual(
      [],
    );
    expect(text.length).toBeLessThan(1200);
  }
}

const samples = (folder: string): Json[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(root, folder, name), "utf8")));

describe("a rule file in which anything stands in place of anything", () => {
  it("loads, or says what is wrong", () => {
    let said = 0;
    const rules = samples("rules").flatMap((file) =>
      (file as { rules: Json[] }).rules.map((rule) => ({ rules: [rule] }) as Json),
    );
    const mutated = fc
      .constantFrom(...rules)
      .chain((file) => fc.tuple(fc.constant(file), fc.constantFrom(...placesIn(file)), odd, names));
    fc.assert(
      fc.property(mutated, ([file, place, put, name]) => {
        const written = JSON.stringify(withAt(file, place, put, name));
        machine.write("/local/x.json", written);
        const result = loadRules(machine.files, { rulesDir: "/rules", localRulesDir: "/local" });
        if (result.ok) return;
        said += 1;
        check(result.faults.map(faultText), written);
      }),
      { numRuns: 1500 },
    );
    expect(said).toBeGreaterThan(500);
  });

  it.each(["\u001b[2J\n", "x".repeat(5000)])("is not disturbed by a name of its own", (name) => {
    machine.write("/local/x.json", JSON.stringify({ rules: [{ name, enabled: 1 }] }));
    const result = loadRules(machine.files, { rulesDir: "/rules", localRulesDir: "/local" });
    if (result.ok) throw new Error("it loads");
    check(result.faults.map(faultText), name);
  });
});

describe("a settings file in which anything stands in place of anything", () => {
  it("loads, or says what is wrong", () => {
    let said = 0;
    const file = JSON.parse(
      /```json\n([\s\S]*?)```/.exec(readFileSync(join(root, "docs/settings.md"), "utf8"))?.[1] ?? "{}",
    ) as Json;
    fc.assert(
      fc.property(fc.constantFrom(...placesIn(file)), odd, names, (place, put, name) => {
        const written = JSON.stringify(withAt(file, place, put, name));
        machine.write("/etc/x.json", written);
        const result = readSettings(machine.files, "/etc/x.json");
        if ("settings" in result) return;
        said += 1;
        check(result.faults.map(faultText), written);
      }),
      { numRuns: 1500 },
    );
    expect(said).toBeGreaterThan(500);
  });
});
