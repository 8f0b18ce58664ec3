/** How long a problem has been healing: a remedy was applied, and nothing since then speaks against it. Pure. */
import { type ActionRecord, isRemedy } from "../types/action.ts";
import { harmlessRefusals, type Problem, type ProblemAction } from "../types/problem.ts";

/** So long a remedy may take to help before people are alerted. It goes on healing then. */
export const healingSeconds = 60;

/**
 * @param present what was done about it in this cycle.
 * @param begunMs when this Argus began: what one before it applied holds nothing back, as nobody watched what became of it.
 */
export function isHealing(
  problem: Problem | undefined,
  present: readonly ActionRecord[],
  nowMs: number,
  begunMs = Number.NEGATIVE_INFINITY,
): boolean {
  const remedies = present.filter(({ type }) => isRemedy(type));
  const spoils = ({ result, refusal, verified }: ActionRecord) =>
    result === "failure" || verified === false || (result !== "success" && !harmlessRefusals.has(refusal));
  if (remedies.some(spoils)) return false;
  const since = healingSince(problem);
  // A dry run says what would be done, and that would heal it.
  if (since === null)
    return remedies.some(({ result, refusal }) => result === "success" || refusal === "dry_run");
  if (since.ms < begunMs) return false;
  // In both directions: a clock that was set back must not make it silent for hours.
  return Math.abs(nowMs - since.ms) <= healingSeconds * 1000;
}

/** The first of the remedies that were applied one after another, and the last of them; null: it is not healing. */
export const healingSince = (problem: Problem | undefined): Applied | null =>
  problem?.life === "healing" ? appliedLast(problem) : null;

/** The same of a problem that is over: null when it was not healing when it ended. */
export const healedBy = (problem: Problem): Applied | null =>
  problem.resolvedBecause === "healed" ? appliedLast(problem) : healingSince(problem);

interface Applied {
  readonly ms: number;
  readonly last: ProblemAction;
}

function appliedLast(problem: Problem): Applied | null {
  const remedies = problem.actions.filter(
    ({ action, reason }) => isRemedy(action.split(":", 1)[0] ?? "") && !harmlessRefusals.has(reason),
  );
  const lastOther = remedies.findLastIndex(({ result }) => result !== "success");
  const applied = remedies.slice(lastOther + 1);
  const [first] = applied;
  const last = applied.at(-1);
  return first === undefined || last === undefined ? null : { ms: Date.parse(first.ts), last };
}
