/** What is put before the model: the problems that no rule resolves, and what identifies a set of them. Pure. */
import { type ActionRecord, isWord } from "../types/action.ts";
import { severities } from "../types/problem.ts";
import type { Handled } from "./alerts.ts";

/** All unresolved findings of one problem. The first one is the worst. */
export interface Unresolved {
  readonly key: string;
  readonly findings: readonly [Handled, ...Handled[]];
  /** `service-down:restart_service`: remedies of rules that failed, had no effect or were refused. */
  readonly failed: readonly string[];
}

/** One entry for each problem, the worst first, then in the order of the rules. */
export function unresolvedOf(handled: readonly Handled[]): Unresolved[] {
  const byKey = new Map<string, Handled[]>();
  for (const each of handled) {
    if (each.remediation.covered || waitsForPerson(each)) continue;
    byKey.set(each.finding.key, [...(byKey.get(each.finding.key) ?? []), each]);
  }
  const rank = ({ finding }: Handled) => severities.indexOf(finding.severity);
  const groups = [...byKey].flatMap(([key, group]) => {
    const [first, ...rest] = [...group].sort((a, b) => rank(a) - rank(b));
    return first === undefined
      ? []
      : [{ key, findings: [first, ...rest] as const, failed: failedRemedies(group) }];
  });
  return groups.sort((a, b) => rank(a.findings[0]) - rank(b.findings[0]));
}

/** Somebody is asked already whether the remedy may be applied. */
const waitsForPerson = ({ actions }: Handled): boolean =>
  actions.some(({ refusal }) => refusal === "needs_approval");

/** Only which remedy failed, never how or how often: a cooldown after a failure is no news. */
function failedRemedies(group: readonly Handled[]): string[] {
  const failed = group.flatMap(({ finding, actions }) =>
    actions.filter(isWithoutEffect).map(({ type }) => `${finding.rule}:${type}`),
  );
  return [...new Set(failed)].sort();
}

function isWithoutEffect({ type, result, refusal, verified }: ActionRecord): boolean {
  if (isWord(type)) return false;
  return result === "failure" || verified === false || refusal !== null;
}
