/** Why a rule fired or not on a recorded snapshot: the production judge, without the filter, on every entity. */
import { mark } from "../system/redact/redact.ts";
import type { Evidence } from "../types/trail.ts";
import type { DetectInput } from "./detect.ts";
import type { Judgement } from "./judge.ts";
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
import { type Held, heldFor, momentOf, streakKey } from "./streaks.ts";

export interface LookAgain {
  /** `host`, or the entity's identity. */
  readonly identity: string;
  /** Empty when it could not be judged for a fault in Argus. */
  readonly key: string;
  readonly holds: boolean | null;
  readonly evidence: readonly Evidence[];
  /** null: the rule does not ask for a streak. */
  readonly held: Held | null;
  /** Field of the entity -> what was seen instead, in words: `abandoned` -> `a program reads its output`. */
  readonly reasons: Readonly<Record<string, string>>;
  /** One sentence, when judging it failed. */
  readonly fault?: string;
}

export interface RuleLook {
  readonly missing: readonly string[];
  readonly looks: readonly LookAgain[];
}

export interface LookAgainInput extends Pick<DetectInput, "facts" | "streaks" | "problemOf" | "now"> {
  /** The facts are those that were written down then, without the secrets that the rule saw. */
  readonly recordedAtMs?: number;
}

/** @param only identities to look at; all without it. */
export async function lookAgain(
  judged: JudgedRule,
  input: LookAgainInput,
  only?: ReadonlySet<string>,
): Promise<RuleLook> {
  const { rule, version } = judged.compiled;
  const { recordedAtMs } = input;
  const shared = hostFactsOf(input.facts);
  const missing = missingFacts(judged, input.facts);
  const looks: LookAgain[] = [];
  for (const entity of entitiesOf(judged, input.facts)) {
    const identity = entity === null ? "host" : identityOf(rule.forEach, entity);
    if (only !== undefined && !only.has(identity)) continue;
    try {
      const look = lookAt(judged, entity, shared, input.problemOf);
      const judgement = await judgeLook(judged, look, missing.length > 0);
      const { holds, evidence } = recordedAtMs === undefined ? judgement : asRecorded(judgement);
      const streak = input.streaks.get(streakKey(version, look.identity));
      const now =
        recordedAtMs === undefined || streak === undefined ? input.now : momentOf(recordedAtMs, streak);
      const held = heldFor(rule, streak, now);
      looks.push({ identity, key: look.key, holds, evidence, held, reasons: reasonsOf(entity) });
    } catch (error) {
      looks.push({
        identity,
        key: "",
        holds: null,
        evidence: [],
        held: null,
        reasons: {},
        fault: faultSentence(error),
      });
    }
  }
  return { missing, looks };
}

/**
 * A condition that does not hold on a value of which a part was taken out may have held on the whole value: nobody can
 * say, and a look that failed for such conditions alone is not judged.
 */
function asRecorded({ holds, evidence }: Judgement): Pick<Judgement, "holds" | "evidence"> {
  const doubtful = evidence.map((one) =>
    one.result === false && holdsMark(one.saw) ? { ...one, result: null } : one,
  );
  const stillFails = doubtful.some(({ result }) => result === false);
  const isDoubtful = doubtful.some(
    ({ result }, index) => result === null && evidence[index]?.result === false,
  );
  return { holds: holds === false && isDoubtful && !stillFails ? null : holds, evidence: doubtful };
}

const holdsMark = (value: unknown): boolean =>
  typeof value === "string" ? value.includes(mark) : Array.isArray(value) && value.some(holdsMark);

const noReason = /^not([A-Z])(.*)Because$/;

/** `killable` is told by `notKillableBecause`. */
function reasonsOf(entity: Readonly<Record<string, unknown>> | null): Record<string, string> {
  const reasons: Record<string, string> = {};
  // Of one that lost its parent the collector says more.
  if (entity?.["abandoned"] === false)
    reasons["abandoned"] = "it, or what waits for it, still has its parent";
  for (const [name, value] of Object.entries(entity ?? {})) {
    const field = noReason.exec(name);
    if (field !== null && typeof value === "string") reasons[`${field[1]?.toLowerCase()}${field[2]}`] = value;
  }
  return reasons;
}
