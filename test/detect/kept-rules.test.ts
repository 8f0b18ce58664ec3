/** What somebody changed in the folder of the shipped rules, when the next version comes. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepRules } from "../../src/detect/kept-rules.ts";
import { loadRules } from "../../src/detect/load.ts";
import { type RulesOnDisk, ruleOf, rulesOnDisk } from "./support.ts";

const over = (limit: number) => ({
  fact: "memory",
  path: "usedPercent",
  operator: "greaterThan",
  value: limit,
});
const rule = (name: string, limit: number) => ruleOf({ name, conditions: over(limit) });
const test = (name: string, about: string, percent: number) => ({
  name,
  rule: about,
  given: { snapshot: { memory: { usedPercent: percent } } },
  expect: { verdict: "fired" },
});

let disk: RulesOnDisk;
beforeEach(() => {
  disk = rulesOnDisk();
  for (const folder of ["shipped", "opt", "rules"]) {
    disk.write(`/${folder}/memory.json`, { rules: [rule("high", 90), rule("low", 10)] });
    disk.write(`/${folder}/tests/memory.json`, { tests: [test("at 95", "high", 95)] });
  }
  mkdirSync(join(disk.root, "local"));
  mkdirSync(join(disk.root, "into"));
});
afterEach(() => disk.remove());

const keep = (more: Partial<Parameters<typeof keepRules>[0]> = {}) =>
  keepRules({
    files: disk.files,
    installed: "/opt",
    shipped: "/shipped",
    before: new Set(),
    next: "/rules",
    local: "/local",
    into: "/into",
    inForce: true,
    ...more,
  });
const kept = (path: string) => JSON.parse(readFileSync(join(disk.root, "into", path), "utf8"));
const all = () =>
  readdirSync(join(disk.root, "into"), { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name).slice(`${disk.root}/into/`.length))
    .sort();

describe("what was changed among the shipped rules", () => {
  it("is nothing where nothing was, also where the new version has other rules", () => {
    disk.write("/rules/memory.json", { rules: [rule("high", 80), rule("new", 1)] });
    expect(keep()).toEqual([]);
    expect(all()).toEqual([]);
  });

  it("becomes local rules: edited, added and taken out ones, and no others", () => {
    disk.write("/opt/memory.json", { rules: [rule("high", 70)] });
    disk.write("/opt/mine.json", { rules: [rule("mine", 5)] });
    expect(keep()).toEqual([
      "keep what was changed in /opt/memory.json as local rules in /local/kept-memory.json: high (edited), low (taken out, so switched off)",
      "keep what was changed in /opt/mine.json as local rules in /local/kept-mine.json: mine (added)",
    ]);
    expect(kept("kept-memory.json")).toEqual({ rules: [rule("high", 70), { name: "low", enabled: false }] });
    const loaded = loadRules(disk.files, { rulesDir: "/rules", localRulesDir: "/into" });
    if (!loaded.ok) throw new Error("they do not load");
    expect(loaded.set.disabled).toEqual(["low"]);
    expect(loaded.set.rules.map(({ compiled }) => [compiled.rule.name, compiled.file])).toEqual([
      ["high", "/into/kept-memory.json"],
      ["mine", "/into/kept-mine.json"],
    ]);
  });

  it("says when the new version changed the same rule, and is nothing when it has the same edit", () => {
    disk.write("/opt/memory.json", { rules: [rule("high", 70), rule("low", 20)] });
    disk.write("/rules/memory.json", { rules: [rule("high", 85), rule("low", 20)] });
    expect(keep()).toEqual([
      "keep what was changed in /opt/memory.json as local rules in /local/kept-memory.json: high (edited; the new version changed it as well: compare the two)",
    ]);
  });

  it("keeps added and edited tests of rules that there are", () => {
    disk.write("/opt/tests/memory.json", { tests: [test("at 95", "high", 99), test("old", "gone", 1)] });
    expect(keep()).toEqual([
      "keep the rule tests that were changed in /opt/tests/memory.json in /local/tests/kept-memory.json: 1",
      'set aside in /local/set-aside/memory.json what was changed in /opt/tests/memory.json and cannot be in force: test "old": there is no rule "gone" any more',
    ]);
    expect(kept("tests/kept-memory.json").tests).toEqual([test("at 95", "high", 99)]);
  });

  it("sets aside what the new version refuses, what another local rule overrides, and what is no rule file", () => {
    disk.write("/opt/memory.json", {
      rules: [{ ...rule("high", 70), colour: "red" }, rule("low", 20)],
    });
    disk.write("/opt/broken.json", "{ nothing");
    disk.write("/opt/notes.txt", "remember the milk");
    disk.write("/local/mine.json", { rules: [rule("low", 15)] });
    const [aside = "", ...others] = keep();
    expect(aside).toMatch(
      /^set aside in \/local\/set-aside\/memory\.json what was changed in \/opt\/memory\.json and cannot be in force: rule high: .*colour.*; rule low: the local rule of that name in \/local\/mine\.json is in force$/,
    );
    expect(others).toEqual([
      expect.stringMatching(
        /^set aside \/opt\/broken\.json as \/local\/set-aside\/broken\.json: \/opt\/broken\.json:1: /,
      ),
      "set aside /opt/notes.txt as /local/set-aside/notes.txt: it is no rule file",
    ]);
    expect(all()).toEqual(["set-aside/broken.json", "set-aside/memory.json", "set-aside/notes.txt"]);
    expect(readFileSync(join(disk.root, "into/set-aside/broken.json"), "utf8")).toBe("{ nothing");
  });

  it("writes over nothing that stands there", () => {
    disk.write("/opt/memory.json", { rules: [rule("high", 70), rule("low", 10)] });
    disk.write("/local/kept-memory.json", { rules: [rule("other", 1)] });
    expect(keep()[0]).toContain("local rules in /local/kept-memory-2.json: high (edited)");
    expect(all()).toEqual(["kept-memory-2.json"]);
  });

  it("sets all aside where ARGUS_RULES_DIR names another folder: it was not in force", () => {
    disk.write("/opt/memory.json", { rules: [rule("high", 70)] });
    expect(keep({ inForce: false })).toHaveLength(1);
    expect(all()).toEqual(["set-aside/memory.json"]);
  });

  it("knows by their hashes what a version without a copy shipped", () => {
    disk.remove("/opt/tests");
    disk.write("/opt/memory.json", { rules: [rule("high", 70), rule("low", 10)] });
    expect(keep({ shipped: null, before: new Set([hashOfHigh70]) })).toEqual([]);
    writeFileSync(join(disk.root, "opt/mine.json"), JSON.stringify({ rules: [rule("mine", 1)] }));
    expect(keep({ shipped: null, before: new Set([hashOfHigh70]) })).toEqual([
      "keep what was changed in /opt/mine.json as local rules in /local/kept-mine.json: mine (added)",
    ]);
  });
});

/** With the keys in order, as the list of what older versions shipped was made. */
const hashOfHigh70 = createHash("sha256")
  .update(
    '{"conditions":{"fact":"memory","operator":"greaterThan","path":"usedPercent","value":70},"description":"under test","event":{"params":{"condition":"odd","severity":"info","subject":"it","summary":"it is odd"},"type":"process"},"name":"high"}',
  )
  .digest("hex")
  .slice(0, 16);
