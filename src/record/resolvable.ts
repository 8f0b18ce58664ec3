/** Which open problems a look at the machine has shown to be gone. Pure. */
import type { Service } from "../types/facts.ts";
import type { Detection, Finding } from "../types/finding.ts";
import type { closings, Problem } from "../types/problem.ts";
import type { Facts } from "../types/snapshot.ts";
import { isOpen } from "./problems.ts";

export interface Gone {
  readonly key: string;
  /** Of `stopped` and `not_watched` nobody can say that it is well again. */
  readonly because: "not_found" | (typeof closings)[number];
}

/** What of a problem whose subject is a service the service itself says. */
type Answer = Gone["because"] | "not yet";

/**
 * Not to have found a problem is no sign that it is gone: only a rule that could judge its entity, and did not find
 * it, says so. Whatever leaves a doubt keeps it open: a blind rule, conditions that hold but not yet long enough,
 * a rule that fired more often than findings were kept.
 * @param seen services and endpoints of this cycle; undefined: nobody saw them.
 * @param ruleNames all rules in force. A problem none of whose rules is among them is over, as nobody looks any more.
 * @param repaired findings whose conditions a look after the remedy found gone.
 */
export function resolvable(
  problems: Iterable<Problem>,
  detection: Detection,
  ruleNames: ReadonlySet<string>,
  seen: Pick<Facts, "service" | "endpoint"> = {},
  repaired: ReadonlySet<Finding> = new Set(),
): Gone[] {
  const found = new Set(detection.findings.filter((each) => !repaired.has(each)).map(({ key }) => key));
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
    if (!inForce.every((rule) => saysGone(rule, problem))) return [];
    const because = answerOf(problem, seen);
    return because === "not yet" ? [] : [{ key: problem.key, because }];
  });
}

/** Conditions that end when the service runs, and by nothing else. */
const untilUp = new Set(["down", "failed"]);

/** A service that is neither down nor up yet, as one that starts for ever, is not well again. */
function answerOf(problem: Problem, { service, endpoint }: Pick<Facts, "service" | "endpoint">): Answer {
  const { type, entity } = problem;
  if (type === "endpoint" && entity?.kind === "endpoint" && endpoint !== undefined) {
    // Not probed any more; or still silent, and now a problem of its service.
    const answers = endpoint.some(({ name, ok }) => name === entity.identity && ok);
    return answers ? "not_found" : "not_watched";
  }
  return service === undefined ? "not_found" : ofService(problem, service);
}

function ofService({ type, condition, subject, entity }: Problem, services: readonly Service[]): Answer {
  if (type !== "service" || !untilUp.has(condition)) return "not_found";
  const name = entity?.kind === "service" ? entity.identity : subject;
  const service = services.find((one) => one.name === name);
  // One that argus.json does not name is listed while it is failed, or on its way from there.
  if (service === undefined) return condition === "failed" ? "not_found" : "not_watched";
  if (condition === "down" && !service.watched) return "not_watched";
  if (service.status === "stopped" || service.status === "masked") return "stopped";
  if (service.status === "not-installed") return "not_watched";
  return service.activeState === "active" || service.status === "waiting" ? "not_found" : "not yet";
}
