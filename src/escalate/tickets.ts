/** Which problems of a cycle need a ticket, and what stands in it: what a person needs to take it up. Pure. */
import { stringify } from "../system/printable.ts";
import type { ActionRecord, Proposal } from "../types/action.ts";
import { isWord } from "../types/action.ts";
import type { HandOffReport } from "../types/hand-off.ts";
import { openingsWithin, type Problem, severities } from "../types/problem.ts";
import { duration } from "../types/quantities.ts";
import type { Evidence } from "../types/trail.ts";
import type { Handled } from "./alerts.ts";

export interface TicketNeeds {
  /** Findings of the cycle, with what became of their actions. */
  readonly handled: readonly Handled[];
  readonly problems: ReadonlyMap<string, Problem>;
  /** What the model asks to be filed. */
  readonly advice: readonly Proposal[];
  /** What a coding agent has found out about the problem since then. */
  readonly reportOn: (problem: string, sinceIso: string) => HandOffReport | null;
  /** Whether a coding agent has just told something about a problem whose ticket stands. */
  readonly isReported: (problem: string) => boolean;
  readonly repeats: { readonly threshold: number; readonly windowSeconds: number };
  readonly nowMs: number;
}

const longestMessage = 8192;
const mostEvidence = 12;
const mostActions = 10;
/** More is no ticket that anybody reads. */
const mostLines = 200;

/** One for each problem, however many findings it has and however it is worded. */
export function ticketProposals(needs: TicketNeeds): Proposal[] {
  const byKey = new Map<string, Handled[]>();
  for (const each of needs.handled)
    byKey.set(each.finding.key, [...(byKey.get(each.finding.key) ?? []), each]);
  return [...byKey].flatMap(([key, group]) => {
    const problem = needs.problems.get(key);
    const advised = needs.advice.find((proposal) => proposal.problem === key);
    const asker = group.find(asksForTicket);
    const why = reasonFor(group, problem, needs);
    const worst = [...group].sort((a, b) => rank(a) - rank(b))[0];
    const isWanted = why !== null || asker !== undefined || advised !== undefined || needs.isReported(key);
    if (worst === undefined || !isWanted) return [];
    const { finding } = worst;
    const asked = asker?.finding.actions.find(({ type }) => type === "file_bead")?.message;
    const said = [
      why ?? [],
      asker === undefined
        ? []
        : `The rule ${asker.finding.rule} asks for it${asked === undefined ? "" : `: ${asked}`}`,
      advised === undefined ? [] : `The model asks for it: ${advised.message ?? advised.reason ?? ""}`,
    ].flat();
    const report = problem === undefined ? null : needs.reportOn(key, problem.openedAt);
    return [
      {
        type: "file_bead",
        source: sourceOf(why, asker, advised),
        problem: key,
        problemType: finding.type,
        severity: finding.severity,
        subject: finding.subject.slice(0, 1024),
        reason: finding.summary.slice(0, 2048),
        ...bodyOf(group, problem, said, needs.nowMs),
        ...(problem === undefined ? {} : { outage: problem.openedAt }),
        ...(report === null ? {} : { report: reportText(report).slice(0, longestMessage) }),
      },
    ];
  });
}

const rank = ({ finding }: Handled): number => severities.indexOf(finding.severity);

const asksForTicket = ({ finding }: Handled): boolean =>
  finding.actions.some(({ type }) => type === "file_bead");

/** What the model may ask for is held against what it may only where nothing else asks. */
function sourceOf(why: string | null, asker: Handled | undefined, advised: Proposal | undefined): string {
  if (asker !== undefined) return `rule:${asker.finding.rule}`;
  return why === null && advised !== undefined ? advised.source : "self";
}

const done = ({ actions, advised = [] }: Handled): ActionRecord[] => [...actions, ...advised];

/** How often it was noted as an observation within the window; 0: never. */
export const notedTimes = (each: Handled): number =>
  Math.max(
    0,
    ...done(each)
      .filter(({ type }) => type === "log")
      .map(({ values }) => Number(values["recent"] ?? 0)),
  );

/** One sentence; null: nothing about it needs a person. */
function reasonFor(
  group: readonly Handled[],
  problem: Problem | undefined,
  { repeats: { threshold, windowSeconds }, nowMs }: TicketNeeds,
): string | null {
  const actions = group.flatMap(done);
  const exhausted = actions.find(({ refusal }) => refusal === "cooldown");
  if (exhausted !== undefined) return `All attempts are used up: ${exhausted.detail}.`;
  const failed = actions.find(
    ({ type, result, verified }) => !isWord(type) && (result === "failure" || verified === false),
  );
  if (failed !== undefined) {
    const what = failed.result === "failure" ? "failed" : "had no effect";
    return `${nameOf(failed)} ${what}: ${failed.detail}`;
  }
  const within = ` times within ${duration(windowSeconds)}.`;
  const began = (problem?.openings ?? []).filter(
    (opening) => Math.abs(nowMs - Date.parse(opening)) < windowSeconds * 1000,
  ).length;
  if (began >= threshold) return `It began ${began}${within}`;
  const noted = Math.max(0, ...group.map(notedTimes));
  if (noted >= threshold) return `It was noted ${noted}${within}`;
  const isUnresolved = group.some(({ remediation }) => !remediation.covered);
  const matters = group.some(({ finding }) => finding.severity !== "info");
  // Whoever was asked whether the remedy may be applied knows of it.
  const waits = actions.some(({ refusal }) => refusal === "needs_approval");
  return isUnresolved && matters && !waits ? "No automatic remedy has resolved it." : null;
}

const nameOf = ({ type, target }: ActionRecord): string => (target === null ? type : `${type} ${target}`);

function bodyOf(
  group: readonly Handled[],
  problem: Problem | undefined,
  said: readonly string[],
  nowMs: number,
): Pick<Proposal, "message" | "lines"> {
  const [first] = group;
  const [what = "", ...others] = new Set(group.map(({ finding }) => `What: ${finding.summary}`));
  const lines = [...others, ...said.map((each) => `Why a ticket: ${each}`)];
  if (problem !== undefined) {
    const seconds = Math.max(0, (nowMs - Date.parse(problem.openedAt)) / 1000);
    const within = openingsWithin(problem.openings, nowMs).length;
    const times = within > 1 ? `, ${within} times within a day` : "";
    lines.push(`Since: ${problem.openedAt} (${duration(seconds)})${times}`);
  }
  for (const { finding } of group)
    lines.push(
      `Rule: ${finding.rule} (${finding.description})`,
      ...finding.evidence.slice(0, mostEvidence).map(seen),
    );
  const actions = group.flatMap(done);
  for (const action of actions.slice(0, mostActions))
    lines.push(`Done: ${nameOf(action)}: ${action.refusal ?? action.result}: ${action.detail}`);
  if (actions.length > mostActions) lines.push(`and ${actions.length - mostActions} further actions`);
  if (first !== undefined) lines.push(`More: argus explain ${first.finding.key}`);
  const fit = (line: string) => line.slice(0, longestMessage);
  return { message: fit(what), lines: lines.slice(0, mostLines).map(fit) };
}

function seen({ fact, path, operator, wanted, saw }: Evidence): string {
  const name = path === "" ? fact : `${fact}.${path}`;
  return `Seen: ${name} = ${short(saw)} (the rule: ${operator} ${short(wanted)})`;
}

const short = (value: unknown): string => (value === undefined ? "nothing" : stringify(value)).slice(0, 200);

function reportText({ id, outcome, detail, assessment, observations, proposals }: HandOffReport): string {
  return [
    `Coding agent (${id}): ${outcome}: ${detail}`,
    assessment,
    ...observations.map((text) => `Observed: ${text}`),
    ...proposals.map(
      ({ type, target, reason = "" }) =>
        `Asks for: ${target === undefined ? type : `${type} ${target}`}: ${reason}`,
    ),
  ].join("\n");
}
