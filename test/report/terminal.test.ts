/** What reaches the terminal: nothing but printable text, newlines and our own colours, within the width. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkReport } from "../../src/report/check.ts";
import { cycleReport } from "../../src/report/cycle-report.ts";
import { doctorReport } from "../../src/report/doctor.ts";
import { explainCycle } from "../../src/report/explain.ts";
import { explainProblem } from "../../src/report/explain-problem.ts";
import { print, toned, wrap } from "../../src/report/layout.ts";
import { problemsReport, recordsReport } from "../../src/report/problems.ts";
import { statsOf } from "../../src/report/stats.ts";
import { statsReport } from "../../src/report/stats-text.ts";
import { statusReport } from "../../src/report/status.ts";
import { createStyle, type Style } from "../../src/report/style.ts";
import { table } from "../../src/report/table.ts";
import { clean, clip, displayWidth } from "../../src/report/text.ts";
import { explainWhyNot } from "../../src/report/why-not.ts";
import * as cycles from "./cycles.ts";
import * as days from "./days.ts";
import * as views from "./views.ts";

/** Every report, with one text put in wherever the machine's words can stand. */
function everyReport(text: string, style: Style): string[] {
  const finding = cycles.finding({
    subject: text,
    summary: text,
    rule: text,
    file: text,
    description: text,
    why: text,
    entity: { kind: text, identity: text },
    evidence: [
      cycles.saw(`process.${text}`, text, text, text),
      cycles.saw("process.arguments", "contains", text, [text, text]),
    ],
  });
  const action = cycles.action(finding, {
    type: text,
    target: text,
    detail: text,
    message: text,
    steps: [{ step: text, pass: false, detail: text }],
  });
  const head = {
    ...cycles.healthy.cycle,
    id: text,
    host: text,
    model: { asked: false, why: "no_key" as const, detail: text },
  };
  const verdict = cycles.verdict(text, {
    verdict: "blind",
    missing: [text],
    waiting: 1,
    judged: 3,
    blind: 1,
  });
  const cycle = {
    ...cycles.healthy,
    cycle: head,
    findings: [finding, ...Array.from({ length: 8 }, () => ({ ...finding }))],
    actions: [action, { ...action, problem: text }],
    collectors: [{ name: text, status: "failed" as const, duration_ms: 1, detail: text }],
    rules: { total: 1, quiet: 0, verdicts: [verdict] },
    problems: { opened: [finding.key], resolved: [text], open: [] },
    notes: [text],
  };
  const problem = views.problem({
    subject: text,
    description: text,
    condition: text,
    resolvedBecause: text,
    actions: [{ ts: views.now, cycle: text, action: text, result: "failure", reason: text }],
  });
  return [
    cycleReport(cycle, style, text),
    explainCycle(cycle, style),
    explainProblem(
      finding.key,
      problem,
      [cycle, { ...cycle, cycle: { ...head, id: "second", ts: "2026-11-21T01:00:00Z" } }],
      views.now,
      style,
    ),
    ...Object.values(views.whyNots).map((why) =>
      explainWhyNot(
        {
          ...why,
          rule: text,
          description: text,
          missing: why.missing.length > 0 ? [text] : [],
          looks: why.looks.map((look) => ({
            ...look,
            identity: text,
            evidence: [...look.evidence, ...finding.evidence],
          })),
          actions: [action],
        },
        style,
      ),
    ),
    statusReport(
      {
        ...views.statusBad,
        host: text,
        lastCycle: cycle,
        problems: [problem],
        running: { pid: 1, what: text, since: views.now },
        pause: { until: null, reason: text, since: views.now },
        backoffs: [{ unit: text, state: "backoff", attempts: 1, nextInSeconds: 3, healthySince: null }],
        absentUnits: [text],
        notes: [text],
      },
      style,
    ),
    problemsReport([problem, { ...problem, life: "resolved" }], views.now, style, [text]),
    recordsReport(
      views.records.map((record) => ({
        ...record,
        subject: text,
        description: text,
        reason: text,
        action_taken: text,
      })),
      style,
    ),
    statsReport(
      statsOf(
        { from: "2026-11-13T22:00:00Z", to: "2026-11-20T23:00:00Z" },
        [],
        [{ ...cycle, consultation: days.call({ rejected: [{ what: text, reason: "invalid", why: text }] }) }],
      ),
      style,
    ),
    doctorReport(
      [
        { name: text, state: "broken", detail: text, faults: [text], mend: text },
        { name: "x", state: "ok", detail: text, mend: null },
      ],
      style,
    ),
    checkReport(
      {
        settings: { file: text, faults: [text] },
        rules: { folders: [text], files: 1, inForce: 1, disabled: [text], faults: [text] },
        tests: { passed: 0, failed: [{ name: text, file: text, line: 1, failures: [text] }], faults: [text] },
      },
      style,
    ),
  ];
}

const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constantFrom(...cycles.hostileNames),
  fc
    .array(
      fc.constantFrom(
        "\u001b[2J",
        "\u009b1;1H",
        "\r",
        "\n",
        "\b",
        "\u202e",
        "\u2028",
        "日本",
        "x".repeat(90),
        " ",
        "é",
        "👩‍👩‍👧",
        "%s",
        "a b",
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join("")),
);

describe("whatever the machine's words are", () => {
  it("no control character, and no mark that turns the direction, reaches the terminal", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 40, max: 120 }), fc.boolean(), (text, width, color) => {
        for (const report of everyReport(text, { width, color, unicode: true })) {
          const ours = report.replace(/\u001b\[(?:0|1|2|31|32|33|36|1;31)m/g, "");
          expect(ours).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("every line fits, and none ends in spaces", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 40, max: 120 }), (text, width) => {
        for (const report of everyReport(text, { width, color: false, unicode: true })) {
          for (const line of report.split("\n")) {
            expect(displayWidth(line), line).toBeLessThanOrEqual(width);
            expect(line).toBe(line.trimEnd());
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("colours change nothing but the colours", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const plain = everyReport(text, { width: 80, color: false, unicode: true });
        const painted = everyReport(text, { width: 80, color: true, unicode: true });
        expect(painted.map((report) => report.replace(/\u001b\[[\d;]*m/g, ""))).toEqual(plain);
      }),
      { numRuns: 30 },
    );
  });

  it("a terminal without Unicode gets no character of ours that it cannot show", () => {
    for (const report of everyReport("plain words", { width: 80, color: false, unicode: false }))
      expect(report).toMatch(/^[\n\u0020-\u007e]*$/);
  });
});

describe("clean", () => {
  const style = { width: 80, color: false, unicode: true };
  it.each([
    ["two\nlines\ttab\r", "two\\nlines\\ttab\\r"],
    ["\u001b[31mred", "\\e[31mred"],
    ["\u009b2J\u0007", "\\x9b2J\\x07"],
    ["\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["\ud800!", "\\u{d800}!"],
    ["naïve 日本語 100 %", "naïve 日本語 100 %"],
  ])("shows %j as %j", (text, shown) => expect(clean(text, style)).toBe(shown));
});

describe("widths", () => {
  it("count wide characters twice and marks not at all", () => {
    expect(["abc", "日本", "é", "e\u0301", "🔥", ""].map(displayWidth)).toEqual([3, 4, 1, 1, 2, 0]);
  });

  it("are what a text is clipped to", () => {
    const style = { width: 80, color: false, unicode: true };
    expect(clip("日本語の名前", 7, style)).toBe("日本語…");
    expect(clip("short", 5, style)).toBe("short");
  });
});

describe("a table", () => {
  it("aligns by display width, wraps what may wrap, and cuts what may not", () => {
    const rows = [
      ["日本", "the first of them has many words", toned("good", "1")],
      ["a much longer name", "few", "1,000"],
    ];
    const style = { width: 44, color: false, unicode: true };
    expect(print(table(rows, [{}, { wraps: true }, { align: "right" }], { style }), style)).toBe(
      [
        "日本                the first of them      1",
        "                  | has many words",
        "a much longer name  few                1,000",
        "",
      ].join("\n"),
    );
    expect(print(table(rows, [{}, {}, {}], { style }), style)).toBe(
      ["日本               the first of them…  1", "a much longer na…  few                 1,000", ""].join(
        "\n",
      ),
    );
  });

  it("breaks a key or a path last, so that it can be copied", () => {
    const rows = [
      ["key endpoint:8abe25823f5b1eb2", "ann: moving to the new disk in the other rack"],
      ["subject web", "ann: a reason"],
    ];
    const style = { width: 50, color: false, unicode: true };
    expect(print(table(rows, [{ wraps: true }, { wraps: true }], { style }), style)).toBe(
      [
        "key                          ann: moving to the",
        "| endpoint:8abe25823f5b1eb2| new disk in the other",
        "                           | rack",
        "subject web                  ann: a reason",
        "",
      ].join("\n"),
    );
  });

  it("keeps a number and its unit on one line", () => {
    const style = { width: 20, color: false, unicode: true };
    expect(print(wrap("there were left 7.12 GB of it", { style }), style)).toBe(
      "there were left\n| 7.12 GB of it\n",
    );
  });
});

describe("createStyle", () => {
  const terminal = { env: { LANG: "en_GB.UTF-8", TERM: "xterm" }, isTerminal: true, columns: 100 };
  it("takes width, colour and Unicode from the terminal", () => {
    expect(createStyle(terminal)).toEqual({ width: 100, color: true, unicode: true });
  });

  it.each([
    [
      "a pipe has no colour, and a width of its own",
      { isTerminal: false, columns: undefined },
      { width: 100, color: false },
    ],
    ["NO_COLOR, whatever its value", { env: { ...terminal.env, NO_COLOR: "0" } }, { color: false }],
    ["an empty NO_COLOR says nothing", { env: { ...terminal.env, NO_COLOR: "" } }, { color: true }],
    ["a dumb terminal", { env: { ...terminal.env, TERM: "dumb" } }, { color: false }],
    [
      "FORCE_COLOR for a pager",
      { isTerminal: false, env: { ...terminal.env, FORCE_COLOR: "1" } },
      { color: true },
    ],
    ["a very wide terminal is not filled", { columns: 300 }, { width: 120 }],
    ["a very narrow one is not believed", { columns: 5 }, { width: 40 }],
    ["the C locale", { env: { LANG: "C", TERM: "xterm" } }, { unicode: false }],
    ["LC_ALL decides over LANG", { env: { LANG: "en_GB.UTF-8", LC_ALL: "C" } }, { unicode: false }],
    ["no locale at all", { env: {} }, { unicode: false }],
  ])("%s", (_, change, expected) => {
    expect(createStyle({ ...terminal, ...change })).toMatchObject(expected);
  });
});
