/** How long a problem has been healing: a remedy was applied, and nothing since then speaks against it. Pure. */
import { type ActionRecord, isRemedy } from "../types/action.ts";
import type { Problem, ProblemAction } from "../types/problem.ts";

/** So long a remedy may take to help before people are alerted. It goes on healing then. */
export const healingSeconds = 60;

/** Refusals that do not speak against the remedy before. */
const harmless: ReadonlySet<string | null> = new Set(["not_needed", "target_gone", "duplicate", "dry_run"]);

/** @param present what was done about it in this cycle. */
export function isHealing(
  problem: Problem | undefined,
  present: readonly ActionRecord[],
  nowMs: number,
): boolean {
  const remedies = present.filter(({ type }) => isRemedy(type));
  const spoils = ({ result, refusal, verified }: ActionRecord) =>
    result === "failure" || verified === false || (result !== "success" && !harmless.has(refusal));
  if (remedies.some(spoils)) return false;
  const since = healingSince(problem);
  if (since === null) return remedies.some(({ result }) => result === "success");
  // In both directions: a clock that was set back must not make it silent for hours.
  return Math.abs(nowMs - since.ms) <= healingSeconds * 1000;
}

/** The first of the remedies that were applied one after another, and the last of them; null: it is not healing. */
export function healingSince(
  problem: Problem | undefined,
): { readonly ms: number; readonly last: ProblemAction } | null {
  if (problem?.life !== "healing") return null;
  const remedies = problem.actions.filter(
    ({ action, reason }) => isRemedy(action.split(":", 1)[0] ?? "") && !harmless.has(reason),
  );
  const lastOther = remedies.findLastIndex(({ result }) => result !== "success");
  const applied = remedies.slice(lastOther + 1);
  const [first] = applied;
  const last = applied.at(-1);
  return first === undefined || last === undefined ? null : { ms: Date.parse(first.ts), last };
}
