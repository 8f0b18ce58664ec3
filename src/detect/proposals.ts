/** What a finding's rule asks for, in the form that the executor takes. */
import { type ActionRow, actionCatalog, type Proposal } from "../types/action.ts";
import type { ActionRequest, Finding } from "../types/finding.ts";
import type { Facts } from "../types/snapshot.ts";

const askedLast = new Set(["alert", "file_bead", "hand_off"]);

/**
 * One proposal for each action of the rule but `alert`, `file_bead` and `hand_off`: people are told last, and a coding
 * agent is asked last, when it is known what was done.
 */
export function remediesOf(finding: Finding): Proposal[] {
  return finding.actions
    .filter((action) => !askedLast.has(action.type))
    .map((action) => proposalOf(finding, action));
}

/** What an action acts on: left out where the rule was judged on such a thing, it is that one. */
function targetOf({ entity }: Finding, { type, target }: ActionRequest): Pick<Proposal, "target"> {
  if (target !== undefined) return { target };
  const row = Object.entries<ActionRow>(actionCatalog).find(([name]) => name === type)?.[1];
  return row?.ownEntity !== undefined && row.ownEntity === entity?.kind ? { target: entity.identity } : {};
}

/** What went down with another unit comes after it: that one may be up again by then. Everything else stays in order. */
export function dependentsLast(findings: readonly Finding[], { service = [] }: Facts): Finding[] {
  const dependents = new Set(service.flatMap((one) => (one.downBecause === "dependency" ? [one.name] : [])));
  const isDependent = ({ entity }: Finding) => entity?.kind === "service" && dependents.has(entity.identity);
  return [...findings.filter((each) => !isDependent(each)), ...findings.filter(isDependent)];
}

function proposalOf(finding: Finding, action: ActionRequest): Proposal {
  return {
    type: action.type,
    ...targetOf(finding, action),
    ...(action.type === "log" ? { message: (action.message ?? finding.summary).slice(0, 8192) } : {}),
    source: `rule:${finding.rule}`,
    problem: finding.key,
    problemType: finding.type,
    severity: finding.severity,
    subject: finding.subject.slice(0, 1024),
    expect: finding.expect,
    reason: finding.summary.slice(0, 2048),
  };
}
