/** What a dotted path into a fact leads to, read off the schemas: for load-time checks and the reference. */
import * as z from "zod";
import { allFacts, type FactName } from "./facts.ts";

export interface Field {
  readonly path: string;
  readonly type: "number" | "text" | "flag" | "list" | "object";
  readonly nullable: boolean;
  readonly description: string;
}

function describe(path: string, schema: unknown): Field[] {
  let inner = schema;
  let nullable = false;
  let description = inner instanceof z.ZodType ? (inner.description ?? "") : "";
  // What may be missing was not observed either.
  while (inner instanceof z.ZodNullable || inner instanceof z.ZodOptional) {
    nullable = true;
    inner = inner.unwrap();
  }
  if (inner instanceof z.ZodType) description = description || (inner.description ?? "");
  const row = (type: Field["type"]): Field => ({ path, type, nullable, description });
  if (inner instanceof z.ZodNumber) return [row("number")];
  if (inner instanceof z.ZodString) return [row("text")];
  if (inner instanceof z.ZodBoolean) return [row("flag")];
  if (inner instanceof z.ZodArray) return [row("list")];
  if (inner instanceof z.ZodObject) return [row("object"), ...fieldsBelow(`${path}.`, inner)];
  throw new Error(`no field type for ${path}`);
}

function fieldsBelow(prefix: string, object: z.ZodObject): Field[] {
  return Object.entries(object.shape).flatMap(([name, schema]) => describe(`${prefix}${name}`, schema));
}

const tables = new Map<FactName, ReadonlyMap<string, Field>>();

/** Every path of a fact, in the order of the schema. */
export function fieldsOf(fact: FactName): ReadonlyMap<string, Field> {
  const known = tables.get(fact);
  if (known !== undefined) return known;
  const table = new Map(fieldsBelow("", allFacts[fact]).map((field) => [field.path, field]));
  tables.set(fact, table);
  return table;
}

export function isFactName(name: string): name is FactName {
  return Object.hasOwn(allFacts, name);
}

/** The value at a plain dotted path; undefined where a step is missing. Reads own properties only. */
export function valueAt(value: unknown, path: string): unknown {
  if (path === "") return value;
  let current = value;
  for (const step of path.split(".")) {
    if (current === null || typeof current !== "object" || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string, unknown>)[step];
  }
  return current;
}
