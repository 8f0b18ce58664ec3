/** A cycle's findings as they are told: each with its actions, the worst first, many of a kind as one. */
import type { ActionRecord } from "../types/action.ts";
import { severities } from "../types/problem.ts";
import type { TrailCycle, TrailFinding } from "../types/trail.ts";
import { count, duration } from "./values.ts";

export interface Told {
  readonly finding: TrailFinding;
  readonly actions: readonly ActionRecord[];
}

export interface Group {
  readonly rule: string;
  /** To be told one by one. */
  readonly shown: readonly Told[];
  /** To be counted. */
  readonly counted: readonly Told[];
}

export interface Telling {
  readonly groups: readonly Group[];
  /** Actions that belong to none of the findings: recoveries, and proposals too broken to say what for. */
  readonly others: readonly ActionRecord[];
}

/** Of one rule; so many more are counted instead. One or two more would only be hidden. */
const mostOfRule = 3;
const worthCounting = 3;
/** In all: the rest is for `--json` and for `argus explain KEY`. */
const mostInAll = 20;

export function tellFindings({ findings, actions }: TrailCycle): Telling {
  const owners = new Map<TrailFinding, ActionRecord[]>(findings.map((finding) => [finding, []]));
  const byKey = new Map<string, TrailFinding[]>();
  for (const finding of findings) byKey.set(finding.key, [...(byKey.get(finding.key) ?? []), finding]);
  const others: ActionRecord[] = [];
  for (const action of actions) {
    const owner = ownerOf(action, byKey.get(action.problem) ?? []);
    if (owner === undefined) others.push(action);
    else owners.get(owner)?.push(action);
  }

  const byRule = new Map<string, Told[]>();
  const rank = (finding: TrailFinding) => severities.indexOf(finding.severity);
  for (const finding of [...findings].sort((a, b) => rank(a) - rank(b))) {
    byRule.set(finding.rule, [
      ...(byRule.get(finding.rule) ?? []),
      { finding, actions: owners.get(finding) ?? [] },
    ]);
  }
  let left = mostInAll;
  const groups = [...byRule].map(([rule, told]): Group => {
    const wanted = told.length > mostOfRule + worthCounting - 1 ? mostOfRule : told.length;
    const number = Math.min(wanted, left);
    left -= number;
    return { rule, shown: told.slice(0, number), counted: told.slice(number) };
  });
  return { groups, others };
}

/** Several findings may share a key: then the rule that asked for it, and what it is about, tell whose it is. */
function ownerOf(action: ActionRecord, candidates: readonly TrailFinding[]): TrailFinding | undefined {
  const ofRule = candidates.filter(({ rule }) => action.source === `rule:${rule}`);
  return ofRule.find((finding) => isAbout(action, finding)) ?? ofRule[0] ?? candidates[0];
}

function isAbout({ target }: ActionRecord, { subject, entity }: TrailFinding): boolean {
  if (target === null) return false;
  const name = String(target);
  return (
    subject === name ||
    entity?.identity === name ||
    entity?.identity.split("@")[0] === name ||
    entity?.identity.endsWith(`:${name}`) === true
  );
}

export function heldText({ cycles, seconds }: NonNullable<TrailFinding["held"]>): string {
  const looks = count(cycles, "cycle");
  return seconds === 0 ? looks : `${looks} (${duration(seconds)})`;
}
