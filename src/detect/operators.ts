/**
 * The comparisons a condition may use. One table serves the engine, the load-time checks, the filter and the
 * reference. json-rules-engine's own operators are replaced by these, because `notEqual` and `notIn` hold on
 * missing data there, and `in` with null throws.
 */
import safeRegex from "safe-regex2";
import type { Field } from "../types/fields.ts";

export type ValueType = Field["type"];

export interface Operator {
  readonly left: readonly ValueType[];
  /** `same`: of the left side's type; `list of same`: a list of such. */
  readonly right: "same" | "list of same" | "number" | "text" | "element";
  readonly what: string;
  evaluate(left: unknown, right: unknown): boolean;
  /** What is wrong with a constant on the right side, beyond its type. */
  readonly fault?: (right: unknown) => string | null;
}

const scalars: readonly ValueType[] = ["number", "text", "flag"];
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const number = (compare: (left: number, right: number) => boolean) => (left: unknown, right: unknown) =>
  typeof left === "number" && typeof right === "number" && compare(left, right);

// A rule is judged on every process; compiling its pattern each time would cost more than matching.
const patterns = new Map<string, RegExp>();
function pattern(source: string): RegExp {
  let compiled = patterns.get(source);
  if (compiled === undefined) {
    compiled = new RegExp(source, "u");
    patterns.set(source, compiled);
  }
  return compiled;
}

function patternFault(right: unknown): string | null {
  try {
    new RegExp(String(right), "u");
  } catch (error) {
    return `is not a regular expression: ${error instanceof Error ? error.message : error}`;
  }
  // A pattern such as (a+)+ takes minutes on a hostile command line of 40 characters.
  return safeRegex(String(right))
    ? null
    : "could take for ever on a hostile text; avoid repeated groups inside repeated groups";
}

export const operators = {
  equal: { left: scalars, right: "same", what: "is the value", evaluate: (left, right) => left === right },
  notEqual: {
    left: scalars,
    right: "same",
    what: "is not the value",
    evaluate: (left, right) => left !== right,
  },
  in: {
    left: scalars,
    right: "list of same",
    what: "is one of the list",
    evaluate: (left, right) => asList(right).includes(left),
  },
  notIn: {
    left: scalars,
    right: "list of same",
    what: "is none of the list",
    evaluate: (left, right) => !asList(right).includes(left),
  },
  lessThan: { left: ["number"], right: "number", what: "is below", evaluate: number((a, b) => a < b) },
  lessThanInclusive: {
    left: ["number"],
    right: "number",
    what: "is at most",
    evaluate: number((a, b) => a <= b),
  },
  greaterThan: { left: ["number"], right: "number", what: "is above", evaluate: number((a, b) => a > b) },
  greaterThanInclusive: {
    left: ["number"],
    right: "number",
    what: "is at least",
    evaluate: number((a, b) => a >= b),
  },
  contains: {
    left: ["list"],
    right: "element",
    what: "has the element",
    evaluate: (left, right) => asList(left).includes(right),
  },
  doesNotContain: {
    left: ["list"],
    right: "element",
    what: "lacks the element",
    evaluate: (left, right) => !asList(left).includes(right),
  },
  matches: {
    left: ["text"],
    right: "text",
    what: "matches the regular expression, anywhere unless it has ^ and $",
    evaluate: (left, right) =>
      typeof left === "string" && typeof right === "string" && pattern(right).test(left),
    fault: patternFault,
  },
} as const satisfies Record<string, Operator>;

export type OperatorName = keyof typeof operators;
export const operatorNames = Object.keys(operators) as OperatorName[];

/** Prefixes as in json-rules-engine: `someFact:matches` holds when some element of the list on the left matches. */
export const decorators = {
  someFact: "holds for some element of the list on the left",
  everyFact: "holds for every element of the list on the left",
  someValue: "holds for some element of the list on the right",
  everyValue: "holds for every element of the list on the right",
  not: "does not hold (still needs the value to be there)",
} as const;
export type DecoratorName = keyof typeof decorators;

export interface ParsedOperator {
  readonly decorators: readonly DecoratorName[];
  readonly name: OperatorName;
  readonly operator: Operator;
}

/** @returns the part that is not known, when there is one. */
export function parseOperator(text: string): ParsedOperator | { unknown: string } {
  const parts = text.split(":");
  const name = parts.pop() ?? "";
  const foreign = parts.find((part) => !Object.hasOwn(decorators, part));
  if (foreign !== undefined) return { unknown: foreign };
  if (!Object.hasOwn(operators, name)) return { unknown: name };
  return {
    decorators: parts as DecoratorName[],
    name: name as OperatorName,
    operator: operators[name as OperatorName],
  };
}
