/** `argus explain KEY`: the life of one problem, as a small timeline, and its newest finding in full. */
import { isPast, lifeWord, openingsWithin, type Problem, type RegistryRecord } from "../types/problem.ts";
import type { TrailCycle } from "../types/trail.ts";
import { ackText, type WithAck } from "./acks.ts";
import { explainFinding } from "./explain.ts";
import { tellFindings } from "./findings.ts";
import { blank, type Line, print, spansOf, type Text, toned, wrap } from "./layout.ts";
import { outcomeText } from "./outcome.ts";
import { lifeTone, severityTone, severityWord } from "./sentences.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { oneLine } from "./text.ts";
import { count, day, dayAndTime, duration, ordinal, secondsFrom, time } from "./values.ts";

type Known = Problem & WithAck;

interface Moment {
  readonly ts: string;
  /** Two neighbours with the same one are told as one. */
  readonly sameAs: string;
  readonly text: Text;
}

/**
 * @param problem null when the registry does not know it any more.
 * @param cycles those in which it occurs, newest first as the trail has them: times alone would not do, since several
 * cycles fall into one second when units fail, and a clock may be set back.
 * @param nowIso for how long it has been open, and how often in the last 24 hours.
 * @param past what the first Argus wrote about it, newest first.
 */
export function explainProblem(
  key: string,
  problem: Known | null,
  cycles: Iterable<TrailCycle>,
  nowIso: string,
  style: Style,
  past: readonly RegistryRecord[] = [],
): string {
  const { oldestFirst, leftOut } = gathered(key, cycles);
  const moments = merged([
    ...[...past].reverse().map(pastMoment),
    ...oldestFirst.flatMap((cycle) => momentsOf(key, cycle)),
  ]);
  const last = newestFinding(key, oldestFirst);
  const lines: Line[] = [
    ...head(key, problem, nowIso, style),
    blank,
    ...(moments.length === 0
      ? wrap("The trail has no cycle with it any more.", { style })
      : timeline(moments, style)),
    ...(leftOut > 0 ? wrap(toned("quiet", olderSentence(leftOut)), { style }) : []),
    ...(last === null
      ? []
      : [
          blank,
          ...wrap(toned("strong", `Last found in cycle ${last.cycle.cycle.id}`), { style }),
          ...last.lines(style),
        ]),
  ];
  return print(lines, style);
}

/** Of a trail of any length so much is told: a month of one that fails twice a minute. */
const mostCycles = 20_000;

/** Of each cycle what concerns the problem, and the newest in which it was found whole. */
function gathered(
  key: string,
  newestFirst: Iterable<TrailCycle>,
): { oldestFirst: TrailCycle[]; leftOut: number } {
  const cycles: TrailCycle[] = [];
  let leftOut = 0;
  let isFound = false;
  for (const cycle of newestFirst) {
    const findings = cycle.findings.filter((finding) => finding.key === key);
    if (cycles.length >= mostCycles) leftOut += 1;
    else cycles.push(isFound || findings.length === 0 ? onlyAbout(key, cycle, findings) : cycle);
    isFound ||= findings.length > 0;
  }
  return { oldestFirst: cycles.reverse(), leftOut };
}

function onlyAbout(key: string, cycle: TrailCycle, findings: TrailCycle["findings"]): TrailCycle {
  const { opened, resolved, closed = [] } = cycle.problems;
  const own = (keys: readonly string[]) => (keys.includes(key) ? [key] : []);
  return {
    ...cycle,
    collectors: [],
    findings,
    consultation: null,
    hand_offs: (cycle.hand_offs ?? []).filter(({ problem }) => problem === key),
    actions: cycle.actions.filter(({ problem }) => problem === key),
    rules: { total: 0, quiet: 0, verdicts: [] },
    problems: { opened: own(opened), resolved: own(resolved), closed: own(closed), open: [] },
    notes: [],
  };
}

const olderSentence = (leftOut: number): string =>
  `${count(leftOut, "older cycle")} with it ${leftOut === 1 ? "is" : "are"} left out; --json has them all.`;

function head(key: string, problem: Known | null, nowIso: string, style: Style): Line[] {
  if (problem === null)
    return wrap([toned("strong", `Problem ${key}`), ": not in the registry any more"], { style });
  const { severity, description, life, openedAt, resolvedAt, resolvedBecause, openings, condition, subject } =
    problem;
  const since = (from: string, to: string) => duration(secondsFrom(from, to));
  const end = resolvedAt ?? problem.lastSeen;
  const because = resolvedBecause === null ? "" : ` (${resolvedBecause.replaceAll("_", " ")})`;
  const when = isPast(problem)
    ? `: the first Argus wrote of it last at ${dayAndTime(end)} UTC; how it ended was not recorded`
    : life === "resolved"
      ? `${dayAndTime(end)} UTC, after ${since(openedAt, end)}${because}`
      : `since ${dayAndTime(openedAt)} UTC (${since(openedAt, nowIso)})`;
  const recent = openingsWithin(openings, Date.parse(nowIso)).length;
  return [
    ...wrap([toned("strong", `Problem ${key}`), `  ${subject}: ${condition}`], { style, hang: 2 }),
    ...wrap([toned(severityTone(severity), severityWord(severity)), "  ", description], { style, hang: 2 }),
    ...wrap(
      [
        toned(lifeTone(life), lifeWord(problem)),
        when.startsWith(":") ? when : ` ${when}`,
        recent > 1 ? `, the ${ordinal(recent)} time in 24 h` : "",
      ],
      { style, hang: 2 },
    ),
    ...(problem.acknowledged == null ? [] : wrap(ackText(problem.acknowledged, nowIso), { style, hang: 2 })),
    ...(problem.beadId === null ? [] : wrap(`ticket ${problem.beadId} is open for it`, { style, hang: 2 })),
  ];
}

/** In the words of that time, which differ from line to line. */
function pastMoment({ ts, description, action_taken, action_result, reason }: RegistryRecord): Moment {
  const done =
    action_taken === "none"
      ? ""
      : ` (${action_taken.replace(":", " ")}: ${action_result}${reason === "" ? "" : `, ${oneLine(reason)}`})`;
  return { ts, sameAs: `past ${ts}`, text: ["the first Argus: ", `${oneLine(description)}${done}`] };
}

function momentsOf(key: string, cycle: TrailCycle): Moment[] {
  const { ts } = cycle.cycle;
  const finding = cycle.findings.find((each) => each.key === key);
  const moments: Moment[] = [];
  const add = (sameAs: string, text: Text) => void moments.push({ ts, sameAs, text });
  if (cycle.problems.opened.includes(key))
    add("opened", [toned("bad", "opened"), `: ${finding?.summary ?? "found"}`]);
  else if (finding !== undefined) add("still", "still there");
  for (const action of cycle.actions.filter((each) => each.problem === key)) {
    const { type, target, result, refusal } = action;
    const acted = refusal === null && type !== "log";
    add(acted ? `${ts} ${type}` : ["action", type, target, result, refusal].join(" "), outcomeText(action));
    if (acted && action.verified === true)
      add(`${ts} verified`, [toned("good", "verified"), ": a fresh look found the trouble gone"]);
  }
  for (const { id, problem, outcome, detail, assessment } of cycle.hand_offs ?? []) {
    const said = assessment === "" ? "" : `; ${oneLine(assessment)}`;
    if (problem === key)
      add(`hand-off ${id}`, ["hand-off ", toned("strong", outcome), ` (${id}): ${detail}${said}`]);
  }
  if (cycle.problems.closed?.includes(key))
    add("resolved", [toned("warning", "closed"), ": nobody can say that it is well; see above"]);
  else if (cycle.problems.resolved.includes(key))
    add("resolved", [toned("good", "resolved"), ": looked at, and gone for the settle time"]);
  return moments;
}

interface Stretch extends Moment {
  /** When it was said last, and how often. */
  until: string;
  times: number;
}

/** What every cycle said again in the same words stands once, with its end: an outage of a day is not 288 lines. */
function merged(moments: readonly Moment[]): Stretch[] {
  const told: Stretch[] = [];
  for (const moment of moments) {
    // An act or a change of state ends what was repeated before it.
    const since = told.findLastIndex(({ sameAs }) => !repeats(sameAs));
    const same = repeats(moment.sameAs)
      ? told.slice(since + 1).find(({ sameAs }) => sameAs === moment.sameAs)
      : undefined;
    if (same === undefined) told.push({ ...moment, until: moment.ts, times: 1 });
    else {
      same.until = moment.ts;
      same.times += 1;
    }
  }
  return told;
}

const repeats = (sameAs: string): boolean => sameAs === "still" || sameAs.startsWith("action ");

/** A month of failing every hour is 1,440 lines; its start and its end tell it. */
const mostMoments = 40;

function timeline(moments: readonly Stretch[], style: Style): Line[] {
  const shown =
    moments.length <= mostMoments
      ? moments
      : [...moments.slice(0, 10), ...moments.slice(-(mostMoments - 10))];
  const hidden = moments.length - shown.length;
  const rows: Text[][] = [];
  let lastDay = "";
  for (const [index, moment] of shown.entries()) {
    if (hidden > 0 && index === 10)
      rows.push(["", "", toned("quiet", `and ${count(hidden, "more line")} in between`)]);
    const today = day(moment.ts);
    const until =
      moment.times === 1
        ? ""
        : ` (${moment.times} times, until ${day(moment.until) === today ? time(moment.until) : dayAndTime(moment.until)})`;
    rows.push([
      today === lastDay ? "" : today,
      time(moment.ts),
      [...spansOf(moment.text), toned("quiet", until)],
    ]);
    lastDay = today;
  }
  return table(rows, [{}, {}, { wraps: true }], { style, indent: 2 });
}

function newestFinding(
  key: string,
  oldestFirst: readonly TrailCycle[],
): { cycle: TrailCycle; lines: (style: Style) => Line[] } | null {
  const cycle = oldestFirst.findLast(({ findings }) => findings.some((finding) => finding.key === key));
  if (cycle === undefined) return null;
  const { groups } = tellFindings(cycle);
  const told = groups
    .flatMap(({ shown, counted }) => [...shown, ...counted])
    .find(({ finding }) => finding.key === key);
  return told === undefined ? null : { cycle, lines: (style) => explainFinding(told, cycle, style) };
}
