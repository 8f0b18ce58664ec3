/** The whole text of each report, as people see it. `ARGUS_GOLDEN=write` writes what is seen now; read the difference. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkReport } from "../../src/report/check.ts";
import { cycleReport } from "../../src/report/cycle-report.ts";
import { doctorReport } from "../../src/report/doctor.ts";
import { explainCycle } from "../../src/report/explain.ts";
import { explainProblem } from "../../src/report/explain-problem.ts";
import { problemsReport, recordsReport } from "../../src/report/problems.ts";
import { statsOf } from "../../src/report/stats.ts";
import { statsReport } from "../../src/report/stats-text.ts";
import { statusReport } from "../../src/report/status.ts";
import type { Style } from "../../src/report/style.ts";
import { explainWhyNot } from "../../src/report/why-not.ts";
import {
  blindRules,
  dryRunWithFindings,
  healthy,
  hostile,
  refusedByBackoff,
  restartVerified,
  twoHundred,
} from "../report/cycles.ts";
import * as days from "../report/days.ts";
import * as views from "../report/views.ts";

const cycles = {
  healthy,
  "dry-run": dryRunWithFindings,
  "restart-verified": restartVerified,
  "refused-by-backoff": refusedByBackoff,
  "blind-rules": blindRules,
  "two-hundred-findings": twoHundred,
  "hostile-names": hostile,
};

const reports: Record<string, (style: Style) => string> = {
  ...Object.fromEntries(
    Object.entries(cycles).flatMap(([name, cycle]) => [
      [`report/${name}`, (style: Style) => cycleReport(cycle, style)],
      [`explain/${name}`, (style: Style) => explainCycle(cycle, style)],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(views.whyNots).map(([name, why]) => [
      `why-not/${name.replaceAll(" ", "-")}`,
      (style: Style) => explainWhyNot(why, style),
    ]),
  ),
  "explain/problem": (style) =>
    explainProblem(views.problemOfLife.key, views.problemOfLife, views.life, "2026-11-21T00:10:00Z", style),
  "explain/problem-unknown": (style) => explainProblem("disk:0123456789abcdef", null, [], views.now, style),
  "status/good": (style) => statusReport(views.statusGood, style),
  "status/bad": (style) => statusReport(views.statusBad, style),
  "status/watch": (style) => statusReport({ ...views.statusBad, mode: "watch" }, style),
  "status/nothing-yet": (style) =>
    statusReport(
      {
        ...views.statusGood,
        lastCycle: null,
        cycles: null,
        running: null,
        outbox: { ...views.statusGood.outbox, channels: [] },
      },
      style,
    ),
  "status/notes": (style) => statusReport(views.statusWithNotes, style),
  "problems/problems": (style) =>
    problemsReport([views.problem(), views.diskProblem, views.healedProblem], views.now, style),
  "problems/none": (style) => problemsReport([], views.now, style),
  "problems/records": (style) => recordsReport(views.records, style, views.statusBad.notes),
  "stats/week": (style) => statsReport(statsOf(days.window, days.records, days.cycles), style),
  "stats/never-asked": (style) => statsReport(statsOf(days.window, [], [days.at(days.window.from)]), style),
  "stats/nothing": (style) => statsReport(statsOf(days.window, [], []), style),
  "doctor/doctor": (style) => doctorReport(views.checks, style),
  "check/good": (style) => checkReport(views.checkGood, style),
  "check/bad": (style) => checkReport(views.checkBad, style),
};

const styles: Record<string, Style> = {
  "80": { width: 80, color: false, unicode: true },
  "120": { width: 120, color: false, unicode: true },
  "80-color": { width: 80, color: true, unicode: true },
  "120-color": { width: 120, color: true, unicode: true },
};
/** What Telegram shows of them on a telephone. */
const telephone: Style = { width: 44, color: false, unicode: true };
const onTelephones = ["status/", "problems/problems", "explain/"];

const write = process.env["ARGUS_GOLDEN"] === "write";
const golden = (report: string, style: string) =>
  join(import.meta.dirname, report, `${style}.txt`);

describe.each(Object.keys(reports))("%s", (name) => {
  const isOnTelephones = onTelephones.some((each) => name.startsWith(each));
  const all = isOnTelephones ? { ...styles, telephone } : styles;
  it.each(Object.keys(all))("at width %s", (styleName) => {
    const style = all[styleName];
    const text = style === undefined ? undefined : reports[name]?.(style);
    const file = golden(name, styleName);
    if (write) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text ?? "");
    }
    expect(existsSync(file), `${file} is missing: ARGUS_GOLDEN=write makes it`).toBe(true);
    expect(text).toBe(readFileSync(file, "utf8"));
  });
});
