/** Alerts of a cycle: what rules ask to be told, and every unresolved finding that nobody was told about. */
import { type ActionRecord, isRemedy, type Proposal } from "../types/action.ts";
import type { Finding } from "../types/finding.ts";
import type { Problem } from "../types/problem.ts";
import { duration } from "../types/quantities.ts";
import { flapping } from "./recovery.ts";
import type { Resolution } from "./resolved.ts";
import { unsaidValues } from "./values.ts";

export interface Handled {
  readonly finding: Finding;
  readonly actions: readonly ActionRecord[];
  /** What was done about its problem because the model proposed it. */
  readonly advised?: readonly ActionRecord[];
  readonly resolution: Resolution;
}

/**
 * One proposal for a problem, however many findings it has: one outage is one message.
 * @param problems what the registry knows of them.
 * @param news what else is known, by the key of the problem: a line each.
 * @param advice the model's alerts. One about the same problem takes the rule's words along and keeps its own source.
 */
export function alertProposals(
  handled: readonly Handled[],
  problems: ReadonlyMap<string, Problem>,
  nowMs: number,
  advice: readonly Proposal[] = [],
  news: ReadonlyMap<string, readonly string[]> = new Map(),
): Proposal[] {
  const byKey = new Map<string, Handled[]>();
  for (const each of handled) byKey.set(each.finding.key, [...(byKey.get(each.finding.key) ?? []), each]);
  const advised = new Set<string>();
  const alerts = [...byKey.values()].flatMap((group): Proposal[] => {
    const alert = alertFor(group, problems, nowMs, news);
    const own = advice.find(({ problem }) => problem === alert?.problem);
    if (alert === null || own === undefined) return alert === null ? [] : [alert];
    advised.add(own.problem);
    return [
      {
        ...own,
        ...(alert.question === true ? { question: true } : {}),
        ...(alert.approvals === undefined ? {} : { approvals: alert.approvals }),
        ...(alert.actionTaken === undefined ? {} : { actionTaken: alert.actionTaken }),
        ...(alert.message === undefined ? {} : { message: alert.message }),
        // The model's alert begins with what was measured; the rule's has said that already.
        lines: [...(alert.lines ?? []), ...(own.lines ?? [])],
      },
    ];
  });
  return [...alerts, ...advice.filter(({ problem }) => !advised.has(problem))];
}

const mostDone = 4;
const longestMessage = 8192;
const cut = (text: string): string => text.slice(0, longestMessage);

function alertFor(
  group: readonly Handled[],
  problems: ReadonlyMap<string, Problem>,
  nowMs: number,
  news: ReadonlyMap<string, readonly string[]>,
): Proposal | null {
  const telling = group.find(({ finding, resolution }) => asksToTell(finding) || !resolution.resolved);
  if (telling === undefined) return null;
  const { finding } = telling;
  const asked = finding.actions.find((action) => action.type === "alert");
  const more = group.length > 1 ? ` (and ${group.length - 1} more)` : "";
  const done = group.flatMap(({ actions, advised = [] }) => [...actions, ...advised]);
  const said = [...new Set(done.filter(({ type }) => type !== "log").map(sentence))];
  const question = done.some(({ values }) => values["askedNow"] === true);
  const approvals = done.flatMap(({ refusal, values: { approval } }) =>
    refusal === "needs_approval" && typeof approval === "string" ? approval : [],
  );
  const problem = problems.get(finding.key);
  const flaps = problem === undefined ? null : flapping(problem, nowMs);
  const what = asked?.message ?? finding.summary;
  const values = unsaidValues(what, finding.evidence);
  const lines = [
    ...sinceWhen(problem, nowMs),
    ...(values === null ? [] : [`Seen: ${values}.`]),
    ...(news.get(finding.key) ?? []),
    ...said.slice(0, mostDone),
  ];
  if (flaps !== null) lines.push(`It comes and goes: ${flaps} times within the last hour.`);
  if (said.length > mostDone) lines.push(`and ${said.length - mostDone} further actions`);
  // What waits for a yes has said so in its own line.
  const waits = done.some(({ refusal }) => refusal === "needs_approval");
  if (asked === undefined && !waits) lines.push(`Unresolved: ${telling.resolution.why}`);
  // Of the finding that speaks, else of the first one that has any.
  const advice = finding.advice ?? group.find((each) => each.finding.advice !== undefined)?.finding.advice;
  if (advice !== undefined) lines.push(`What to do: ${advice}`);
  return {
    type: "alert",
    message: cut(`${what}${more}`),
    lines: lines.map(cut),
    source: `rule:${finding.rule}`,
    ...(question ? { question } : {}),
    ...(approvals.length > 0 ? { approvals: approvals.slice(0, 20) } : {}),
    ...takenOf(done),
    ...(flaps === null ? {} : { flapping: flaps }),
    ...(problem === undefined ? {} : { since: problem.openedAt }),
    ...(advice === undefined ? {} : { advice: advice.slice(0, 2048) }),
    problem: finding.key,
    problemType: finding.type,
    severity: finding.severity,
    subject: finding.subject.slice(0, 1024),
  };
}

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

export const asksToTell = (finding: Finding): boolean =>
  finding.actions.some((action) => action.type === "alert");
