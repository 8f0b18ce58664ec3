import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadRules } from "../../src/detect/load.ts";
import { runRuleTests } from "../../src/detect/rule-tests.ts";
import { createFiles } from "../../src/system/files.ts";
import { faultText, isFault, readJson } from "../../src/system/json-source.ts";
import { RuleTestFile } from "../../src/types/rules.ts";

const rulesDir = join(import.meta.dirname, "../../rules");
const files = createFiles("/");
const loaded = loadRules(files, { rulesDir, localRulesDir: "/nowhere" });
const faults = loaded.ok ? [] : loaded.faults.map(faultText);
const rules = loaded.ok ? loaded.set.rules.map(({ compiled }) => compiled.rule) : [];

describe("the shipped rules", () => {
  it("load", () => {
    expect(faults).toEqual([]);
    expect(rules.length).toBeGreaterThan(0);
  });

  it("pass their tests", async () => {
    if (!loaded.ok) throw new Error("they do not load");
    const run = await runRuleTests(files, loaded.set, [rulesDir]);
    expect(run.faults.map(faultText)).toEqual([]);
    const failed = run.reports.flatMap(({ rule, name, failures }) =>
      failures.map((each) => `${rule}, ${name}: ${each}`),
    );
    expect(failed).toEqual([]);
  });

  it.each(rules.map(({ name }) => name))(
    "%s has a test in which it fires, one in which it is quiet, one in which it is blind",
    (name) => {
      const verdicts = new Set(
        tests()
          .filter(({ rule }) => rule === name)
          .map(({ expect: wanted }) => wanted.verdict),
      );
      expect([...verdicts].sort()).toEqual(["blind", "fired", "quiet"]);
    },
  );

  it("say what they ask for in the tests in which they fire and act", () => {
    const acting = rules
      .filter(({ event }) => (event.params.actions ?? []).length > 0)
      .map(({ name }) => name);
    const checked = new Set(
      tests()
        .filter(({ expect: wanted }) => wanted.verdict === "fired" && wanted.actions !== undefined)
        .map(({ rule }) => rule),
    );
    expect(acting.filter((name) => !checked.has(name))).toEqual([]);
  });
});

function tests() {
  return files
    .list(join(rulesDir, "tests"))
    .map((name) => readJson(files, join(rulesDir, "tests", name)))
    .flatMap((source) => (isFault(source) ? [] : RuleTestFile.parse(source.value).tests));
}
