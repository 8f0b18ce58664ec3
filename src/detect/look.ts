/** One look of a rule at an entity, or at the host: for `detect`, and for those who ask again why. */
import { problemKey } from "../system/problem-key.ts";
import { redactIdentity } from "../system/redact/redact.ts";
import {
  type Endpoint,
  type Entity,
  type EntityKind,
  entityIdentity,
  type Problem24h,
} from "../types/facts.ts";
import type { ProblemType } from "../types/problem.ts";
import type { Facts } from "../types/snapshot.ts";
import type { Judgement } from "./judge.ts";
import type { JudgedRule } from "./load.ts";
import type { FactValues } from "./template.ts";

export interface Look {
  /** `*` for the host. */
  readonly identity: string;
  readonly entity: Entity | null;
  readonly facts: FactValues;
  readonly key: string;
  readonly type: ProblemType;
  readonly condition: string;
  readonly subject: string;
}

/** Facts the rule needs that were not observed at all. */
export function missingFacts(judged: JudgedRule, facts: Facts): string[] {
  const { rule, facts: needed } = judged.compiled;
  const names = new Set<keyof Facts>(needed);
  if (rule.forEach !== undefined) names.add(rule.forEach);
  return [...names].filter((name) => facts[name] === undefined);
}

/** What the rule ranges over: `null` stands for the host. */
export function entitiesOf(judged: JudgedRule, facts: Facts): readonly (Entity | null)[] {
  const { forEach } = judged.compiled.rule;
  return forEach === undefined ? [null] : (facts[forEach] ?? []);
}

export function hostFactsOf({
  host,
  memory,
  swap,
  load,
  pressure,
  self,
  reboot,
}: Facts): Record<string, unknown> {
  return { host, memory, swap, load, pressure, self, reboot };
}

export function identityOf(kind: EntityKind | undefined, entity: Entity | null): string {
  // It goes into state files, registry and trail.
  return kind === undefined || entity === null ? "*" : redactIdentity(entityIdentity(kind, entity as never));
}

export function lookAt(
  judged: JudgedRule,
  entity: Entity | null,
  shared: FactValues,
  problemOf: (key: string) => Problem24h,
): Look {
  const { rule, templates } = judged.compiled;
  const values = rule.forEach === undefined ? shared : { ...shared, [rule.forEach]: entity };
  const service = silentService(rule.forEach, entity);
  const own = { type: rule.event.type, condition: rule.event.params.condition };
  const { type, condition } = service === null ? own : ({ type: "service", condition: "down" } as const);
  const subject = service ?? templates.subject.render(values);
  const key = problemKey(type, subject, condition);
  return {
    identity: identityOf(rule.forEach, entity),
    entity,
    facts: { ...values, problem: problemOf(key) },
    key,
    type,
    condition,
    subject,
  };
}

/** An endpoint that does not answer is its service being down: unit and endpoint of one service are one problem. */
function silentService(kind: EntityKind | undefined, entity: Entity | null): string | null {
  if (kind !== "endpoint" || entity === null) return null;
  const { ok, service } = entity as Endpoint;
  return ok === false && typeof service === "string" && service !== "" ? service : null;
}

/** @param lacksFact a fact of the rule was not observed: then it is never quiet, whatever its other conditions say. */
export async function judgeLook(judged: JudgedRule, look: Look, lacksFact: boolean): Promise<Judgement> {
  const judgement = await judged.judge(look.facts);
  return judgement.holds === false && lacksFact ? { ...judgement, holds: null } : judgement;
}

/** For people: why a rule could not be judged at all. */
export function faultSentence(error: unknown): string {
  return `could not be judged, because Argus has a fault: ${error instanceof Error ? error.message : String(error)}`;
}
