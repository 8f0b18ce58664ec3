/** The reference at the end of docs/rules.md, read off the schemas and tables that Argus itself works with. */
import * as z from "zod";
import { decorators, operators, type ValueType } from "../../src/detect/operators.ts";
import { formats } from "../../src/detect/template.ts";
import { type ActionRow, actionCatalog } from "../../src/types/action.ts";
import { entityKinds, type FactName, historyFacts, hostFacts } from "../../src/types/facts.ts";
import { type Field, fieldsOf } from "../../src/types/fields.ts";
import { Rule, RuleTest } from "../../src/types/rules.ts";
import { code, table } from "./markdown.ts";
import { typeOf } from "./types.ts";

const units: readonly [RegExp, string][] = [
  [/GrowthPerHour$/, "bytes an hour"],
  [/Bytes$/, "bytes"],
  [/MegabytesPerSecond$/, "MB/s"],
  [/Milliseconds$/, "ms"],
  [/Seconds$/, "s"],
  [/Hours$/, "hours"],
  [/[pP]ercent$|(Some|Full)10$/, "%"],
  [/^startTime$/, "ticks"],
];

function typeCell({ path, type, nullable }: Field): string {
  const name = path.split(".").at(-1) ?? path;
  const unit = type === "number" ? units.find(([pattern]) => pattern.test(name))?.[1] : undefined;
  const words: Record<Field["type"], string> = {
    number: "number",
    text: "text",
    flag: "true/false",
    list: "list of texts",
    object: "object",
  };
  return `${words[type]}${unit === undefined ? "" : `, ${unit}`}${nullable ? ", or null" : ""}`;
}

function factTable(fact: FactName): string {
  const rows = [...fieldsOf(fact).values()].map((field) => [
    code(field.path),
    typeCell(field),
    field.description,
  ]);
  return `#### ${fact}\n\n${table(["field", "type", "what it is"], rows)}`;
}

export function factsReference(): string {
  const each = (names: readonly FactName[]) => names.map(factTable).join("\n\n");
  return [
    "### Facts about the host",
    "Every rule may read these.",
    each(Object.keys(hostFacts) as FactName[]),
    "### Facts about the finding's problem",
    each(Object.keys(historyFacts) as FactName[]),
    "### Facts for `forEach`",
    'A rule with `"forEach": "disk"` is judged once for each disk, and reads it as the fact `disk`.',
    each(entityKinds),
  ].join("\n\n");
}

const typeWords: Record<ValueType, string> = {
  number: "a number",
  text: "a text",
  flag: "true/false",
  list: "a list",
  object: "an object",
};

const rightWords: Record<(typeof operators)[keyof typeof operators]["right"], string> = {
  same: "the same type",
  "list of same": "a list of the same type",
  number: "a number",
  pattern: "a regular expression",
  element: "a text",
};

export function operatorsReference(): string {
  const rows = Object.entries(operators).map(([name, { left, right, what }]) => [
    code(name),
    left.map((type) => typeWords[type]).join(", "),
    rightWords[right],
    what,
  ]);
  const prefixes = Object.entries(decorators).map(([name, { what }]) => [code(`${name}:`), what]);
  return [
    table(["operator", "field", "value", "holds when the field"], rows),
    "Before an operator may stand:",
    table(["prefix", "the comparison"], prefixes),
  ].join("\n\n");
}

export function actionsReference(): string {
  const rows = Object.entries(actionCatalog).map(([name, action]: [string, ActionRow]) => [
    code(name),
    action.target === null
      ? "none"
      : action.targetTemplate === undefined
        ? action.target
        : code(action.targetTemplate),
    action.message ? "yes, else the summary" : "no",
    action.forEach === undefined ? "any" : `with ${code(`"forEach": "${action.forEach}"`)}`,
    action.what,
  ]);
  return table(["action", "target", "message", "in rules", "does"], rows);
}

export function formatsReference(): string {
  return table(
    ["format", "shows"],
    Object.entries(formats).map(([name, { what }]) => [code(`{{fact.field|${name}}}`), what]),
  );
}

/** One row for each key of an object, those of objects inside it after it. */
function keyRows(prefix: string, schema: z.ZodObject): string[][] {
  return Object.entries(schema.shape).flatMap(([key, member]) => {
    const path = `${prefix}${key}`;
    const { word, required, inner, description } = typeOf(member);
    const row = [code(path), `${word}${required ? "" : ", optional"}`, description];
    return inner === null ? [row] : [row, ...keyRows(`${path}.`, inner)];
  });
}

export function ruleKeysReference(): string {
  return table(["key", "type", "what it is"], keyRows("", Rule));
}

export function testKeysReference(): string {
  const { snapshot: _, ...given } = RuleTest.shape.given.shape;
  const rows = keyRows(
    "",
    z.strictObject({
      ...RuleTest.shape,
      given: z.strictObject(given).describe(RuleTest.shape.given.description ?? ""),
    }),
  );
  const at = rows.findIndex(([key]) => key === code("given")) + 1;
  rows.splice(at, 0, [
    code("given.snapshot"),
    "object",
    RuleTest.shape.given.shape.snapshot.description ?? "",
  ]);
  return table(["key", "type", "what it is"], rows);
}
