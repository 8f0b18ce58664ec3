/** Which findings their rules took care of. The model, or a person, is for the others. */
import { type ActionRecord, isRemedy, type RefusalReason } from "../types/action.ts";
import type { Finding } from "../types/finding.ts";

export interface Resolution {
  readonly resolved: boolean;
  /** One sentence. */
  readonly why: string;
}

/** Refusals that leave the trouble without a remedy. The others mean: not needed, not yet, or somebody else's wish. */
const withoutRemedy: ReadonlySet<RefusalReason> = new Set([
  "invalid",
  "unknown_action",
  "not_allowlisted",
  "protected_target",
  "not_a_candidate",
  "needs_approval",
  "cooldown",
  "budget_exhausted",
]);

/** @param actions what became of the actions that this finding's rule asked for. */
export function resolutionOf(finding: Finding, actions: readonly ActionRecord[]): Resolution {
  if (!finding.resolves) {
    const acts = finding.actions.some(({ type }) => isRemedy(type));
    const why = acts ? "its rule does not take its actions for a remedy" : "its rule knows no remedy";
    return { resolved: false, why };
  }
  for (const action of actions) {
    const name = action.target === null ? action.type : `${action.type} ${action.target}`;
    if (action.result === "failure") return { resolved: false, why: `${name} failed: ${action.detail}` };
    if (action.refusal !== null && withoutRemedy.has(action.refusal)) {
      return { resolved: false, why: `${name} was refused (${action.refusal}): ${action.detail}` };
    }
    if (action.verified === false)
      return { resolved: false, why: `${name} had no effect: the rule still fires` };
  }
  if (actions.length === 0) return { resolved: true, why: "the rule says that nobody else need look" };
  return { resolved: true, why: "the rule's actions are the remedy, and none failed or is exhausted" };
}
