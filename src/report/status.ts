/** `argus status`: health at a glance. */
import { type Problem, severities } from "../types/problem.ts";
import type { Broken } from "../types/settings.ts";
import { ackInBrackets } from "./acks.ts";
import { brokenSentence } from "./broken.ts";
import { beside, blank, type Line, labelled, print, spansOf, type Text, toned, wrap } from "./layout.ts";
import { watchMeans, watchOnly } from "./mode.ts";
import { lifeTone, severityTone, severityWord } from "./sentences.ts";
import type { StatusData } from "./status-data.ts";
import * as fields from "./status-fields.ts";
import { labelWidth } from "./status-fields.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { count, dayAndTime, duration, secondsFrom } from "./values.ts";

export type { StatusData };

const mostProblems = 12;

export function statusReport(data: StatusData, style: Style): string {
  const field = (label: string, lines: Line[]): Line[] =>
    lines.length === 0 ? [] : beside(toned("strong", label), lines, { style, indent: 0, labelWidth });
  const text = (label: string, value: Text | null): Line[] =>
    value === null ? [] : labelled(toned("strong", label), value, { style, indent: 0, labelWidth });
  const lines: Line[] = [
    ...wrap([toned("strong", `Argus · ${data.host}`), ` · ${dayAndTime(data.now)} UTC`], { style, hang: 2 }),
    ...brokenFiles(data, style),
    ...(data.mode === "watch"
      ? wrap([toned("warning", `Mode: ${watchOnly}`), `: ${watchMeans}`], { style, hang: 2, marked: "none" })
      : []),
    blank,
    ...wrap(headline(data), { style, marked: "none" }),
    ...problems(data, style),
    blank,
    ...text("Daemon", fields.daemon(data)),
    ...text("Last cycle", fields.lastCycle(data)),
    ...text("Paused", fields.paused(data)),
    ...field("Approvals", fields.approvals(data, style)),
    ...text("Maintenance", fields.maintenance(data)),
    ...field("Silenced", fields.silences(data, style)),
    ...text("Hand-offs", fields.handOffs(data)),
    ...field("Services", fields.services(data, style)),
    ...field("Restarts", fields.backoffs(data, style)),
    ...field("Budgets", fields.budgets(data, style)),
    ...text("Model", fields.model(data)),
    ...text("Outbox", fields.outbox(data)),
    ...text("Tickets", fields.tickets(data)),
    ...field("Collectors", fields.collectors(data, style)),
    ...field("Rules", fields.rules(data, style)),
    ...text(
      "Not here",
      data.absentUnits.length === 0
        ? null
        : `${data.absentUnits.join(", ")}: in argus.json, but not installed on this host`,
    ),
    ...data.notes.flatMap((note, index) => text(index === 0 ? "Notes" : "", `· ${note}`)),
  ];
  return print(lines, style);
}

/** First, because everything below may be other than what the files say. */
function brokenFiles({ broken }: StatusData, style: Style): Line[] {
  const said = (label: string, what: Broken | null | undefined): Line[] =>
    what == null
      ? []
      : wrap(
          what.isFixed
            ? [toned("warning", `The settings are ${what.inForce}`)]
            : [toned("critical", `${label}:`), ` ${brokenSentence(what)}`],
          {
            style,
            hang: 2,
            marked: "none",
            mostLines: 12,
          },
        );
  return [
    ...said("The settings cannot be used", broken?.settings),
    ...said("Rules cannot be used", broken?.rules),
  ];
}

function headline({
  problems: open,
  pause,
  cycles,
  lastCycle: last,
  running,
  now,
  intervalSeconds,
  stale = null,
  unkept = null,
  broken,
  sightless = null,
}: StatusData): Text {
  const blind: Text[] =
    sightless === null
      ? []
      : [toned("critical", `Argus does not see what it should: ${sightless}; argus check says the fix.`)];
  if (last === null)
    return [
      ...blind.flatMap((part) => [...spansOf(part), { text: " " }]),
      toned("warning", "Nothing is known yet."),
      " No cycle has run on this state folder; argus run --once makes one.",
    ].flatMap((part) => [...spansOf(part)]);
  const parts: Text[] = [
    ...(stale === null ? [] : [toned("critical", "Argus cannot write; what follows is old: see Notes.")]),
    ...blind,
  ];
  const notes = open.filter(({ severity }) => severity === "info").length;
  const onlyNotes = notes === open.length;
  const worst = severities.find((severity) => open.some((problem) => problem.severity === severity));
  const healing = open.filter(({ life }) => life === "healing").length;
  if (worst !== undefined && !onlyNotes) {
    const counts = severities.flatMap((severity) => {
      const number = open.filter((problem) => problem.severity === severity).length;
      return number === 0 ? [] : [`${number} ${severity}`];
    });
    parts.push([
      toned(severityTone(worst), `${count(open.length, "open problem")}: ${counts.join(", ")}.`),
      healing === 0 ? "" : ` ${healing} healing.`,
    ]);
  }
  if (cycles !== null && cycles.failuresInARow > 0)
    parts.push(toned("bad", `The last ${count(cycles.failuresInARow, "cycle")} failed.`));
  const age = secondsFrom(last.cycle.ts, now);
  // Two intervals without a look: whatever the registry says is old.
  if (age > 2 * intervalSeconds + 60) parts.push(toned("warning", `Nobody has looked for ${duration(age)}.`));
  if (pause !== null) parts.push(toned("warning", "Argus is paused."));
  const unseen = last.collectors.filter(({ status }) => status === "failed").map(({ name }) => name);
  if (unseen.length > 0) parts.push(toned("bad", `Nobody can see the ${unseen.join(", ")}: see Collectors.`));
  if (unkept !== null) parts.push(toned("warning", "What the last cycle saw was not kept: see Notes."));
  if (parts.length === 0) {
    const isBroken = [broken?.settings, broken?.rules].some((what) => what != null);
    const looked = `The last look was ${duration(age)} ago`;
    return [
      isBroken
        ? "Nothing else is known to be wrong."
        : toned("good", notes === 0 ? "All well." : `All well; ${count(notes, "note")}.`),
      running === null ? ` ${looked}, and nobody looks again until argus runs.` : ` ${looked}.`,
    ];
  }
  return parts.flatMap((part, index) => (index === 0 ? spansOf(part) : [{ text: " " }, ...spansOf(part)]));
}

/** A telephone's width has no room for columns of text. */
const narrow = 60;

function stacked(
  [severity = "", life = "", description = "", age = "", key = ""]: Text[],
  style: Style,
): Line[] {
  const head = [severity, " ", life, " ", age].flatMap((part) => [...spansOf(part)]);
  return [head, description, key].flatMap((text, index) =>
    wrap(text, { style, indent: index === 0 ? 2 : 4, hang: 6, marked: index === 1 ? "all" : "continued" }),
  );
}

function problems({ problems: open, now }: StatusData, style: Style): Line[] {
  if (open.length === 0) return [];
  const rank = (problem: Problem) => severities.indexOf(problem.severity);
  const sorted = [...open].sort((a, b) => rank(a) - rank(b) || (a.openedAt < b.openedAt ? -1 : 1));
  const rows = sorted
    .slice(0, mostProblems)
    .map((problem): Text[] => [
      toned(severityTone(problem.severity), severityWord(problem.severity)),
      toned(lifeTone(problem.life), problem.life),
      [
        problem.description,
        toned("quiet", problem.beadId === null ? "" : ` (ticket ${problem.beadId})`),
        toned("good", ackInBrackets(problem, now)),
      ],
      duration(secondsFrom(problem.openedAt, now)),
      toned("quiet", problem.key),
    ]);
  const rest = sorted.length - rows.length;
  return [
    blank,
    ...(style.width < narrow
      ? rows.flatMap((row) => stacked(row, style))
      : table(rows, [{}, {}, { wraps: true }, { align: "right" }, {}], { style, indent: 2 })),
    ...(rest > 0 ? wrap(`and ${rest} more: argus problems`, { style, indent: 2 }) : []),
  ];
}
