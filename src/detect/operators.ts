/**
 * The comparisons a condition may use. One table serves the engine, the load-time checks, the filter and the
 * reference. json-rules-engine's own operators are replaced by these, because `notEqual` and `notIn` hold on
 * missing data there, and `in` with null throws.
 */
import { nearest, quoted } from "../system/names.ts";
import type { Field } from "../types/fields.ts";
import { matches, patternFault } from "./pattern.ts";

export type ValueType = Field["type"];

export interface Operator {
  readonly left: readonly ValueType[];
  /**
   * `same`: of the left side's type; `list of same`: a list of such; `element`: a text, as all lists have;
   * `pattern`: a constant, because a pattern out of a fact would be one that anybody on the machine may choose.
   */
  readonly right: "same" | "list of same" | "number" | "pattern" | "element";
  readonly what: string;
  evaluate(left: unknown, right: unknown): boolean;
  /** What is wrong with a constant on the right side, beyond its type. */
  readonly fault?: (right: unknown) => string | null;
}

const scalars: readonly ValueType[] = ["number", "text", "flag"];
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const number = (compare: (left: number, right: number) => boolean) => (left: unknown, right: unknown) =>
  typeof left === "number" && typeof right === "number" && compare(left, right);

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
    right: "pattern",
    what: "matches the regular expression, anywhere unless it has ^ and $",
    evaluate: (left, right) => typeof left === "string" && typeof right === "string" && matches(left, right),
    fault: (right) => patternFault(String(right)),
  },
} as const satisfies Record<string, Operator>;

export type OperatorName = keyof typeof operators;
export const operatorNames = Object.keys(operators) as OperatorName[];

type Compare = (left: unknown, right: unknown) => boolean;

/** Prefixes as in json-rules-engine: `someFact:matches` holds when some element of the list on the left matches. */
export const decorators = {
  someFact: {
    what: "holds for some element of the list on the left",
    apply:
      (next: Compare): Compare =>
      (left, right) =>
        asList(left).some((each) => next(each, right)),
  },
  everyFact: {
    what: "holds for every element of the list on the left (also of an empty one)",
    apply:
      (next: Compare): Compare =>
      (left, right) =>
        asList(left).every((each) => next(each, right)),
  },
  someValue: {
    what: "holds for some element of the list on the right",
    apply:
      (next: Compare): Compare =>
      (left, right) =>
        asList(right).some((each) => next(left, each)),
  },
  everyValue: {
    what: "holds for every element of the list on the right",
    apply:
      (next: Compare): Compare =>
      (left, right) =>
        asList(right).every((each) => next(left, each)),
  },
  not: {
    what: "does not hold (the value must still be there)",
    apply:
      (next: Compare): Compare =>
      (left, right) =>
        !next(left, right),
  },
} as const;
export type DecoratorName = keyof typeof decorators;

export interface ParsedOperator {
  readonly decorators: readonly DecoratorName[];
  readonly name: OperatorName;
  readonly operator: Operator;
  /** The operator with its decorators, the first of them outermost. Never throws, whatever the two values are. */
  readonly compare: Compare;
}

/** @returns a sentence about the part that is not known, when there is one. */
export function parseOperator(text: string): ParsedOperator | { fault: string } {
  const parts = text.split(":");
  const name = parts.pop() ?? "";
  const foreign = parts.find((part) => !Object.hasOwn(decorators, part));
  if (foreign !== undefined) {
    return { fault: `unknown prefix ${quoted(`${foreign}:`)}${nearest(foreign, Object.keys(decorators))}` };
  }
  if (!Object.hasOwn(operators, name))
    return { fault: `unknown operator ${quoted(name)}${meantOperator(name)}` };
  const prefixes = parts as DecoratorName[];
  const operator: Operator = operators[name as OperatorName];
  const compare = prefixes.reduceRight<Compare>(
    (next, prefix) => decorators[prefix].apply(next),
    operator.evaluate,
  );
  return { decorators: prefixes, name: name as OperatorName, operator, compare };
}

/** What other rule languages call our operators. */
const otherNames: Readonly<Record<string, OperatorName>> = {
  "=": "equal",
  "==": "equal",
  "===": "equal",
  eq: "equal",
  is: "equal",
  "!=": "notEqual",
  "!==": "notEqual",
  ne: "notEqual",
  "<": "lessThan",
  lt: "lessThan",
  "<=": "lessThanInclusive",
  lte: "lessThanInclusive",
  ">": "greaterThan",
  gt: "greaterThan",
  ">=": "greaterThanInclusive",
  gte: "greaterThanInclusive",
  "=~": "matches",
  "~": "matches",
  like: "matches",
  regex: "matches",
  regexp: "matches",
};

function meantOperator(unknown: string): string {
  const word = unknown.toLowerCase();
  const known = Object.hasOwn(otherNames, word) ? otherNames[word] : undefined;
  return known === undefined ? nearest(unknown, operatorNames) : `; did you mean "${known}"?`;
}
