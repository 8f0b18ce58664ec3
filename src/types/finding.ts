/** One rule fired on one entity, or on the host. */
import type { Expectation } from "./action.ts";
import type { EntityKind } from "./facts.ts";
import type { ProblemType, Severity } from "./problem.ts";
import type { Evidence, RuleVerdict } from "./trail.ts";

/** What a rule asks for, templates filled in. */
export interface ActionRequest {
  readonly type: string;
  readonly target?: string | number;
  readonly message?: string;
}

export interface Finding {
  readonly rule: string;
  readonly description: string;
  readonly file: string;
  readonly line: number;
  readonly priority: number;
  readonly key: string;
  readonly type: ProblemType;
  readonly condition: string;
  readonly severity: Severity;
  readonly subject: string;
  readonly summary: string;
  /** Its state in a few words, such as `failed, signal`; left out where the summary is all there is. */
  readonly was?: string;
  /** What a person should do about it, if the rule says so. */
  readonly advice?: string;
  readonly entity: { readonly kind: EntityKind; readonly identity: string } | null;
  readonly expect: Expectation;
  readonly evidence: readonly Evidence[];
  readonly held: { readonly cycles: number; readonly seconds: number; readonly wanted: string } | null;
  readonly actions: readonly ActionRequest[];
  readonly resolves: boolean;
}

export interface Detection {
  readonly findings: readonly Finding[];
  readonly verdicts: readonly RuleVerdict[];
  /** Rule name -> identities of entities it could not judge; `*` when it could judge none. */
  readonly blindEntities: ReadonlyMap<string, ReadonlySet<string>>;
  /**
   * Keys of problems whose conditions hold, but not yet for as long as the rule wants: still there, so not resolved.
   * Left out: nobody knows them, and no problem of a rule with `waiting` entities counts as gone.
   */
  readonly waitingKeys?: ReadonlySet<string>;
  /** When the first of those conditions will have held for the minutes that its rule wants; null: none. */
  readonly dueInSeconds?: number | null;
  /** What a person should know besides: the stack of a fault in Argus, say. */
  readonly notes?: readonly string[];
}
