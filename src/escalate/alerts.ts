/**
 * Alerts of a cycle. The law of notification: each finding of severity warning or worse whose condition still holds is
 * alerted, whatever keeps Argus from acting, unless its problem has been healing for at most a minute. What people have
 * heard already, and what they silenced, the gate holds back. Of severity info only what a rule asks for, or what no
 * rule covers.
 */
import { type ActionRecord, isRemedy, type Proposal } from "../types/action.ts";
import type { Finding } from "../types/finding.ts";
import { type Problem, severities } from "../types/problem.ts";
import { duration } from "../types/quantities.ts";
import { healingSeconds, healingSince, isHealing } from "./healing.ts";
import { flapping } from "./recovery.ts";
import { nameOf, type Remediation } from "./remediation.ts";
import { unsaidValues } from "./values.ts";

export interface Handled {
  readonly finding: Finding;
  readonly actions: readonly ActionRecord[];
  /** What was done about its problem because the model proposed it. */
  readonly advised?: readonly ActionRecord[];
  readonly remediation: Remediation;
  /** A look after the remedy found its condition gone. Left out: nobody looked. */
  readonly isGone?: boolean;
}

export interface AlertNeeds {
  /** What the registry knows of the problems, by key. */
  readonly problems: ReadonlyMap<string, Problem>;
  readonly nowMs: number;
  /** When this Argus began. Left out: long ago. */
  readonly begunMs?: number;
  /** The model's alerts. One about the same problem takes the rule's words along and keeps its own source. */
  readonly advice?: readonly Proposal[];
  /** Whether the settings let the model propose alerts. Left out: they do. */
  readonly modelMayAlert?: boolean;
  /** What else is known, by the key of the problem: a line each. */
  readonly news?: ReadonlyMap<string, readonly string[]>;
  /** Keys of observations that were noted so often that somebody must look, while no tracker takes a ticket. */
  readonly noted?: ReadonlySet<string>;
}

/**
 * One outage is one message, however many findings it has. Where several rules speak of it each asks, the worst first, as
 * a silence may be about one of them alone; the gate lets the first one through.
 */
export function alertProposals(handled: readonly Handled[], needs: AlertNeeds): Proposal[] {
  const { advice = [] } = needs;
  const byKey = new Map<string, Handled[]>();
  for (const each of handled) byKey.set(each.finding.key, [...(byKey.get(each.finding.key) ?? []), each]);
  const advised = new Set<string>();
  const alerts = [...byKey.values()].flatMap((group) =>
    alertsFor(group, needs).map((alert): Proposal => {
      const own = advice.find(({ problem }) => problem === alert.problem);
      if (own === undefined) return alert;
      advised.add(own.problem);
      // The rule's alert, with the model's words. In the model's name only where it may alert: else nobody would hear of it.
      const source = needs.modelMayAlert === false ? alert.source : own.source;
      return { ...alert, source, lines: [...new Set([...(alert.lines ?? []), ...(own.lines ?? [])])] };
    }),
  );
  return [...alerts, ...advice.filter(({ problem }) => !advised.has(problem))];
}

const mostDone = 4;
const longestMessage = 8192;
const cut = (text: string): string => text.slice(0, longestMessage);

function alertsFor(group: readonly Handled[], needs: AlertNeeds): Proposal[] {
  const { problems, nowMs, begunMs, noted = new Set() } = needs;
  const done = group.flatMap(({ actions, advised = [] }) => [...actions, ...advised]);
  const problem = problems.get(group[0]?.finding.key ?? "");
  const heals = isHealing(problem, done, nowMs, begunMs);
  const isDue = (each: Handled) =>
    each.isGone !== true && mustBeAlerted(each, heals, noted.has(each.finding.key));
  const speakers = new Map<string, Handled>();
  for (const each of worstFirst(group).filter(isDue))
    if (!speakers.has(each.finding.rule)) speakers.set(each.finding.rule, each);
  return [...speakers.values()].map((telling) => alertOf(telling, group, done, needs));
}

function alertOf(
  telling: Handled,
  group: readonly Handled[],
  done: readonly ActionRecord[],
  { problems, nowMs, news = new Map() }: AlertNeeds,
): Proposal {
  const { finding } = telling;
  const problem = problems.get(finding.key);
  const asked = finding.actions.find((action) => action.type === "alert");
  const more = group.length > 1 ? ` (and ${group.length - 1} more)` : "";
  const said = [...new Set(done.filter(({ type }) => type !== "log").map(sentence))];
  const question = done.some(({ values }) => values["askedNow"] === true);
  const approvals = done.flatMap(({ refusal, values: { approval } }) =>
    refusal === "needs_approval" && typeof approval === "string" ? approval : [],
  );
  const flaps = problem === undefined ? null : flapping(problem, nowMs);
  const what = asked?.message ?? finding.summary;
  const values = unsaidValues(what, finding.evidence);
  const lines = [
    ...sinceWhen(problem, nowMs),
    ...(values === null ? [] : [`Seen: ${values}.`]),
    ...(news.get(finding.key) ?? []),
    ...said.slice(0, mostDone),
    ...(said.length > mostDone ? [`and ${said.length - mostDone} further actions`] : []),
    ...withoutEffect(telling, problem),
  ];
  if (flaps !== null)
    lines.push(
      `It is flapping: ${flaps} times within the last hour. Its end is announced when it has been calm for an hour.`,
    );
  // Of the finding that speaks, else of the first one that has any.
  const advice = finding.advice ?? group.find((each) => each.finding.advice !== undefined)?.finding.advice;
  if (advice !== undefined) lines.push(`What to do: ${advice}`);
  return {
    type: "alert",
    message: cut(`${what}${more}`),
    // Two findings of one problem may have the same to say.
    lines: [...new Set(lines)].map(cut),
    source: `rule:${finding.rule}`,
    ...(question ? { question } : {}),
    ...(approvals.length > 0 ? { approvals: approvals.slice(0, 20) } : {}),
    ...takenOf(done),
    ...(flaps === null ? {} : { flapping: flaps, lasting: hasLasted(problem, nowMs) }),
    ...(problem === undefined ? {} : { since: problem.openedAt }),
    ...(advice === undefined ? {} : { advice: advice.slice(0, 2048) }),
    problem: finding.key,
    problemType: finding.type,
    severity: finding.severity,
    subject: finding.subject.slice(0, 1024),
  };
}

const hasLasted = (problem: Problem | undefined, nowMs: number): boolean =>
  problem !== undefined && Math.abs(nowMs - Date.parse(problem.openedAt)) > healingSeconds * 1000;

/** Said when it is told again: a first message comes when it begins. */
function sinceWhen(problem: Problem | undefined, nowMs: number): string[] {
  if (problem === undefined) return [];
  const seconds = (nowMs - Date.parse(problem.openedAt)) / 1000;
  return seconds < 600
    ? []
    : [`Since ${problem.openedAt.slice(0, 16).replace("T", " ")} UTC (${duration(seconds)}).`];
}

/** What was really done on the machine, well or not. */
function takenOf(done: readonly ActionRecord[]): { actionTaken?: string } {
  const taken = done
    .filter(({ type, result }) => isRemedy(type) && (result === "success" || result === "failure"))
    .map(({ type, target, result }) => `${type}${target === null ? "" : `:${target}`} (${result})`);
  return taken.length === 0 ? {} : { actionTaken: [...new Set(taken)].join(", ").slice(0, 1024) };
}

const sentence = ({ type, target, detail }: ActionRecord): string =>
  `${type}${target === null ? "" : ` ${target}`}: ${detail}`;

/** What the lines about actions do not say: that there is no remedy, or that the one before has not helped. */
function withoutEffect({ remediation, actions }: Handled, problem: Problem | undefined): string[] {
  const { state, why } = remediation;
  if (state === "none") return remediation.covered ? [] : ["Argus has no remedy for it."];
  const vain = actions.find(({ result, verified }) => result === "success" && verified === false);
  if (state === "failed" && vain !== undefined) return [`${why}.`];
  const applied = healingSince(problem)?.last;
  if (applied === undefined || actions.some(({ result }) => result === "success")) return [];
  const [type = "", ...target] = applied.action.split(":");
  const name = nameOf({ type, target: target.join(":") || null });
  return [`${name} at ${applied.ts.slice(11, 16)} UTC has not helped yet.`];
}

/** The law of notification, for one finding whose condition holds. */
function mustBeAlerted({ finding, remediation }: Handled, heals: boolean, isNoted: boolean): boolean {
  if (asksToTell(finding) || isNoted) return true;
  return finding.severity === "info" ? !remediation.covered : !heals;
}

const worstFirst = (group: readonly Handled[]): Handled[] => [...group].sort((a, b) => rank(a) - rank(b));

const rank = ({ finding }: Handled): number => severities.indexOf(finding.severity);

export const asksToTell = (finding: Finding): boolean =>
  finding.actions.some((action) => action.type === "alert");
