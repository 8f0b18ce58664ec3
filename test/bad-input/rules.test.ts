import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadRules } from "../../src/detect/load.ts";
import { faultText } from "../../src/system/json-source.ts";
import { asOrdinaryUser } from "../support/ordinary-user.ts";
import { badInputs, emptyMachine, expectedText, type Machine, noteText, strayTexts } from "./cases.ts";

const shipped = join(import.meta.dirname, "../../rules");
const dirs = { rulesDir: "/opt/argus/rules", localRulesDir: "/etc/argus/rules.d" };
let machine: Machine;
beforeAll(() => {
  machine = emptyMachine();
});
beforeEach(() => machine.put(shipped, dirs.rulesDir));
afterEach(() => machine.empty(dirs.localRulesDir));
afterAll(() => machine.remove());

function said(): string {
  const result = loadRules(machine.files, dirs);
  return result.ok ? "(nothing)" : result.faults.map(faultText).join("\n");
}

const cases = badInputs("bad-rules");

describe("a broken rule file is told apart in whole sentences:", () => {
  it.each(cases.map((each) => [each.defect, each] as const))("%s", (_, input) => {
    for (const file of input.files) machine.put(file, join(dirs.localRulesDir, basename(file)));
    const text = said();
    noteText(input, text);
    expect(text).toBe(expectedText(input));
  });

  it("has a text for each, and no text without its file", () => {
    expect(cases.length).toBeGreaterThanOrEqual(30);
    expect(strayTexts("bad-rules")).toEqual([]);
  });

  it("speaks to people: no word of the libraries, a file and a line in front", () => {
    for (const input of cases) {
      for (const line of expectedText(input).split("\n")) {
        expect(line).toMatch(/^\/etc\/argus\/rules\.d\/[a-z0-9-]+\.json:\d+: \S/);
        expect(line).not.toMatch(
          /zod|invalid input|expected|received|undefined|NaN|\[object|Symbol|TypeError/i,
        );
      }
    }
  });
});

const local = (name: string) => `${dirs.localRulesDir}/${name}`;

describe("what cannot be kept as a file beside its text:", () => {
  it("a condition 10,000 levels deep is a sentence, not a stack overflow", () => {
    const leaf = '{ "fact": "disk", "path": "usedPercent", "operator": "greaterThan", "value": 95 }';
    const deep = `{"not":`.repeat(10_000) + leaf + "}".repeat(10_000);
    machine.write(local("x.json"), `{ "rules": [{ "name": "deep", "conditions":\n${deep} }] }`);
    expect(said()).toBe(
      `${local("x.json")}:2: nests objects and lists more than 100 levels deep; make it flatter`,
    );
  });

  it.each([
    ["brackets that a broken comment hides", `/* " */${"[".repeat(10_000)}`],
    ["brackets that do not fit each other", "[},".repeat(10_000)],
    ["brackets in an unclosed text", `"\n${'{"a":'.repeat(10_000)}`],
  ])("%s do not overflow the stack either", (_, text) => {
    machine.write(local("x.json"), text);
    expect(said()).toMatch(
      /^\/etc\/argus\/rules\.d\/x\.json:\d: nests objects and lists more than 100 levels deep; make it flatter$/,
    );
  });

  it("a condition as deep as anybody needs is fine", () => {
    const leaf = { fact: "memory", path: "usedPercent", operator: "greaterThan", value: 95 };
    const deep = Array.from({ length: 40 }).reduce<object>((inner) => ({ not: inner }), leaf);
    const params = { condition: "x", severity: "info", subject: "x", summary: "x" };
    const rule = { name: "deep", description: "d", conditions: deep, event: { type: "memory", params } };
    machine.write(local("x.json"), JSON.stringify({ rules: [rule] }));
    expect(said()).toBe("(nothing)");
  });

  it("a file of 50 MB is not read", () => {
    machine.write(local("x.json"), Buffer.alloc(50_000_000, " "));
    expect(said()).toBe(`${local("x.json")}:1: has 50 MB, but may have at most 1 MB`);
  });

  it("a folder named x.json", () => {
    mkdirSync(join(machine.root, local("x.json")), { recursive: true });
    expect(said()).toBe(`${local("x.json")}:1: is a folder; a file must stand here`);
  });

  it("a pipe named x.json, which would wait for ever", () => {
    mkdirSync(join(machine.root, dirs.localRulesDir), { recursive: true });
    execFileSync("mkfifo", [join(machine.root, local("x.json"))]);
    expect(said()).toBe(`${local("x.json")}:1: is not a regular file`);
  });

  it("a link to nothing, and a link to itself", () => {
    mkdirSync(join(machine.root, dirs.localRulesDir), { recursive: true });
    symlinkSync("gone.json", join(machine.root, local("x.json")));
    symlinkSync("y.json", join(machine.root, local("y.json")));
    expect(said()).toBe(
      `${local("x.json")}:1: does not exist, or is a link to nothing\n${local("y.json")}:1: does not exist, or is a link to nothing`,
    );
  });

  it("a file that this user may not read", () => {
    machine.write(local("x.json"), '{ "rules": [] }');
    chmodSync(join(machine.root, local("x.json")), 0o000);
    const mend = "cannot be read by this user; run Argus as its owner, or let this user read it";
    expect(asOrdinaryUser(machine.root, said)).toBe(`${local("x.json")}:1: ${mend}`);
  });

  it.each([
    ["may not be listed", 0o000],
    ["may be listed, and its files not be looked at", 0o644],
  ])("a folder that %s", (_, mode) => {
    machine.write(local("x.json"), '{ "rules": [] }');
    chmodSync(join(machine.root, dirs.localRulesDir), mode);
    const text = asOrdinaryUser(machine.root, said);
    chmodSync(join(machine.root, dirs.localRulesDir), 0o755);
    const mend = "cannot be read by this user; run Argus as its owner, or let this user read it";
    expect(text).toBe(`${mode === 0 ? dirs.localRulesDir : local("x.json")}:1: ${mend}`);
  });

  it("a file where the folder should be", () => {
    machine.write(dirs.localRulesDir, "");
    expect(said()).toBe(`${dirs.localRulesDir}:1: is not a folder; rule files stand in a folder`);
  });

  it("shipped rules that are not there", () => {
    const text = loadRules(machine.files, { ...dirs, rulesDir: "/opt/argus/rule" });
    expect(text.ok ? [] : text.faults.map(faultText)).toEqual([
      "/opt/argus/rule:1: there is no such folder; ARGUS_RULES_DIR must name the shipped rules",
    ]);
  });

  it("no rules at all, with which Argus would watch nothing", () => {
    mkdirSync(join(machine.root, "/opt/empty"), { recursive: true });
    const text = loadRules(machine.files, { ...dirs, rulesDir: "/opt/empty" });
    expect(text.ok ? [] : text.faults.map(faultText)).toEqual([
      "/opt/empty:1: has no rules; ARGUS_RULES_DIR must name the shipped ones",
    ]);
  });

  it("a broken shipped file does not make the local ones look wrong", () => {
    machine.write(`${dirs.rulesDir}/disks.json`, "{");
    machine.write(local("x.json"), '{ "rules": [{ "name": "disk-full", "enabled": false }] }');
    expect(said()).toBe(`${dirs.rulesDir}/disks.json:1: is not valid JSON: a closing } is missing`);
  });
});

it("a byte order mark and Windows line ends are no defect", () => {
  machine.write(
    local("x.json"),
    '\uFEFF{\r\n  "rules": [{ "name": "disk-full", "enabled": false }]\r\n}\r\n',
  );
  expect(said()).toBe("(nothing)");
});
