import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { faultText } from "../../src/system/json-source.ts";
import { look, type RuleParts, type RulesOnDisk, ruleOf, rulesOnDisk } from "./support.ts";

const over = (limit: number) => ({
  fact: "memory",
  path: "usedPercent",
  operator: "greaterThan",
  value: limit,
});
const file = (...rules: (RuleParts | { name: string; enabled: false })[]) => ({
  rules: rules.map((each) => ("enabled" in each ? each : ruleOf(each))),
});
const high = (limit: number, more: Partial<RuleParts> = {}): RuleParts => ({
  name: "memory-high",
  conditions: over(limit),
  ...more,
});

let disk: RulesOnDisk;
beforeEach(() => {
  disk = rulesOnDisk();
});
afterEach(() => disk.remove());

function loaded() {
  const result = disk.load();
  if (!result.ok) throw new Error(result.faults.map(faultText).join("\n"));
  return result.set;
}
const names = () => loaded().rules.map(({ compiled }) => compiled.rule.name);

describe("local rules", () => {
  it("replace the shipped rule of the same name, and no other", async () => {
    disk.write("/rules/a.json", file(high(90), { name: "other", conditions: over(1) }));
    disk.write("/local/mine.json", file(high(50)));
    const { findings } = await look(loaded(), { memory: { usedPercent: 60 } });
    expect(findings.map(({ rule, file: from }) => `${rule} ${from}`).sort()).toEqual([
      "memory-high /local/mine.json",
      "other /rules/a.json",
    ]);
  });

  it("replace a shipped rule that would not load", () => {
    disk.write("/rules/a.json", file({ name: "memory-high", conditions: { ...over(1), fact: "memry" } }));
    expect(() => loaded()).toThrow(/unknown fact/);
    disk.write("/local/mine.json", file(high(50)));
    expect(names()).toEqual(["memory-high"]);
  });

  it("switch a shipped rule off", () => {
    disk.write("/rules/a.json", file(high(90), { name: "other", conditions: over(1) }));
    disk.write("/local/mine.json", file({ name: "memory-high", enabled: false }));
    expect([names(), loaded().disabled]).toEqual([["other"], ["memory-high"]]);
  });

  it("add to the shipped ones, out of several files", () => {
    disk.write("/rules/a.json", file(high(90)));
    disk.write("/local/a.json", file({ name: "mine", conditions: over(1) }));
    disk.write("/local/b.json", file({ name: "ours", conditions: over(2) }));
    expect(names()).toEqual(["memory-high", "mine", "ours"]);
    expect(loaded().files).toEqual(["/rules/a.json", "/local/a.json", "/local/b.json"]);
  });

  it("may be linked from elsewhere, file or folder", () => {
    disk.write("/rules/a.json", file(high(90)));
    disk.write("/srv/checkout/mine.json", file({ name: "mine", conditions: over(1) }));
    symlinkSync("srv/checkout", join(disk.root, "local"));
    expect(names()).toEqual(["memory-high", "mine"]);
    disk.remove("/local");
    mkdirSync(join(disk.root, "local"));
    symlinkSync("../srv/checkout/mine.json", join(disk.root, "local/linked.json"));
    expect(names()).toEqual(["memory-high", "mine"]);
  });

  it("need not be there", () => {
    disk.write("/rules/a.json", file(high(90)));
    expect(names()).toEqual(["memory-high"]);
  });
});

describe("a rule that is switched off", () => {
  it("is still checked: it must not break the moment somebody switches it on", () => {
    const off = { ...ruleOf(high(90)), enabled: false };
    disk.write("/rules/a.json", { rules: [off] });
    expect([names(), loaded().disabled]).toEqual([[], ["memory-high"]]);
    disk.write("/rules/a.json", { rules: [{ ...off, conditions: { ...over(1), operator: "above" } }] });
    expect(() => loaded()).toThrow(/unknown operator "above"/);
  });
});

it("reads *.json alone: no hidden files, no backups of an editor, no folders such as tests/", () => {
  disk.write("/rules/a.json", file(high(90)));
  disk.write("/rules/tests/a.json", "not a rule file");
  for (const name of [".a.json", "a.json~", "a.json.bak", ".a.json.swp", "notes.txt", "#a.json#"])
    disk.write(`/rules/${name}`, "{");
  expect(names()).toEqual(["memory-high"]);
});

it("says everything that is wrong at once, in all files", () => {
  disk.write("/rules/a.json", "{");
  disk.write("/rules/b.json", file(high(90, { conditions: { ...over(1), operator: "above" } })));
  disk.write("/local/c.json", file({ name: "mine", conditions: { ...over(1), fact: "memry" } }));
  const result = disk.load();
  expect(result.ok ? [] : result.faults.map(({ file: from }) => from)).toEqual([
    "/rules/a.json",
    "/rules/b.json",
    "/local/c.json",
  ]);
});

it("knows the line of each rule", () => {
  const text = JSON.stringify(file(high(90), { name: "other", conditions: over(1) }), null, 2);
  disk.write("/rules/a.json", text);
  const line = (name: string) => text.split("\n").findIndex((each) => each.includes(`"name": "${name}"`));
  expect(loaded().rules.map(({ compiled }) => [compiled.rule.name, compiled.line])).toEqual([
    ["memory-high", line("memory-high")],
    ["other", line("other")],
  ]);
});
