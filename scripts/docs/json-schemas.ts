/** JSON Schemas for editors: the zod schemas, and beside them the names that only Argus's load-time checks know. */
import * as z from "zod";
import { decorators, type Operator, operators, type ValueType } from "../../src/detect/operators.ts";
import { type ActionRow, actionCatalog, actionTypes } from "../../src/types/action.ts";
import { allFacts, type FactName } from "../../src/types/facts.ts";
import { fieldsOf } from "../../src/types/fields.ts";
import { For, Leaf, RuleAction, RuleFile, RuleTestFile } from "../../src/types/rules.ts";
import { SettingsFile } from "../../src/types/settings.ts";

type Json = Record<string, unknown>;

/** Prefixes that leave the field as it is, and those that take a list apart. */
const prefixes = Object.keys(decorators);
const factPrefixes = prefixes.filter((each) => each.endsWith("Fact")).join("|");
const otherPrefixes = `((${prefixes.filter((each) => !each.endsWith("Fact")).join("|")}):)`;

function namesFor(type: ValueType): string[] {
  const all: readonly [string, Operator][] = Object.entries(operators);
  return all.filter(([, { left }]) => left.includes(type)).map(([name]) => name);
}

function operatorFor(type: ValueType): Json {
  const names = namesFor(type);
  const prefixed = [`^${otherPrefixes}+(${names.join("|")})$`];
  if (type === "list")
    prefixed.push(`^${otherPrefixes}*(${factPrefixes}):${otherPrefixes}*(${namesFor("text").join("|")})$`);
  return {
    description: "how it is compared; prefixes such as `not:` or `someFact:` may stand before it",
    anyOf: [{ enum: names }, ...prefixed.map((pattern) => ({ type: "string", pattern }))],
  };
}

const scalarTypes = { number: "number", text: "string", flag: "boolean", list: "string" } as const;

/** A constant of the field's type, several of them, or another field. */
function valueFor(type: keyof typeof scalarTypes): Json {
  const one = { type: scalarTypes[type] };
  return {
    description: Leaf.shape.value.description,
    anyOf: [one, { type: "array", items: one }, { $ref: "#/$defs/reference" }],
  };
}

const factNames = Object.keys(allFacts) as FactName[];

/** One form for each fact and type of field, so that an editor offers what fits the fact that stands there. */
function leafForms(name: unknown): Json {
  const types = Object.keys(scalarTypes) as (keyof typeof scalarTypes)[];
  const forms = factNames.flatMap((fact) =>
    types.flatMap((type) => {
      const fields = [...fieldsOf(fact).values()]
        .filter((field) => field.type === type)
        .map(({ path }) => path);
      if (fields.length === 0) return [];
      const properties = {
        fact: { const: fact },
        path: { enum: fields },
        operator: operatorFor(type),
        value: valueFor(type),
        name,
      };
      return [
        {
          type: "object",
          properties,
          required: ["fact", "path", "operator", "value"],
          additionalProperties: false,
        },
      ];
    }),
  );
  return { anyOf: forms };
}

function referenceForms(): Json {
  const forms = factNames.map((fact) => ({
    type: "object",
    properties: {
      fact: { const: fact },
      path: {
        enum: [...fieldsOf(fact).values()].filter(({ type }) => type !== "object").map(({ path }) => path),
      },
    },
    required: ["fact", "path"],
    additionalProperties: false,
  }));
  return { description: "another field, to compare with", anyOf: forms };
}

function actionForms(): Json {
  return {
    anyOf: Object.entries(actionCatalog).map(([type, row]: [string, ActionRow]) => ({
      type: "object",
      description: row.what,
      properties: {
        type: { const: type },
        ...(row.target === null ? {} : { target: targetOf(row) }),
        ...(row.message
          ? { message: { type: "string", minLength: 1, description: RuleAction.shape.message.description } }
          : {}),
      },
      required: ["type", ...(row.target === null || row.ownEntity !== undefined ? [] : ["target"])],
      additionalProperties: false,
    })),
  };
}

function targetOf(row: ActionRow): Json {
  if (row.ownEntity !== undefined) {
    const otherwise = `the ${row.ownEntity} that the rule was judged on`;
    const description = `${row.target}; a template; when left out, ${otherwise}`;
    return { type: "string", pattern: "^(/|\\{\\{)", description };
  }
  return row.targetTemplate === undefined
    ? { type: "string", minLength: 1, description: `${row.target}; a template` }
    : { const: row.targetTemplate };
}

function replace(schema: Json, content: Json): void {
  for (const key of Object.keys(schema)) delete schema[key];
  Object.assign(schema, content);
}

function jsonSchemaOf(schema: z.ZodType, title: string): Json {
  let hasLeaves = false;
  const { $schema, $defs, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    override({ zodSchema, jsonSchema }) {
      const json = jsonSchema as Json;
      const { properties = {} } = json as { properties?: Json };
      if (zodSchema === Leaf) {
        hasLeaves = true;
        replace(json, leafForms(properties["name"]));
      } else if (zodSchema === RuleAction) replace(json, actionForms());
      else if (zodSchema === For) Object.assign(json, { minProperties: 1, maxProperties: 1 });
      else if (isAskedAction(properties)) Object.assign(properties, { type: { enum: actionTypes } });
    },
  });
  const definitions = hasLeaves ? { $defs: { ...$defs, reference: referenceForms() } } : {};
  return JSON.parse(
    JSON.stringify({ $schema, title, ...rest, ...definitions }).replaceAll("__schema0", "condition"),
  );
}

/** What a rule test expects to be asked for. */
const isAskedAction = (properties: Json): boolean => Object.keys(properties).join() === "type,target";

export const rulesSchema = () => jsonSchemaOf(RuleFile, "Rules of Argus");
export const ruleTestsSchema = () => jsonSchemaOf(RuleTestFile, "Tests of Argus's rules");
export const settingsSchema = () => jsonSchemaOf(SettingsFile, "Settings of Argus (argus.json)");

const lineWidth = 110;

/** As the formatter of this repository writes JSON: lists of plain values on one line where they fit. */
export function jsonText(value: unknown, indent = "", before = 0): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const plain = value.every((each) => each === null || typeof each !== "object");
    const flat = `[${value.map((each) => JSON.stringify(each)).join(", ")}]`;
    if (plain && indent.length + before + flat.length < lineWidth) return flat;
    return `[\n${value.map((each) => inner + jsonText(each, inner)).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  const lines = entries.map(([key, each]) => {
    const name = `${JSON.stringify(key)}: `;
    return `${inner}${name}${jsonText(each, inner, name.length)}`;
  });
  return `{\n${lines.join(",\n")}\n${indent}}`;
}
