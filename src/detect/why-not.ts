/** Why a rule fired or not on a recorded snapshot: the production judge, without the filter, on every entity. */
import type { Evidence } from "../types/trail.ts";
import type { DetectInput } from "./detect.ts";
import type { JudgedRule } from "./load.ts";
import {
  entitiesOf,
  faultSentence,
  hostFactsOf,
  identityOf,
  judgeLook,
  lookAt,
  missingFacts,
} from "./look.ts";
import { type Held, heldFor, streakKey } from "./streaks.ts";

export interface LookAgain {
  /** `host`, or the entity's identity. */
  readonly identity: string;
  /** Empty when it could not be judged for a fault in Argus. */
  readonly key: string;
  readonly holds: boolean | null;
  readonly evidence: readonly Evidence[];
  /** null: the rule does not ask for a streak. */
  readonly held: Held | null;
  /** One sentence, when judging it failed. */
  readonly fault?: string;
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
  const { rule, version } = judged.compiled;
  const shared = hostFactsOf(input.facts);
  const missing = missingFacts(judged, input.facts);
  const looks: LookAgain[] = [];
  for (const entity of entitiesOf(judged, input.facts)) {
    const identity = entity === null ? "host" : identityOf(rule.forEach, entity);
    if (only !== undefined && !only.has(identity)) continue;
    try {
      const look = lookAt(judged, entity, shared, input.problemOf);
      const { holds, evidence } = await judgeLook(judged, look, missing.length > 0);
      const held = heldFor(rule, input.streaks.get(streakKey(version, look.identity)), input.now);
      looks.push({ identity, key: look.key, holds, evidence, held });
    } catch (error) {
      looks.push({ identity, key: "", holds: null, evidence: [], held: null, fault: faultSentence(error) });
    }
  }
  return { missing, looks };
}
