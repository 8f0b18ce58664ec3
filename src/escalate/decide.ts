/** Whether the model is asked about this cycle, and why not. Pure. */
import type { ModelAnswer } from "../types/trail.ts";

export interface Situation {
  readonly findings: number;
  readonly unresolved: number;
  readonly paused: boolean;
  readonly diskGuard: boolean;
  readonly dryRun: boolean;
}

export interface ModelDecision {
  readonly asked: boolean;
  readonly why: ModelAnswer;
  readonly detail: string;
}

export function decideModel(situation: Situation): ModelDecision {
  const { findings, unresolved } = situation;
  const not = (why: ModelAnswer, detail: string): ModelDecision => ({ asked: false, why, detail });
  const things = `${unresolved} unresolved finding${unresolved === 1 ? "" : "s"}`;
  if (findings === 0) return not("nothing_found", "no rule fired");
  if (unresolved === 0) return not("every_finding_resolved", "rules cover all that was found");
  if (situation.paused) return not("paused", `${things}, but Argus is paused`);
  if (situation.dryRun) return not("dry_run", `${things}, but a dry run asks nobody`);
  if (situation.diskGuard) return not("disk_guard", `${things}, but less than 100 MB are free for the state`);
  return not("no_key", `${things}, but ANTHROPIC_API_KEY is not set, so they alert by themselves`);
}
