/** What became of a finding's remedy, and whether the model or a person is needed besides. Pure. */
import { type ActionRecord, isRemedy, type RefusalReason } from "../types/action.ts";
import type { Finding } from "../types/finding.ts";
import type { RemediationState } from "../types/problem.ts";

export interface Remediation {
  readonly state: RemediationState;
  /** The rule takes care of it: neither the model nor a ticket is needed. Says nothing about whether people are alerted. */
  readonly covered: boolean;
  /** One sentence. */
  readonly why: string;
}

/** Refusals that end by themselves, or with a person's yes: the remedy is still to come. */
const awaited: ReadonlySet<RefusalReason> = new Set([
  "backoff",
  "cooldown",
  "boot_grace",
  "budget_exhausted",
  "duplicate",
  "dependency_down",
  "needs_approval",
]);

/** Refusals that leave the trouble without a remedy for long: the model, or a person, is needed. */
const uncovered: ReadonlySet<RefusalReason> = new Set([
  "invalid",
  "unknown_action",
  "not_allowlisted",
  "protected_target",
  "not_a_candidate",
  "needs_approval",
  "cooldown",
  "budget_exhausted",
]);

/**
 * @param actions what became of what the finding's rule asked for.
 * @param ofCycle all actions of the cycle: what two findings ask for is done once.
 */
export function remediationOf(
  finding: Finding,
  actions: readonly ActionRecord[],
  ofCycle: readonly ActionRecord[] = [],
): Remediation {
  const remedies = actions.filter(({ type }) => isRemedy(type)).map((action) => original(action, ofCycle));
  const { state, why } = outcomeOf(remedies, finding);
  return { state, why, covered: finding.resolves && !actions.some(leavesItOpen) };
}

/** What the same remedy came to that another finding of the cycle asked for first. */
function original(action: ActionRecord, ofCycle: readonly ActionRecord[]): ActionRecord {
  if (action.refusal !== "duplicate") return action;
  const { type, target } = action;
  const isOriginal = (each: ActionRecord) =>
    each.type === type && each.target === target && each.refusal !== "duplicate";
  return ofCycle.find(isOriginal) ?? action;
}

const leavesItOpen = ({ result, refusal, verified }: ActionRecord): boolean =>
  result === "failure" || verified === false || (refusal !== null && uncovered.has(refusal));

function outcomeOf(remedies: readonly ActionRecord[], finding: Finding): Pick<Remediation, "state" | "why"> {
  const failed = remedies.find(({ result, verified }) => result === "failure" || verified === false);
  if (failed !== undefined) {
    const what =
      failed.result === "failure" ? `failed: ${failed.detail}` : "had no effect: the rule still fires";
    return { state: "failed", why: `${nameOf(failed)} ${what}` };
  }
  const applied = remedies.find(({ result }) => result === "success");
  if (applied !== undefined) {
    const seen =
      applied.verified === true
        ? "a fresh look found the condition gone"
        : "what came of it is not known yet";
    return { state: "applied", why: `${nameOf(applied)}: ${seen}` };
  }
  const refused = remedies.find(({ refusal }) => refusal !== null);
  if (refused !== undefined && refused.refusal !== null) {
    const { refusal, detail } = refused;
    return awaited.has(refusal)
      ? { state: "pending", why: `${nameOf(refused)} is awaited (${refusal}): ${detail}` }
      : { state: "withheld", why: `${nameOf(refused)} was refused (${refusal}): ${detail}` };
  }
  const [begun] = remedies;
  if (begun !== undefined) return { state: "pending", why: `${nameOf(begun)} is awaited: ${begun.detail}` };
  const asks = finding.resolves ? "its rule has nothing to repair" : "no rule has a remedy for it";
  return { state: "none", why: asks };
}

export const nameOf = ({ type, target }: Pick<ActionRecord, "type" | "target">): string =>
  target === null ? type : `${type} ${target}`;
