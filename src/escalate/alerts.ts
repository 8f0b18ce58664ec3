/** Alerts of a cycle: what rules ask to be told, and every unresolved finding that nobody was told about. */
import type { ActionRecord, Proposal } from "../types/action.ts";
import type { Finding } from "../types/finding.ts";
import type { Resolution } from "./resolved.ts";

export interface Handled {
  readonly finding: Finding;
  readonly actions: readonly ActionRecord[];
  readonly resolution: Resolution;
}

/** One proposal for a problem, however many findings it has: one outage is one message. */
export function alertProposals(handled: readonly Handled[]): Proposal[] {
  const byKey = new Map<string, Handled[]>();
  for (const each of handled) byKey.set(each.finding.key, [...(byKey.get(each.finding.key) ?? []), each]);
  return [...byKey.values()].flatMap((group) => alertFor(group) ?? []);
}

function alertFor(group: readonly Handled[]): Proposal | null {
  const telling = group.find(({ finding, resolution }) => asksToTell(finding) || !resolution.resolved);
  if (telling === undefined) return null;
  const { finding } = telling;
  const asked = finding.actions.find((action) => action.type === "alert");
  const more = group.length > 1 ? ` (and ${group.length - 1} more)` : "";
  const done = group.flatMap(({ actions }) => actions).filter((action) => action.type !== "log");
  const said = [
    ...new Set(
      done.map(
        (action) => `${action.type}${action.target === null ? "" : ` ${action.target}`}: ${action.detail}`,
      ),
    ),
  ];
  const lines = [`${asked?.message ?? finding.summary}${more}`, ...said.slice(0, 5)];
  if (said.length > 5) lines.push(`and ${said.length - 5} further actions`);
  if (asked === undefined) lines.push(`Unresolved: ${telling.resolution.why}`);
  return {
    type: "alert",
    message: lines.join("\n").slice(0, 8192),
    source: `rule:${finding.rule}`,
    problem: finding.key,
    problemType: finding.type,
    severity: finding.severity,
    subject: finding.subject.slice(0, 1024),
  };
}

export const asksToTell = (finding: Finding): boolean =>
  finding.actions.some((action) => action.type === "alert");
