/**
 * One rule judged on one set of facts by json-rules-engine, in three values: holds, does not hold, cannot be
 * told. The engine knows two; what it makes of missing data is replaced by a fold over its evaluated leaves.
 */
import { Engine } from "json-rules-engine";
import { valueAt } from "../types/fields.ts";
import type { Condition } from "../types/rules.ts";
import type { Evidence } from "../types/trail.ts";
import { type CompiledRule, leavesOf } from "./compile.ts";
import { parseOperator } from "./operators.ts";
import type { FactValues } from "./template.ts";

export interface Judgement {
  /** null: cannot be told, because something that matters was not observed. */
  readonly holds: boolean | null;
  /** Every condition, evaluated, in the order of the file. */
  readonly evidence: readonly Evidence[];
}

export type Judge = (facts: FactValues) => Promise<Judgement>;

/** What the engine leaves on the nodes of a judged rule's tree (its own type declarations do not have them). */
interface JudgedNode {
  all?: JudgedNode[];
  any?: JudgedNode[];
  not?: JudgedNode;
  fact?: string;
  path?: string;
  operator?: string;
  value?: unknown;
  factResult?: unknown;
  valueResult?: unknown;
  result?: boolean;
}

const engineDefaults = [
  "equal",
  "notEqual",
  "in",
  "notIn",
  "contains",
  "doesNotContain",
  "lessThan",
  "lessThanInclusive",
  "greaterThan",
  "greaterThanInclusive",
];

/**
 * An engine for this rule alone, and one run at a time: overlapping runs of one engine lose results silently, and a
 * fault in one rule must not reject the run of the others.
 */
export function createJudge(compiled: CompiledRule): Judge {
  // Made at the first use: on a healthy machine most rules never need theirs.
  let engine: Engine | null = null;
  let before: Promise<unknown> = Promise.resolve();
  async function judge(facts: FactValues): Promise<Judgement> {
    engine ??= createEngine(compiled);
    const run = await engine.run({ ...facts });
    const result = run.results[0] ?? run.failureResults[0];
    if (result === undefined) throw new Error(`the engine gave no result for rule ${compiled.rule.name}`);
    const evidence: Evidence[] = [];
    const holds = fold(result.conditions as unknown as JudgedNode, evidence);
    return { holds, evidence };
  }
  return (facts) => {
    const own = before.then(() => judge(facts));
    // The failure is the caller's to see; the next one in the queue only waits.
    before = own.catch(() => undefined);
    return own;
  };
}

function createEngine({ rule }: CompiledRule): Engine {
  // `path` would be JSONPath with an expression evaluator that can call methods; ours is a plain dotted path.
  const engine = new Engine([], { allowUndefinedFacts: true, pathResolver: valueAt });
  for (const name of engineDefaults) engine.removeOperator(name);
  // Each with its decorators, under its full name: the engine's own decorators throw on what is no list.
  for (const { operator } of leavesOf(rule.conditions)) {
    const parsed = parseOperator(operator);
    if ("fault" in parsed) throw new Error(parsed.fault);
    engine.addOperator(operator, parsed.compare);
  }
  engine.addRule({
    name: rule.name,
    conditions: rooted(rule.conditions),
    event: { type: rule.event.type },
  } as never);
  return engine;
}

/** The engine wants `all`, `any` or `not` at the root. */
function rooted(condition: Condition): Condition {
  return "fact" in condition ? { all: [condition] } : condition;
}

function fold(node: JudgedNode, evidence: Evidence[]): boolean | null {
  if (node.all !== undefined) {
    const parts = node.all.map((each) => fold(each, evidence));
    return parts.includes(false) ? false : parts.includes(null) ? null : true;
  }
  if (node.any !== undefined) {
    const parts = node.any.map((each) => fold(each, evidence));
    return parts.includes(true) ? true : parts.includes(null) ? null : false;
  }
  if (node.not !== undefined) {
    const inner = fold(node.not, evidence);
    return inner === null ? null : !inner;
  }
  return foldLeaf(node, evidence);
}

function foldLeaf(node: JudgedNode, evidence: Evidence[]): boolean | null {
  if (node.result === undefined)
    throw new Error(`the engine left out the condition on ${node.fact}.${node.path ?? ""}`);
  const missing = isMissing(node.factResult) || isMissing(node.valueResult);
  const result = missing ? null : node.result;
  const reference = node.value as { fact?: string; path?: string } | null;
  const compared = typeof reference === "object" && reference !== null && !Array.isArray(reference);
  evidence.push({
    fact: node.fact ?? "",
    path: node.path ?? "",
    operator: node.operator ?? "",
    // The engine hands out the live object; what is recorded must not change afterwards.
    wanted: structuredClone(node.valueResult ?? null),
    ...(compared ? { wantedFrom: `${reference.fact}.${reference.path ?? ""}` } : {}),
    saw: structuredClone(node.factResult ?? null),
    result,
  });
  return result;
}

const isMissing = (value: unknown): boolean => value === null || value === undefined;
