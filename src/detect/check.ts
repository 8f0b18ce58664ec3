/** What the schema of a rule cannot say: that its facts, paths, operators, values, templates and actions fit. */
import { type JsonPath, nearest } from "../system/json-source.ts";
import { type ActionRow, actionCatalog, actionTypes } from "../types/action.ts";
import { allFacts, hostFacts } from "../types/facts.ts";
import { type Field, fieldsOf, isFactName } from "../types/fields.ts";
import type { Condition, Leaf, Rule } from "../types/rules.ts";
import {
  decorators,
  operatorNames,
  type ParsedOperator,
  parseOperator,
  type ValueType,
} from "./operators.ts";
import { parseTemplate, type Template } from "./template.ts";

export type Say = (path: JsonPath, message: string) => void;

/** Facts that a rule may use: the host's, its problem's, and the entity it ranges over. */
export function availableFacts(rule: Rule): Set<string> {
  return new Set([
    ...Object.keys(hostFacts),
    "problem",
    ...(rule.forEach === undefined ? [] : [rule.forEach]),
  ]);
}

function fieldOf(
  reference: { fact: string; path?: string | undefined },
  path: JsonPath,
  available: Set<string>,
  say: Say,
): Field | null {
  const { fact } = reference;
  if (!isFactName(fact)) {
    say([...path, "fact"], `unknown fact "${fact}"${nearest(fact, Object.keys(allFacts))}`);
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
  if (field !== undefined) return field;
  say([...path, "path"], `${fact} has no "${reference.path}"${nearest(reference.path, fields.keys())}`);
  return null;
}

const typeOf = (value: unknown): ValueType =>
  Array.isArray(value)
    ? "list"
    : typeof value === "number"
      ? "number"
      : typeof value === "boolean"
        ? "flag"
        : "text";

const words: Record<ValueType, string> = {
  number: "a number",
  text: "text",
  flag: "true or false",
  list: "a list",
  object: "an object",
};

/** The types on both sides once the decorators have taken their lists apart; null: a sentence was said. */
function undecorated(
  parsed: ParsedOperator,
  field: Field,
  path: JsonPath,
  say: Say,
): { left: ValueType; eachValue: boolean } | null {
  let left: ValueType = field.type;
  let eachValue = false;
  for (const decorator of parsed.decorators) {
    if (decorator === "someValue" || decorator === "everyValue") eachValue = true;
    if (decorator !== "someFact" && decorator !== "everyFact") continue;
    if (left !== "list") {
      say([...path, "operator"], `${decorator}: needs a list; ${field.path} is ${words[left]}`);
      return null;
    }
    left = "text";
  }
  return { left, eachValue };
}

function checkValue(
  leaf: Leaf,
  path: JsonPath,
  parsed: ParsedOperator,
  left: ValueType,
  values: readonly unknown[],
  say: Say,
): void {
  const { operator, name } = parsed;
  for (const value of values) {
    const type = typeOf(value);
    const wanted: ValueType =
      operator.right === "number"
        ? "number"
        : operator.right === "text" || operator.right === "element"
          ? "text"
          : left;
    if (operator.right === "list of same") {
      if (type !== "list") {
        say([...path, "value"], `${name} needs a list`);
        continue;
      }
      const foreign = (value as unknown[]).find((each) => typeOf(each) !== left);
      if (foreign !== undefined)
        say(
          [...path, "value"],
          `${JSON.stringify(foreign)} is ${words[typeOf(foreign)]}; ${leaf.fact}.${leaf.path} is ${words[left]}`,
        );
    } else if (type !== wanted) {
      say(
        [...path, "value"],
        `must be ${words[wanted]} to be compared by ${name} with ${leaf.fact}.${leaf.path}, not ${words[type]}`,
      );
    } else {
      const fault = operator.fault?.(value) ?? null;
      if (fault !== null) say([...path, "value"], `${JSON.stringify(value)} ${fault}`);
    }
  }
}

function checkLeaf(leaf: Leaf, path: JsonPath, available: Set<string>, say: Say): void {
  const field = fieldOf(leaf, path, available, say);
  const parsed = parseOperator(leaf.operator);
  if ("unknown" in parsed) {
    say(
      [...path, "operator"],
      `unknown operator "${parsed.unknown}"${nearest(parsed.unknown, [...operatorNames, ...Object.keys(decorators)])}`,
    );
    return;
  }
  if (field === null) return;
  const sides = undecorated(parsed, field, path, say);
  if (sides === null) return;
  if (!(parsed.operator.left as readonly ValueType[]).includes(sides.left)) {
    say(
      [...path, "operator"],
      `${parsed.name} needs ${parsed.operator.left.map((type) => words[type]).join(" or ")}; ${leaf.fact}.${field.path} is ${words[sides.left]}`,
    );
    return;
  }
  const { value } = leaf;
  if (typeof value === "object" && !Array.isArray(value)) {
    const other = fieldOf(value, [...path, "value"], available, say);
    if (other !== null && other.type !== sides.left && parsed.operator.right !== "element") {
      say([...path, "value"], `compares ${words[sides.left]} with ${words[other.type]}`);
    }
    return;
  }
  if (sides.eachValue && !Array.isArray(value))
    return say([...path, "value"], `${leaf.operator} needs a list`);
  checkValue(leaf, path, parsed, sides.left, sides.eachValue ? (value as unknown[]) : [value], say);
}

function checkCondition(condition: Condition, path: JsonPath, available: Set<string>, say: Say): void {
  if ("all" in condition)
    condition.all.forEach((each, index) => checkCondition(each, [...path, "all", index], available, say));
  else if ("any" in condition)
    condition.any.forEach((each, index) => checkCondition(each, [...path, "any", index], available, say));
  else if ("not" in condition) checkCondition(condition.not, [...path, "not"], available, say);
  else checkLeaf(condition, path, available, say);
}

/** The identity of what is ended comes from the entity that was judged, never from a text. */
function checkActions(rule: Rule, say: Say): void {
  (rule.event.params.actions ?? []).forEach((action, index) => {
    const path = ["event", "params", "actions", index];
    const row: ActionRow | undefined = Object.hasOwn(actionCatalog, action.type)
      ? actionCatalog[action.type as keyof typeof actionCatalog]
      : undefined;
    if (row === undefined)
      return say([...path, "type"], `unknown action "${action.type}"${nearest(action.type, actionTypes)}`);
    if (row.forEach !== undefined && rule.forEach !== row.forEach) {
      return say(
        path,
        `${action.type} needs "forEach": "${row.forEach}", so that it is known which one was seen`,
      );
    }
    if (row.target === null && action.target !== undefined)
      say([...path, "target"], `${action.type} takes no target`);
    if (row.target !== null && action.target === undefined)
      say(path, `${action.type} needs a target (${row.target})`);
    if (
      row.targetTemplate !== undefined &&
      action.target !== undefined &&
      action.target !== row.targetTemplate
    ) {
      say([...path, "target"], `must be "${row.targetTemplate}", the one that the rule was judged on`);
    }
    if (!row.message && action.message !== undefined) {
      say([...path, "message"], `${action.type} takes no message; only alert and log do`);
    }
  });
}

export interface RuleTemplates {
  readonly subject: Template;
  readonly summary: Template;
  readonly actions: readonly { readonly target: Template | null; readonly message: Template | null }[];
}

/** @returns the parsed templates; of use only when nothing was said. */
export function checkRule(rule: Rule, path: JsonPath, sayAt: Say): RuleTemplates | null {
  let faults = 0;
  const say: Say = (below, message) => {
    faults += 1;
    sayAt([...path, ...below], message);
  };
  const available = availableFacts(rule);
  checkCondition(rule.conditions, ["conditions"], available, say);
  checkActions(rule, say);
  if (rule.for !== undefined && (rule.for.cycles === undefined) === (rule.for.minutes === undefined)) {
    say(["for"], 'needs either "cycles" or "minutes"');
  }
  const parse = (source: string, below: JsonPath): Template | null => {
    const parsed = parseTemplate(source, available);
    if ("fault" in parsed) say(below, parsed.fault);
    return "fault" in parsed ? null : parsed;
  };
  const { params } = rule.event;
  const subject = parse(params.subject, ["event", "params", "subject"]);
  // One host's memory at 80 to 91 % once made 130 tickets in 44 hours: a number in the identity is a new problem each time.
  const varying = subject?.holes.find((hole) => hole.type !== "text");
  if (varying !== undefined) {
    say(
      ["event", "params", "subject"],
      `{{${varying.fact}.${varying.path}}} is ${words[varying.type]} and may vary, but the subject is the problem's identity; use a text such as a name`,
    );
  }
  const summary = parse(params.summary, ["event", "params", "summary"]);
  const actions = (params.actions ?? []).map((action, index) => ({
    target:
      action.target === undefined
        ? null
        : parse(action.target, ["event", "params", "actions", index, "target"]),
    message:
      action.message === undefined
        ? null
        : parse(action.message, ["event", "params", "actions", index, "message"]),
  }));
  return faults > 0 || subject === null || summary === null ? null : { subject, summary, actions };
}
