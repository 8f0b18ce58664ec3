/** Rule tests are data: `tests/*.json` below a rules folder, run through the very `detect` of a cycle. */
import { join } from "node:path";
import {
  type Fault,
  faultsOf,
  isFault,
  type JsonSource,
  nearest,
  parseJson,
  pathText,
} from "../system/json-source.ts";
import type { Files } from "../system/system.ts";
import type { Problem24h } from "../types/facts.ts";
import type { Moment } from "../types/moment.ts";
import { RuleTest, RuleTestFile } from "../types/rules.ts";
import type { Facts } from "../types/snapshot.ts";
import { detect } from "./detect.ts";
import { listRuleFiles, type RuleSet } from "./load.ts";
import type { Streaks } from "./streaks.ts";

export interface RuleTestReport {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly rule: string;
  /** Empty when it passed: each sentence says what was expected and what was seen. */
  readonly failures: readonly string[];
}

export interface RuleTestRun {
  readonly reports: readonly RuleTestReport[];
  readonly faults: readonly Fault[];
}

const intervalSeconds = 300;
const start: Moment = { wallMs: Date.UTC(2026, 0, 1), uptimeSeconds: 10_000_000, bootId: "rule-test" };
const later = (seconds: number): Moment => ({
  ...start,
  wallMs: start.wallMs + seconds * 1000,
  uptimeSeconds: start.uptimeSeconds + seconds,
});

export async function runRuleTests(
  files: Files,
  rules: RuleSet,
  dirs: readonly string[],
): Promise<RuleTestRun> {
  const faults: Fault[] = [];
  const reports: RuleTestReport[] = [];
  for (const file of dirs.flatMap((dir) => listRuleFiles(files, join(dir, "tests")))) {
    const source = parseJson(file, files.read(file));
    if (isFault(source)) {
      faults.push(source);
      continue;
    }
    const parsed = RuleTestFile.safeParse(source.value);
    if (!parsed.success) {
      faults.push(
        ...faultsOf(source, parsed.error, {
          keysAt: (path) =>
            path.length === 0 ? Object.keys(RuleTestFile.shape) : Object.keys(RuleTest.shape),
        }),
      );
      continue;
    }
    for (const [index, test] of parsed.data.tests.entries()) {
      const at = ["tests", index];
      if (!knownRule(rules, test.rule, source, at, faults)) continue;
      reports.push({
        file,
        line: source.lineOf(at),
        name: test.name,
        rule: test.rule,
        failures: await runOne(rules, test),
      });
    }
  }
  return { reports, faults };
}

function knownRule(
  rules: RuleSet,
  name: string,
  source: JsonSource,
  at: (string | number)[],
  faults: Fault[],
): boolean {
  if (rules.rules.some(({ compiled }) => compiled.rule.name === name)) return true;
  // A shipped test of a rule that the operator switched off has nothing to test.
  if (rules.disabled.includes(name)) return false;
  const names = rules.rules.map(({ compiled }) => compiled.rule.name);
  const path = [...at, "rule"];
  faults.push({
    file: source.file,
    line: source.lineOf(path),
    path: pathText(path),
    message: `there is no rule "${name}"${nearest(name, names)}`,
  });
  return false;
}

async function runOne(rules: RuleSet, test: RuleTest): Promise<string[]> {
  const only: RuleSet = {
    ...rules,
    rules: rules.rules.filter(({ compiled }) => compiled.rule.name === test.rule),
  };
  const { cycles = 0, minutes, problem } = test.given.history ?? {};
  const history: Problem24h = {
    occurrences24h: problem?.occurrences24h ?? 1,
    openSeconds: problem?.openSeconds ?? 0,
  };
  // Parts of facts are what a test is about: a field that is left out was not observed, as a null one.
  const facts = test.given.snapshot as Facts;
  let streaks: Streaks = new Map();
  const look = async (now: Moment) => {
    const seen = await detect({
      rules: only,
      facts,
      streaks,
      problemOf: () => history,
      now,
      scheduled: true,
      maxGapSeconds: Number.POSITIVE_INFINITY,
    });
    streaks = seen.streaks;
    return seen;
  };
  for (let cycle = 0; cycle < cycles; cycle += 1) await look(later(cycle * intervalSeconds));
  if (minutes !== undefined) await look(start);
  const seen = await look(later(Math.max(cycles * intervalSeconds, (minutes ?? 0) * 60)));

  const failures: string[] = [];
  const compare = (what: string, wanted: unknown, got: unknown) => {
    const [left, right] = [JSON.stringify(wanted), JSON.stringify(got)];
    if (wanted !== undefined && left !== right)
      failures.push(`expected ${what} ${left}, got ${right ?? "nothing"}`);
  };
  const verdict = seen.verdicts[0];
  const first = seen.findings[0];
  compare("the verdict", test.expect.verdict, verdict?.verdict);
  if (verdict?.verdict === "blind" && test.expect.verdict !== "blind")
    failures.push(`not observed: ${verdict.missing.join(", ")}`);
  if (verdict?.waiting !== 0 && test.expect.verdict === "fired")
    failures.push("the conditions hold, but not for long enough: give it a history");
  compare("findings", test.expect.findings, seen.findings.length);
  compare("the severity", test.expect.severity, first?.severity);
  compare("the summary", test.expect.summary, first?.summary);
  compare("resolves", test.expect.resolves, first?.resolves);
  const asked = seen.findings.flatMap((finding) =>
    finding.actions.map(({ type, target }) => ({ type, ...(target === undefined ? {} : { target }) })),
  );
  const wanted = test.expect.actions?.map(({ type, target }) => ({
    type,
    ...(target === undefined ? {} : { target }),
  }));
  compare("the actions", wanted, asked);
  return failures;
}
