/** Rule tests are data: `tests/*.json` below a rules folder, run through the very `detect` of a cycle. */
import { dirname, join } from "node:path";
import { faultsOf } from "../system/json-faults.ts";
import {
  type Fault,
  isFault,
  type JsonPath,
  type JsonSource,
  pathText,
  readJson,
} from "../system/json-source.ts";
import { nearest, quoted } from "../system/names.ts";
import { stringify } from "../system/printable.ts";
import type { Files } from "../system/system.ts";
import type { Problem24h } from "../types/facts.ts";
import type { Moment } from "../types/moment.ts";
import { type RuleTest, RuleTestFile } from "../types/rules.ts";
import type { Facts } from "../types/snapshot.ts";
import { type DetectOutput, detect } from "./detect.ts";
import { entryPath, folderFault, type JudgedRule, listRuleFiles, type RuleSet } from "./load.ts";
import type { Streaks } from "./streaks.ts";
import { lookAgain } from "./why-not.ts";

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

/** @param dirs rule folders, the shipped one first: its tests are not for rules that a later folder replaces. */
export async function runRuleTests(
  files: Files,
  rules: RuleSet,
  dirs: readonly string[],
): Promise<RuleTestRun> {
  const faults: Fault[] = [];
  const reports: RuleTestReport[] = [];
  for (const [layer, dir] of dirs.entries()) {
    const replacing = new Set(dirs.slice(layer + 1));
    const folder = join(dir, "tests");
    const unreadable = folderFault(files, folder);
    if (unreadable !== null) faults.push(unreadable);
    for (const file of listRuleFiles(files, folder)) {
      const source = readTests(files, file, faults);
      for (const [index, test] of (source?.tests ?? []).entries()) {
        const at = ["tests", index];
        const judged = source === null ? null : ruleUnderTest(rules, test.rule, source.source, at, faults);
        if (source === null || judged === null || replacing.has(dirname(judged.compiled.file))) continue;
        const failures = await runOne(rules, judged, test);
        reports.push({ file, line: source.source.lineOf(at), name: test.name, rule: test.rule, failures });
      }
    }
  }
  return { reports, faults };
}

function readTests(
  files: Files,
  file: string,
  faults: Fault[],
): { source: JsonSource; tests: readonly RuleTest[] } | null {
  const source = readJson(files, file);
  if (isFault(source)) {
    faults.push(source);
    return null;
  }
  const parsed = RuleTestFile.safeParse(source.value);
  if (parsed.success) return { source, tests: parsed.data.tests };
  const found = faultsOf(source, RuleTestFile, parsed.error);
  faults.push(...found.map((fault) => ({ ...fault, path: entryPath(source, fault.path, "test") })));
  return null;
}

function ruleUnderTest(
  rules: RuleSet,
  name: string,
  source: JsonSource,
  at: JsonPath,
  faults: Fault[],
): JudgedRule | null {
  const judged = rules.rules.find(({ compiled }) => compiled.rule.name === name);
  if (judged !== undefined) return judged;
  // A shipped test of a rule that the operator switched off has nothing to test.
  if (rules.disabled.includes(name)) return null;
  const names = rules.rules.map(({ compiled }) => compiled.rule.name);
  const path = [...at, "rule"];
  faults.push({
    file: source.file,
    line: source.lineOf(path),
    path: entryPath(source, pathText(path), "test"),
    message: `there is no rule ${quoted(name)}${nearest(name, names)}`,
  });
  return null;
}

/** Moments of the scheduled looks before the last one, and of that one: spread over the minutes, or by the interval. */
function momentsOf({
  cycles,
  minutes,
}: {
  cycles?: number | undefined;
  minutes?: number | undefined;
}): Moment[] {
  const before = Math.max(cycles ?? 0, minutes === undefined ? 0 : 1);
  const seconds = minutes === undefined ? before * intervalSeconds : minutes * 60;
  return Array.from({ length: before + 1 }, (_, look) => later(before === 0 ? 0 : (look * seconds) / before));
}

async function runOne(rules: RuleSet, judged: JudgedRule, test: RuleTest): Promise<string[]> {
  const { problem } = test.given.history ?? {};
  const history: Problem24h = {
    occurrences24h: problem?.occurrences24h ?? 1,
    openSeconds: problem?.openSeconds ?? 0,
  };
  const problemOf = () => history;
  // Parts of facts are what a test is about: a field that is left out was not observed, as a null one.
  const facts = test.given.snapshot as Facts;
  let streaks: Streaks = new Map();
  let seen: DetectOutput | null = null;
  const moments = momentsOf(test.given.history ?? {});
  for (const now of moments) {
    const only: RuleSet = { ...rules, rules: [judged] };
    seen = await detect({
      rules: only,
      facts,
      streaks,
      problemOf,
      now,
      scheduled: true,
      maxGapSeconds: Number.POSITIVE_INFINITY,
    });
    streaks = seen.streaks;
  }
  if (seen === null) return [];
  const failures = compared(test.expect, seen);
  const verdict = seen.verdicts[0];
  if (verdict === undefined || verdict.verdict === test.expect.verdict) return failures;
  if (verdict.waiting > 0)
    failures.push("the conditions hold, but not for long enough: give the test a history");
  else if (verdict.verdict === "blind") failures.push(`not observed: ${verdict.missing.join(", ")}`);
  if (verdict.fault !== undefined) failures.push(verdict.fault);
  const now = moments.at(-1) ?? start;
  const { looks } = await lookAgain(judged, { facts, streaks, problemOf, now });
  for (const { identity, evidence } of looks.slice(0, 3)) {
    const parts = evidence.map(
      ({ fact, path, operator, wanted, saw, result }) =>
        `${fact}.${path} ${operator} ${quoted(wanted)}: saw ${saw === null ? "nothing" : quoted(saw)}${result === null ? "" : result ? ", holds" : ", does not hold"}`,
    );
    failures.push(`on ${identity}: ${parts.join("; ")}`);
  }
  return failures;
}

function compared(expect: RuleTest["expect"], seen: DetectOutput): string[] {
  const failures: string[] = [];
  const compare = (what: string, wanted: unknown, got: unknown) => {
    if (wanted === undefined || stringify(wanted) === stringify(got)) return;
    failures.push(
      `expected ${what} ${stringify(wanted)}, saw ${got === undefined ? "none" : stringify(got)}`,
    );
  };
  const first = seen.findings[0];
  compare("the verdict", expect.verdict, seen.verdicts[0]?.verdict);
  compare("this number of findings:", expect.findings, seen.findings.length);
  compare("the severity", expect.severity, first?.severity);
  compare("the summary", expect.summary, first?.summary);
  compare("the advice", expect.advice, first?.advice);
  compare("resolves", expect.resolves, first?.resolves);
  const plain = (actions: readonly { type: string; target?: string | number | undefined }[]) =>
    actions.map(({ type, target }) => ({ type, ...(target === undefined ? {} : { target }) }));
  const asked = seen.findings.flatMap((finding) => plain(finding.actions));
  compare("the actions", expect.actions === undefined ? undefined : plain(expect.actions), asked);
  return failures;
}
