/** `argus problems`: the registry as a table. */
import { isRemedy } from "../types/action.ts";
import {
  closings,
  Life,
  lifeWord,
  type Problem,
  ProblemEvent,
  type RegistryRecord,
  type Severity,
  severities,
} from "../types/problem.ts";
import { ackInBrackets, type WithAck } from "./acks.ts";
import { blank, type Line, print, spansOf, type Text, toned, wrap } from "./layout.ts";
import { lifeTone, severityTone, severityWord } from "./sentences.ts";
import type { Style, Tone } from "./style.ts";
import { table } from "./table.ts";
import { oneLine } from "./text.ts";
import { count, minute } from "./values.ts";

interface Row {
  readonly when: string;
  readonly severity: Severity;
  readonly state: Life | ProblemEvent | "closed";
  readonly what: string;
  readonly key: string;
  /** Empty: nothing was done. */
  readonly done: Text;
}

/** More than that nobody reads, and a table knows all its rows at once. */
const mostRows = 1000;

/**
 * One row for each problem, in the order given: when it was opened, or resolved, and what was done last.
 * @param none said where there is none: it must hold of what was asked for.
 */
export function problemsReport(
  problems: readonly (Problem & WithAck)[],
  nowIso: string,
  style: Style,
  notes: readonly string[] = [],
  none = "No problem is open, and none was in the last 24 hours.",
): string {
  const rows = problems.slice(0, mostRows).map((problem): Row => {
    const { severity, life, subject, description, key, openedAt, resolvedAt, lastSeen, beadId } = problem;
    const last = tellingAction(problem);
    return {
      when: life === "resolved" ? (resolvedAt ?? lastSeen) : openedAt,
      severity,
      state: lifeWord(problem),
      what: `${withSubject(subject, description)}${beadId === null ? "" : ` (ticket ${beadId})`}${ackInBrackets(problem, nowIso)}`,
      key,
      done: last === undefined ? "" : outcome(last.action, last.result, last.reason),
    };
  });
  const open = problems.filter(({ life }) => life !== "resolved").length;
  const head = problems.length === 0 ? none : `${count(problems.length, "problem")}, ${open} open`;
  const hidden = problems.length - rows.length;
  const more = hidden === 0 ? [] : [`and ${hidden} more: --type or --severity shows fewer kinds`];
  return print(
    [...wrap(head, { style, marked: "none" }), ...rowsOf(rows, style), ...footer([...more, ...notes], style)],
    style,
  );
}

const isClosing = ({ event, reason }: RegistryRecord): boolean =>
  event === "resolved" && closings.some((each) => each === reason);

/** What was tried last; else the last that was not merely held back, as an alert within its window is each cycle. */
function tellingAction({ actions }: Problem): Problem["actions"][number] | undefined {
  const isTried = ({ action }: Problem["actions"][number]) => isRemedy(action.split(":", 1)[0] ?? "");
  return (
    actions.findLast(isTried) ?? actions.findLast(({ result }) => result !== "suppressed") ?? actions.at(-1)
  );
}

/** One row for each line of the registry, in the order given. */
export function recordsReport(
  records: readonly RegistryRecord[],
  style: Style,
  notes: readonly string[] = [],
  none = "Nothing of that kind was recorded.",
): string {
  const rows = records.map((record): Row => {
    const { ts, severity, subject, description, key, reason } = record;
    const event = isClosing(record) ? ("closed" as const) : record.event;
    const what =
      record.event === "resolved"
        ? `${withSubject(subject, description)}: ${reason.replaceAll("_", " ")}`
        : withSubject(subject, description);
    const done =
      record.action_taken === "none" ? "" : outcome(record.action_taken, record.action_result, reason);
    return { when: ts, severity, state: event, what, key, done };
  });
  const head = records.length === 0 ? none : count(records.length, "line");
  return print(
    [...wrap(head, { style, marked: "none" }), ...rowsOf(rows, style), ...footer(notes, style)],
    style,
  );
}

const tones: Readonly<Record<RegistryRecord["action_result"], Tone>> = {
  success: "good",
  failure: "bad",
  skipped: "warning",
  suppressed: "quiet",
};

/** `restart_service openclaw-gateway success: active, and still so after 3 s` */
function outcome(action: string, result: RegistryRecord["action_result"], reason: string): Text {
  return [
    action.replace(":", " "),
    " ",
    toned(tones[result], result),
    reason === "" ? "" : `: ${oneLine(reason)}`,
  ];
}

/** Most descriptions begin with the subject; the others need it. */
const withSubject = (subject: string, description: string): string =>
  subject === "" || description.includes(subject) ? description : `${subject}: ${description}`;

function stateTone(state: Row["state"]): Tone | undefined {
  const life = Life.safeParse(state);
  if (life.success) return lifeTone(life.data);
  return state === "opened" ? "bad" : undefined;
}

/** Below this, what was done goes under what it was about. */
const wideEnough = 110;
const widest = (words: readonly string[]): number => Math.max(...words.map((word) => word.length));
const severityWidth = widest(severities.map(severityWord));
const stateWidth = widest([...Life.options, ...ProblemEvent.options]);

function rowsOf(rows: readonly Row[], style: Style): Line[] {
  if (rows.length === 0) return [];
  if (style.width < wideEnough) return rows.flatMap((row) => [blank, ...narrow(row, style)]);
  const head = ["When (UTC)", "Severity", "State", "What", "Done", "Key"].map((text) => toned("quiet", text));
  const cells = rows.map(({ when, severity, state, what, done, key }): Text[] => [
    minute(when),
    toned(severityTone(severity), severityWord(severity)),
    toned(stateTone(state), state),
    what,
    done,
    toned("quiet", key),
  ]);
  return [blank, ...table([head, ...cells], [{}, {}, {}, { wraps: true }, { wraps: true }, {}], { style })];
}

function narrow({ when, severity, state, what, done, key }: Row, style: Style): Line[] {
  const columns: Text = [
    minute(when),
    "  ",
    toned(severityTone(severity), severityWord(severity).padEnd(severityWidth)),
    "  ",
    toned(stateTone(state), state.padEnd(stateWidth)),
    "  ",
    toned("quiet", key),
  ];
  return [
    ...wrap(columns, { style }),
    ...wrap(what, { style, indent: 2, marked: "all" }),
    ...(done === "" ? [] : wrap(["→ ", ...spansOf(done)], { style, indent: 2, hang: 4 })),
  ];
}

function footer(notes: readonly string[], style: Style): Line[] {
  return notes.length === 0 ? [] : [blank, ...notes.flatMap((note) => wrap(toned("quiet", note), { style }))];
}
