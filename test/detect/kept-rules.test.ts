/** What somebody changed in the folder of the shipped rules, when the next version comes. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
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
    putsBack: true,
    uid: process.getuid?.() ?? 0,
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

describe("rules that are missing", () => {
  const isPutBack = (count: string) => [
    expect.stringMatching(
      new RegExp(
        `^put back ${count} in /opt/memory\\.json; to switch a rule off, write .* into a file in /local$`,
      ),
    ),
  ];

  it.each([
    ["the folder is gone", () => disk.remove("/opt")],
    ["the folder is empty", () => disk.remove("/opt/memory.json")],
    ["the file holds no rule any more", () => disk.write("/opt/memory.json", { rules: [] })],
  ])("are put back when %s: nobody switched them off", (_, damage) => {
    damage();
    expect(keep()).toEqual(isPutBack("2 rules that are missing"));
    expect(all()).toEqual([]);
    expect(keep({ putsBack: false })).toEqual([]);
  });

  it("are put back when more than three are gone at once", () => {
    const five = ["a", "b", "c", "d"].map((name) => rule(name, 50));
    for (const folder of ["shipped", "rules"])
      disk.write(`/${folder}/memory.json`, { rules: [rule("high", 90), ...five] });
    disk.write("/opt/memory.json", { rules: [rule("high", 90)] });
    expect(keep()).toEqual(isPutBack("4 rules that are missing"));
    expect(all()).toEqual([]);
  });

  it("are not called missing when their file only has another name", () => {
    disk.remove("/opt/memory.json");
    disk.write("/opt/other.json", { rules: [rule("high", 90), rule("low", 10)] });
    expect(keep()).toEqual([]);
  });
});

describe("an entry that only switches a rule off, in a file of its own", () => {
  const off = { name: "high", enabled: false };

  it.each([["a-mine.json"], ["z-mine.json"]])("becomes a local rule: %s", (file) => {
    disk.write(`/opt/${file}`, { rules: [off] });
    expect(keep()).toEqual([
      `keep what was changed in /opt/${file} as local rules in /local/kept-${file}: high (switched off)`,
    ]);
    expect(all()).toEqual([`kept-${file}`]);
  });

  it("switches off the rule that was edited as well", () => {
    disk.write("/opt/memory.json", { rules: [rule("high", 70), rule("low", 10)] });
    disk.write("/opt/mine.json", { rules: [off] });
    expect(keep()).toEqual([expect.stringContaining("high (edited, and switched off)")]);
    expect(kept("kept-memory.json").rules).toEqual([{ ...rule("high", 70), enabled: false }]);
  });
});

describe("what is no file of the folder's own", () => {
  it("is left out and said: no link to a file or a folder is followed, no pipe is read", () => {
    writeFileSync(join(disk.root, "secret"), "hush", { mode: 0o600 });
    mkdirSync(join(disk.root, "sec"));
    writeFileSync(join(disk.root, "sec/key.txt"), "hush");
    symlinkSync(join(disk.root, "secret"), join(disk.root, "opt/shadow.txt"));
    symlinkSync(join(disk.root, "sec"), join(disk.root, "opt/mylink"));
    symlinkSync("/nowhere", join(disk.root, "opt/dangling.json"));
    execFileSync("mkfifo", [join(disk.root, "opt/pipe.json")]);
    const link = "it is a link to .*, and no link is followed; what it leads to stays where it is";
    expect(keep()).toEqual([
      expect.stringMatching(`^leave out /opt/dangling.json: ${link}$`),
      expect.stringMatching(`^leave out /opt/mylink: ${link}$`),
      "leave out /opt/pipe.json: it is neither a file nor a folder",
      expect.stringMatching(`^leave out /opt/shadow.txt: ${link}$`),
    ]);
    expect(all()).toEqual([]);
  });

  it("may be the folder: its rules are not called missing then", () => {
    disk.remove("/opt");
    symlinkSync(join(disk.root, "rules"), join(disk.root, "opt"));
    expect(keep()).toEqual([expect.stringMatching(/^leave out \/opt: it is a link to /)]);
  });

  it("a file that not everybody may read is set aside with its mode, and is not in force", () => {
    disk.write("/opt/mine.json", { rules: [rule("mine", 5)] });
    chmodSync(join(disk.root, "opt/mine.json"), 0o600);
    expect(keep()).toEqual([
      "set aside /opt/mine.json as /local/set-aside/mine.json: not everybody may read it, so the daemon could not either",
    ]);
    expect(statSync(join(disk.root, "into/set-aside/mine.json")).mode & 0o777).toBe(0o600);
  });
});

it("a name that breaks the line is written out", () => {
  disk.write("/opt/good\nname.json", { rules: [rule("mine", 5)] });
  disk.write("/opt/torn\n.txt", "x");
  const said = keep();
  expect(said.join("")).not.toContain("\n");
  expect(said).toHaveLength(2);
  expect(all()).toEqual(["kept-good_nname.json", "set-aside/torn_n.txt"]);
});

/** With the keys in order, as the list of what older versions shipped was made. */
const hashOfHigh70 = createHash("sha256")
  .update(
    '{"conditions":{"fact":"memory","operator":"greaterThan","path":"usedPercent","value":70},"description":"under test","event":{"params":{"condition":"odd","severity":"info","subject":"it","summary":"it is odd"},"type":"process"},"name":"high"}',
  )
  .digest("hex")
  .slice(0, 16);
