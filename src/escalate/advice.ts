/** What the model's proposals come to: a finding is resolved by what they achieved, never by what the model says. */
import type { ActionRecord, Proposal } from "../types/action.ts";
import type { Consultation } from "../types/consultation.ts";
import type { Finding } from "../types/finding.ts";
import type { Handled } from "./alerts.ts";
import { nameOf, type Remediation } from "./remediation.ts";

export type Advice = Pick<Consultation, "proposals" | "candidates">;

/**
 * What the model and a coding agent ask for, and before it what a person has said yes to since the model asked for it, as long as the
 * problem is still there and unresolved.
 */
export function adviceOf(
  consultation: Consultation | null,
  approved: readonly Proposal[],
  handled: readonly Handled[],
  agents: readonly { readonly advice: Advice }[] = [],
): Advice {
  const unresolved = new Set(
    handled.filter(({ remediation }) => !remediation.covered).map(({ finding }) => finding.key),
  );
  // One that a rule asked for is asked for by the rule again.
  const due = approved.filter(({ source, problem }) => source.startsWith("llm:") && unresolved.has(problem));
  const candidates = { ...consultation?.candidates };
  for (const { type, target } of due) {
    if (target !== undefined) candidates[type] = [...(candidates[type] ?? []), target];
  }
  for (const { advice } of agents) {
    for (const [type, targets] of Object.entries(advice.candidates))
      candidates[type] = [...(candidates[type] ?? []), ...targets];
  }
  const fromAgents = agents.flatMap(({ advice }) => advice.proposals);
  return { proposals: [...due, ...(consultation?.proposals ?? []), ...fromAgents], candidates };
}

/** Alerts and tickets come last, together with those of the rules. */
export const remediesOfAdvice = (proposals: readonly Proposal[]): Proposal[] =>
  proposals.filter(({ type }) => type !== "alert" && type !== "file_bead");
export const ticketsOfAdvice = (proposals: readonly Proposal[]): Proposal[] =>
  proposals.filter(({ type }) => type === "file_bead");
export const alertsOfAdvice = (proposals: readonly Proposal[]): Proposal[] =>
  proposals.filter(({ type }) => type === "alert");

/** Each unresolved finding with what was done about its problem on the model's advice. */
export function advisedAttempts(
  handled: readonly Handled[],
  actions: readonly ActionRecord[],
): { finding: Finding; actions: ActionRecord[] }[] {
  return handled
    .filter(({ remediation }) => !remediation.covered)
    .map(({ finding }) => ({ finding, actions: actions.filter(({ problem }) => problem === finding.key) }))
    .filter((attempt) => attempt.actions.length > 0);
}

/** @param confirmed the attempts above, looked at again afterwards. */
export function afterAdvice(
  handled: readonly Handled[],
  confirmed: readonly { readonly finding: Finding; readonly actions: readonly ActionRecord[] }[],
): Handled[] {
  const byFinding = new Map(confirmed.map(({ finding, actions }) => [finding, actions]));
  return handled.map((each) => {
    const actions = byFinding.get(each.finding);
    if (actions === undefined) return each;
    const helped = achieved(actions);
    return { ...each, advised: actions, ...(helped === null ? {} : { remediation: helped, isGone: true }) };
  });
}

function achieved(actions: readonly ActionRecord[]): Remediation | null {
  const worked = actions.find(({ result, verified }) => result === "success" && verified === true);
  if (worked === undefined) return null;
  const why = `${nameOf(worked)}, proposed by the model, helped: the rule no longer fires`;
  return { state: "applied", covered: true, why };
}

/** The model's actions with `verified` as the fresh look said; one that failed for any finding did not help. */
export function confirmedAdvice(
  actions: readonly ActionRecord[],
  handled: readonly Handled[],
): ActionRecord[] {
  return actions.map((action, index) => {
    const seen = handled.flatMap(({ finding, advised = [] }) => {
      const own = actions.slice(0, index).filter(({ problem }) => problem === finding.key).length;
      return action.problem === finding.key ? (advised[own] ?? []) : [];
    });
    return seen.find(({ verified }) => verified === false) ?? seen[0] ?? action;
  });
}
