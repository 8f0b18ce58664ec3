import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runRuleTests } from "../../src/detect/rule-tests.ts";
import { faultText } from "../../src/system/json-source.ts";
import { asOrdinaryUser } from "../support/ordinary-user.ts";
import { type RulesOnDisk, ruleOf, rulesOnDisk } from "./support.ts";

let disk: RulesOnDisk;
beforeEach(() => {
  disk = rulesOnDisk();
  disk.write("/rules/a.json", {
    rules: [
      ruleOf(full),
      ruleOf({ ...full, name: "disk-full-long", for: { minutes: 10 } }),
      ruleOf({ ...full, name: "disk-full-twice", for: { cycles: 2 } }),
    ],
  });
});
afterEach(() => disk.remove());

const full = {
  name: "disk-full",
  forEach: "disk",
  conditions: {
    all: [
      { fact: "disk", path: "usedPercent", operator: "greaterThan", value: 90 },
      { fact: "disk", path: "type", operator: "notEqual", value: "tmpfs" },
    ],
  },
  params: {
    subject: "{{disk.mount}}",
    summary: "{{disk.mount}} is full",
    actions: [{ type: "clean_disk" }, { type: "alert" }],
    resolves: true,
  },
};
const disks = (...usedPercent: number[]) => ({
  disk: usedPercent.map((used, index) => ({ mount: `/${index}`, type: "ext4", usedPercent: used })),
});

async function run(...tests: object[]) {
  disk.write("/rules/tests/a.json", {
    tests: tests.map((test) => ({
      name: "it",
      rule: "disk-full",
      given: { snapshot: disks(95) },
      expect: { verdict: "fired" },
      ...test,
    })),
  });
  return results();
}
async function results() {
  const loaded = disk.load();
  if (!loaded.ok) throw new Error(loaded.faults.map(faultText).join("\n"));
  const { reports, faults } = await runRuleTests(disk.files, loaded.set, [
    disk.dirs.rulesDir,
    disk.dirs.localRulesDir,
  ]);
  return { failures: reports.map(({ failures }) => failures), faults: faults.map(faultText), reports };
}

describe("a rule test that passes", () => {
  it.each([
    [
      {
        expect: {
          verdict: "fired",
          findings: 1,
          severity: "info",
          summary: "/0 is full",
          resolves: true,
          actions: [{ type: "clean_disk" }, { type: "alert" }],
        },
      },
    ],
    [{ given: { snapshot: disks(95, 5, 99) }, expect: { verdict: "fired", findings: 2 } }],
    [{ given: { snapshot: disks(5) }, expect: { verdict: "quiet", findings: 0, actions: [] } }],
    [{ given: { snapshot: disks() }, expect: { verdict: "quiet" } }],
    [{ given: { snapshot: {} }, expect: { verdict: "blind" } }],
    [{ given: { snapshot: { disk: [{ mount: "/", type: "ext4" }] } }, expect: { verdict: "blind" } }],
    [{ rule: "disk-full-twice", given: { snapshot: disks(95), history: { cycles: 1 } } }],
    [{ rule: "disk-full-twice", given: { snapshot: disks(95) }, expect: { verdict: "quiet" } }],
    [{ rule: "disk-full-long", given: { snapshot: disks(95), history: { minutes: 10 } } }],
    [
      {
        rule: "disk-full-long",
        given: { snapshot: disks(95), history: { minutes: 9.9 } },
        expect: { verdict: "quiet" },
      },
    ],
    [{ rule: "disk-full-long", given: { snapshot: disks(95), history: { cycles: 2 } } }],
    [
      {
        rule: "disk-full-long",
        given: { snapshot: disks(95), history: { cycles: 50, minutes: 5 } },
        expect: { verdict: "quiet" },
      },
    ],
    [{ rule: "disk-full-twice", given: { snapshot: disks(95), history: { minutes: 0 } } }],
  ])("%j", async (test) => {
    expect(await run(test)).toMatchObject({ failures: [[]], faults: [] });
  });
});

describe("a rule test that fails says what was expected and what was seen:", () => {
  it("quiet instead of fired, with what each condition saw", async () => {
    const { failures } = await run({ given: { snapshot: disks(85) } });
    expect(failures).toEqual([
      [
        'expected the verdict "fired", saw "quiet"',
        'on /0: disk.usedPercent greaterThan 90: saw 85, does not hold; disk.type notEqual "tmpfs": saw "ext4", holds',
      ],
    ]);
  });

  it("blind instead of quiet", async () => {
    const { failures } = await run({
      given: { snapshot: { disk: [{ mount: "/", usedPercent: 95 }] } },
      expect: { verdict: "quiet" },
    });
    expect(failures).toEqual([
      [
        'expected the verdict "quiet", saw "blind"',
        "not observed: disk.type",
        'on /: disk.usedPercent greaterThan 90: saw 95, holds; disk.type notEqual "tmpfs": saw nothing',
      ],
    ]);
  });

  it("not long enough", async () => {
    const { failures } = await run({ rule: "disk-full-twice" });
    expect(failures[0]?.slice(0, 2)).toEqual([
      'expected the verdict "fired", saw "quiet"',
      "the conditions hold, but not for long enough: give the test a history",
    ]);
  });

  it("another finding than expected", async () => {
    const wrong = {
      verdict: "fired",
      findings: 2,
      severity: "critical",
      summary: "/ is full",
      resolves: false,
      actions: [{ type: "restart_service", target: "x" }],
    };
    expect((await run({ expect: wrong })).failures).toEqual([
      [
        "expected this number of findings: 2, saw 1",
        'expected the severity "critical", saw "info"',
        'expected the summary "/ is full", saw "/0 is full"',
        "expected resolves false, saw true",
        'expected the actions [{"type":"restart_service","target":"x"}], saw [{"type":"clean_disk"},{"type":"alert"}]',
      ],
    ]);
  });

  it("and where it stands", async () => {
    const { reports } = await run({}, { name: "second", expect: { verdict: "quiet" } });
    expect(
      reports.map(({ name, rule, file, line, failures }) => [name, rule, file, line, failures.length > 0]),
    ).toEqual([
      ["it", "disk-full", "/rules/tests/a.json", 1, false],
      ["second", "disk-full", "/rules/tests/a.json", 1, true],
    ]);
  });
});

describe("a broken test file", () => {
  it.each([
    [{ rule: "disk-ful" }, 'test "it", rule: there is no rule "disk-ful"; did you mean "disk-full"?'],
    [
      { given: { snapshot: { disk: [{ mount: "/", usedPercentage: 1 }] } } },
      'test "it", given.snapshot.disk[0].usedPercentage: unknown key; did you mean "usedPercent"?',
    ],
    [
      { given: { snapshot: { disks: [] } } },
      'test "it", given.snapshot.disks: unknown key; did you mean "disk"?',
    ],
    [{ given: { snapshot: { disk: {} } } }, 'test "it", given.snapshot.disk: must be a list, not an object'],
    [
      { expect: { verdict: "fires" } },
      'test "it", expect.verdict: "fires" is not known; did you mean "fired"?',
    ],
    [
      { expect: { verdict: "fired", actions: [{ type: "alert", target: null }] } },
      'test "it", expect.actions[0].target: must be text or a number, not null',
    ],
    [
      { given: { snapshot: {}, history: { cycle: 3 } } },
      'test "it", given.history.cycle: unknown key; did you mean "cycles"?',
    ],
  ])("%j", async (test, text) => {
    expect((await run(test)).faults).toEqual([`/rules/tests/a.json:1: ${text}`]);
  });

  it("costs only its own tests", async () => {
    disk.write("/rules/tests/b.json", "{");
    const { faults, failures } = await run({});
    expect([faults, failures]).toEqual([
      ["/rules/tests/b.json:1: is not valid JSON: a closing } is missing"],
      [[]],
    ]);
  });

  it("may be one that this user cannot read", async () => {
    disk.write("/rules/tests/a.json", { tests: [] });
    chmodSync(join(disk.root, "rules/tests/a.json"), 0o000);
    const { faults } = await asOrdinaryUser(disk.root, results);
    expect(faults).toEqual([
      "/rules/tests/a.json:1: cannot be read by this user; run Argus as its owner, or let this user read it",
    ]);
  });

  it("may stand in a folder that this user cannot read: that is said, too", async () => {
    disk.write("/rules/tests/a.json", { tests: [] });
    chmodSync(join(disk.root, "rules/tests"), 0o000);
    const { faults } = await asOrdinaryUser(disk.root, results);
    chmodSync(join(disk.root, "rules/tests"), 0o755);
    expect(faults).toEqual([
      "/rules/tests:1: cannot be read by this user; run Argus as its owner, or let this user read it",
    ]);
  });
});

describe("local rules", () => {
  const stricter = {
    ...full,
    conditions: { fact: "disk", path: "usedPercent", operator: "greaterThan", value: 99 },
  };

  it("that replace a shipped one are not held to its tests, but to their own", async () => {
    disk.write("/local/mine.json", { rules: [ruleOf(stricter)] });
    disk.write("/local/tests/mine.json", {
      tests: [
        { name: "mine", rule: "disk-full", given: { snapshot: disks(95) }, expect: { verdict: "quiet" } },
      ],
    });
    const { reports, failures } = await run({});
    expect([reports.map(({ name }) => name), failures]).toEqual([["mine"], [[]]]);
  });

  it("may test shipped ones", async () => {
    disk.write("/local/tests/mine.json", {
      tests: [
        { name: "mine", rule: "disk-full", given: { snapshot: disks(95) }, expect: { verdict: "fired" } },
      ],
    });
    expect((await results()).reports.map(({ name, failures }) => [name, failures])).toEqual([["mine", []]]);
  });

  it("that switch a shipped one off leave its tests out", async () => {
    disk.write("/local/mine.json", { rules: [{ name: "disk-full", enabled: false }] });
    expect(await run({})).toMatchObject({ reports: [], faults: [] });
  });
});
