/** What the schema of a condition cannot say: that its fact, path, operator and value fit one another. */
import { withoutQuotes } from "../system/json-faults.ts";
import type { JsonPath } from "../system/json-source.ts";
import { nearest, quoted } from "../system/names.ts";
import { allFacts } from "../types/facts.ts";
import { type Field, fieldsOf, isFactName } from "../types/fields.ts";
import type { Condition, Leaf } from "../types/rules.ts";
import { type ParsedOperator, parseOperator, type ValueType } from "./operators.ts";

export type Say = (path: JsonPath, message: string) => void;

interface Context {
  readonly path: JsonPath;
  /** Facts that the rule may use. */
  readonly available: ReadonlySet<string>;
  readonly say: Say;
}

export const typeWords: Readonly<Record<ValueType, string>> = {
  number: "a number",
  text: "text",
  flag: "true or false",
  list: "a list",
  object: "an object",
};

export function checkCondition(condition: Condition, context: Context): void {
  const below = (...steps: PropertyKey[]): Context => ({ ...context, path: [...context.path, ...steps] });
  if ("all" in condition)
    for (const [index, each] of condition.all.entries()) checkCondition(each, below("all", index));
  else if ("any" in condition)
    for (const [index, each] of condition.any.entries()) checkCondition(each, below("any", index));
  else if ("not" in condition) checkCondition(condition.not, below("not"));
  else checkLeaf(condition, context);
}

function checkLeaf(leaf: Leaf, context: Context): void {
  const { path, say } = context;
  const field = fieldOf(leaf, context);
  const parsed = parseOperator(leaf.operator);
  if ("fault" in parsed) {
    say([...path, "operator"], parsed.fault);
  } else if (field !== null) {
    const sides = sidesOf(parsed, field, leaf.fact);
    if (typeof sides === "string") say([...path, "operator"], sides);
    else checkValue(leaf, parsed, sides, { ...context, path: [...path, "value"] });
  }
}

function checkValue(leaf: Leaf, parsed: ParsedOperator, sides: Sides, context: Context): void {
  const { value } = leaf;
  const say = (fault: string | null) => fault !== null && context.say(context.path, fault);
  if (typeof value === "object" && !Array.isArray(value)) {
    const other = fieldOf(value, context);
    if (other !== null) say(referenceFault(leaf, other, `${value.fact}.${other.path}`, parsed, sides));
  } else if (sides.eachValue) {
    if (!Array.isArray(value)) say(`${leaf.operator} needs a list`);
    else for (const each of value) say(constantFault(each, parsed, sides.left, `${leaf.fact}.${leaf.path}`));
  } else {
    say(constantFault(value, parsed, sides.left, `${leaf.fact}.${leaf.path}`));
  }
}

function fieldOf(
  reference: { fact: string; path?: string | undefined },
  { path, available, say }: Context,
): Field | null {
  const { fact } = reference;
  if (!isFactName(fact)) {
    say([...path, "fact"], `unknown fact ${quoted(fact)}${nearest(fact, Object.keys(allFacts))}`);
    return null;
  }
  if (!available.has(fact)) {
    say([...path, "fact"], `the fact "${fact}" needs "forEach": "${fact}" in this rule`);
    return null;
  }
  const fields = fieldsOf(fact);
  if (reference.path === undefined) {
    say(path, `needs a path into ${fact}; known: ${[...fields.keys()].join(", ")}`);
    return null;
  }
  const field = fields.get(reference.path);
  if (field === undefined) {
    say(
      [...path, "path"],
      `${fact} has no ${quoted(reference.path)}${nearest(reference.path, fields.keys())}`,
    );
  }
  return field ?? null;
}

function firstBelow(fact: string, path: string): string {
  const fields = isFactName(fact) ? [...fieldsOf(fact).keys()] : [];
  return fields.find((each) => each.startsWith(`${path}.`)) ?? path;
}

interface Sides {
  /** What the operator itself gets on the left. */
  readonly left: ValueType;
  /** Whether it gets the elements of the list on the right, one at a time. */
  readonly eachValue: boolean;
}

/** The sides once the decorators have taken their lists apart, or a sentence why they do not fit. */
function sidesOf(parsed: ParsedOperator, field: Field, fact: string): Sides | string {
  let left: ValueType = field.type;
  let eachValue = false;
  for (const decorator of parsed.decorators) {
    if (decorator === "someValue" || decorator === "everyValue") {
      if (eachValue)
        return `has ${decorator}: after another such; a list on the right is taken apart only once`;
      eachValue = true;
    }
    if (decorator !== "someFact" && decorator !== "everyFact") continue;
    if (left !== "list")
      return `${decorator}: needs a list on the left; ${fact}.${field.path} is ${typeWords[left]}`;
    left = "text";
  }
  const fitting = parsed.operator.left;
  if (fitting.includes(left)) return { left, eachValue };
  const wanted = fitting.map((type) => typeWords[type]).join(" or ");
  const mend =
    left === "text" && fitting.includes("list")
      ? "; matches looks into a text"
      : left === "list"
        ? "; put someFact: or everyFact: before it"
        : left === "object"
          ? `; name a field of it, such as ${firstBelow(fact, field.path)}`
          : "";
  return `${parsed.name} needs ${wanted}; ${fact}.${field.path} is ${typeWords[left]}${mend}`;
}

/** The type that a value must have on the right of the operator. */
function rightType({ operator }: ParsedOperator, left: ValueType): ValueType {
  if (operator.right === "list of same") return "list";
  if (operator.right === "number") return "number";
  return operator.right === "same" ? left : "text";
}

const typeOf = (value: unknown): ValueType =>
  Array.isArray(value)
    ? "list"
    : typeof value === "number"
      ? "number"
      : typeof value === "boolean"
        ? "flag"
        : "text";

function constantFault(value: unknown, parsed: ParsedOperator, left: ValueType, name: string): string | null {
  const type = typeOf(value);
  const wanted = rightType(parsed, left);
  if (type !== wanted) {
    const hint = type === "list" ? "; in and notIn take a list" : withoutQuotes(value, typeWords[wanted]);
    return `must be ${typeWords[wanted]} to be compared by ${parsed.name} with ${name}, not ${typeWords[type]}${hint}`;
  }
  if (wanted === "list") {
    const foreign = (value as readonly unknown[]).find((each) => typeOf(each) !== left);
    if (foreign === undefined) return null;
    return `has ${quoted(foreign)}, which is ${typeWords[typeOf(foreign)]}; ${name} is ${typeWords[left]}`;
  }
  const fault = parsed.operator.fault?.(value) ?? null;
  return fault === null ? null : `${quoted(value)} ${fault}`;
}

function referenceFault(
  leaf: Leaf,
  other: Field,
  name: string,
  parsed: ParsedOperator,
  { left, eachValue }: Sides,
): string | null {
  if (parsed.operator.right === "pattern") {
    return `must be a constant; a pattern out of ${name} would be chosen by whoever sets that text`;
  }
  if (eachValue && other.type !== "list")
    return `${leaf.operator} needs a list; ${name} is ${typeWords[other.type]}`;
  const wanted = rightType(parsed, left);
  // The elements of every list are texts.
  const seen = eachValue ? "text" : other.type;
  if (seen === wanted && (wanted !== "list" || left === "text")) return null;
  return `${parsed.name} cannot compare ${leaf.fact}.${leaf.path}, which is ${typeWords[left]}, with ${name}, which is ${typeWords[other.type]}`;
}
