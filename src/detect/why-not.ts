/** Why a rule fired or not on a recorded snapshot: the production judge, without the filter, on every entity. */
import { type EntityKind, entityIdentity } from "../types/facts.ts";
import type { Evidence } from "../types/trail.ts";
import { type DetectInput, entitiesOf, hostFactsOf, lookAt, missingFacts } from "./detect.ts";
import type { JudgedRule } from "./load.ts";
import { heldFor, streakKey } from "./streaks.ts";

export interface LookAgain {
  /** `host`, or the entity's identity. */
  readonly identity: string;
  readonly key: string;
  readonly holds: boolean | null;
  readonly evidence: readonly Evidence[];
  /** null: the rule does not ask for a streak. */
  readonly held: {
    readonly cycles: number;
    readonly seconds: number;
    readonly wanted: string;
    readonly enough: boolean;
  } | null;
}

export interface RuleLook {
  readonly missing: readonly string[];
  readonly looks: readonly LookAgain[];
}

/** @param only identities to look at; all without it. */
export async function lookAgain(
  judged: JudgedRule,
  input: Pick<DetectInput, "facts" | "streaks" | "problemOf" | "now">,
  only?: ReadonlySet<string>,
): Promise<RuleLook> {
  const { rule } = judged.compiled;
  const shared = hostFactsOf(input.facts);
  const looks: LookAgain[] = [];
  for (const entity of entitiesOf(judged, input.facts)) {
    const identity = entity === null ? "host" : entityIdentity(rule.forEach as EntityKind, entity as never);
    if (only !== undefined && !only.has(identity)) continue;
    const look = lookAt(judged, entity, shared, input.problemOf);
    const { holds, evidence } = await judged.judge(look.facts);
    const held = heldFor(rule, input.streaks.get(streakKey(rule.name, look.identity)), input.now);
    looks.push({ identity, key: look.key, holds, evidence, held });
  }
  return { missing: missingFacts(judged, input.facts), looks };
}
