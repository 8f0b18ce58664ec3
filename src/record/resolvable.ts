/** Which open problems a look at the machine has shown to be gone. Pure. */
import type { Detection } from "../types/finding.ts";
import type { Problem } from "../types/problem.ts";
import { isOpen } from "./problems.ts";

export interface Gone {
  readonly key: string;
  readonly because: "not_found" | "rule_removed";
}

/**
 * Not to have found a problem is no sign that it is gone: only a rule that could judge its entity, and did not find
 * it, says so. Whatever leaves a doubt keeps it open: a blind rule, conditions that hold but not yet long enough,
 * a rule that fired more often than findings were kept.
 * @param ruleNames all rules in force. A problem none of whose rules is among them is over, as nobody looks any more.
 */
export function resolvable(
  problems: Iterable<Problem>,
  detection: Detection,
  ruleNames: ReadonlySet<string>,
): Gone[] {
  const found = new Set(detection.findings.map((finding) => finding.key));
  const kept = new Map<string, number>();
  for (const { rule } of detection.findings) kept.set(rule, (kept.get(rule) ?? 0) + 1);
  const verdicts = new Map(detection.verdicts.map((verdict) => [verdict.rule, verdict]));

  function saysGone(rule: string, problem: Problem): boolean {
    const verdict = verdicts.get(rule);
    if (verdict === undefined) return false;
    const blind = detection.blindEntities.get(rule);
    if (blind?.has("*") || blind?.has(problem.entity?.identity ?? "*")) return false;
    if (verdict.fired > (kept.get(rule) ?? 0)) return false;
    return detection.waitingKeys === undefined
      ? verdict.waiting === 0
      : !detection.waitingKeys.has(problem.key);
  }

  return [...problems].flatMap((problem): Gone[] => {
    if (!isOpen(problem) || found.has(problem.key) || problem.rules.length === 0) return [];
    const inForce = problem.rules.filter((rule) => ruleNames.has(rule));
    if (inForce.length === 0) return [{ key: problem.key, because: "rule_removed" }];
    return inForce.every((rule) => saysGone(rule, problem))
      ? [{ key: problem.key, because: "not_found" }]
      : [];
  });
}
