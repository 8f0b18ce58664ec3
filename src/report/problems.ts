/** `argus problems`: the registry as a table. */
import { type Life, type Problem, type RegistryRecord, type Severity, severities } from "../types/problem.ts";
import { blank, type Line, print, type Text, table, toned, wrap } from "./layout.ts";
import { lifeTone, severityTone, severityWord } from "./sentences.ts";
import type { Style, Tone } from "./style.ts";
import { count, minute } from "./values.ts";

interface Row {
  readonly when: string;
  readonly severity: Severity;
  readonly life: Life | RegistryRecord["event"];
  readonly subject: string;
  readonly what: string;
  readonly action: string;
  readonly result: string;
  readonly key: string;
}

/** One row for each problem, in the order given. */
export function problemsReport(
  problems: readonly Problem[],
  style: Style,
  notes: readonly string[] = [],
): string {
  const rows = problems.map((problem): Row => {
    const last = problem.actions.at(-1);
    return {
      when: problem.life === "resolved" ? (problem.resolvedAt ?? problem.lastSeen) : problem.openedAt,
      severity: problem.severity,
      life: problem.life,
      subject: problem.subject,
      what: problem.description,
      action: last?.action ?? "none",
      result: last?.result ?? "",
      key: problem.key,
    };
  });
  const open = problems.filter(({ life }) => life !== "resolved").length;
  const head =
    problems.length === 0
      ? "No problem, open or of the last 24 hours."
      : `${count(problems.length, "problem")}, ${open} open`;
  return print([...wrap(head, { style }), ...tableOf(rows, style), ...footer(notes, style)], style);
}

/** One row for each line of the registry, in the order given. */
export function recordsReport(
  records: readonly RegistryRecord[],
  style: Style,
  notes: readonly string[] = [],
): string {
  const rows = records.map(
    (record): Row => ({
      when: record.ts,
      severity: record.severity,
      life: record.event,
      subject: record.subject,
      what:
        record.event === "action" || record.event === "resolved"
          ? `${record.description} (${record.reason.replaceAll("_", " ")})`
          : record.description,
      action: record.action_taken,
      result: record.action_taken === "none" ? "" : record.action_result,
      key: record.key,
    }),
  );
  const head = records.length === 0 ? "Nothing of that kind was recorded." : count(records.length, "line");
  return print([...wrap(head, { style }), ...tableOf(rows, style), ...footer(notes, style)], style);
}

const results: Readonly<Record<string, Tone>> = {
  success: "good",
  failure: "bad",
  skipped: "warning",
  suppressed: "quiet",
};

function toneOf(life: Row["life"]): Tone | undefined {
  if (life === "open" || life === "healing" || life === "resolved") return lifeTone(life);
  return life === "opened" ? "bad" : undefined;
}

/** On a narrow terminal, what was done goes below what it was about. */
const wideEnough = 110;

function tableOf(rows: readonly Row[], style: Style): Line[] {
  if (rows.length === 0) return [];
  const done = ({ action, result }: Row): Text =>
    action === "none" ? toned("quiet", "nothing done") : [action, " ", toned(results[result], result)];
  if (style.width >= wideEnough) {
    const head = ["When (UTC)", "Severity", "Life", "What", "Done", "Key"].map((text) =>
      toned("quiet", text),
    );
    const cells = rows.map((row): Text[] => [
      minute(row.when),
      toned(severityTone(row.severity), severityWord(row.severity)),
      toned(toneOf(row.life), row.life),
      whatOf(row),
      done(row),
      toned("quiet", row.key),
    ]);
    return [blank, ...table([head, ...cells], [{}, {}, {}, { wraps: true }, { wraps: true }, {}], { style })];
  }
  const severityWidth = Math.max(...severities.map((severity) => severityWord(severity).length));
  return rows.flatMap((row) => [
    blank,
    ...wrap(
      [
        minute(row.when),
        "  ",
        toned(severityTone(row.severity), severityWord(row.severity).padEnd(severityWidth)),
        "  ",
        toned(toneOf(row.life), row.life),
        "  ",
        toned("quiet", row.key),
      ],
      { style },
    ),
    ...wrap(whatOf(row), { style, indent: 2 }),
    ...wrap(["→ ", ...[done(row)].flat()], { style, indent: 2, hang: 4 }),
  ]);
}

/** Most descriptions begin with the subject; the others need it. */
const whatOf = ({ subject, what }: Row): string =>
  subject === "" || what.includes(subject) ? what : `${subject}: ${what}`;

function footer(notes: readonly string[], style: Style): Line[] {
  return notes.length === 0 ? [] : [blank, ...notes.flatMap((note) => wrap(toned("quiet", note), { style }))];
}
