/** Reads off a zod schema what may stand somewhere, and says it in words. */
import * as z from "zod";

/** The schema below `optional`, `default`, `nullable` and `lazy`. */
export function unwrap(schema: unknown): unknown {
  let inner = schema;
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodLazy
  ) {
    inner = inner.unwrap();
  }
  return inner;
}

/** The branches of a union, those of unions inside it left as they are; the schema itself when it is none. */
export function optionsOf(schema: unknown): unknown[] {
  const inner = unwrap(schema);
  return inner instanceof z.ZodUnion ? [...inner.options] : [inner];
}

/** What the key of an object must be, where only certain texts may stand. */
export function literalsOf(schema: unknown, key: string): string[] {
  const inner = unwrap(schema);
  const member = inner instanceof z.ZodObject ? unwrap(inner.shape[key]) : null;
  return member instanceof z.ZodLiteral ? [...member.values].map(String) : [];
}

/** Keys that an object may have here. */
export function keysOf(schema: unknown): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  return inner instanceof z.ZodUnion ? inner.options.flatMap(keysOf) : [];
}

/** The schema of a member. @param value the object or list itself: its keys tell which branch of a union is meant. */
export function childOf(schema: unknown, key: PropertyKey, value: unknown): unknown {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return inner.element;
  if (inner instanceof z.ZodObject) return inner.shape[String(key)];
  if (!(inner instanceof z.ZodUnion)) return undefined;
  const given: [string, unknown][] = value !== null && typeof value === "object" ? Object.entries(value) : [];
  const shared = (option: unknown) =>
    given.filter(([each]) => keysOf(option).includes(each)).length +
    // The form that says its own name is the one that is meant, whatever else stands there.
    given.filter(([each, one]) => typeof one === "string" && literalsOf(option, each).includes(one)).length *
      100;
  const fitting = [...inner.options].sort((a, b) => shared(b) - shared(a));
  for (const option of fitting) {
    const child = childOf(option, key, value);
    if (child !== undefined) return child;
  }
  return undefined;
}

const kindWords: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};

export const wordFor = (kind: string): string => kindWords[kind] ?? kind;

/** What a value is, in the words in which `wordFor` says what it must be. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "boolean" ? String(value) : wordFor(typeof value);
}

/** All that a union takes: `text, a number, true or false, a list, or an object with fact`. */
export function formsOf(schema: unknown): string {
  const objects: string[] = [];
  const others: string[] = [];
  const add = (option: unknown): void => {
    const inner = unwrap(option);
    if (inner instanceof z.ZodUnion) inner.options.forEach(add);
    else if (inner instanceof z.ZodObject) objects.push(membersOf(inner));
    else if (inner instanceof z.ZodEnum) others.push(...inner.options.map((each) => `"${each}"`));
    else if (inner instanceof z.ZodType) others.push(wordFor(inner.type));
  };
  add(schema);
  const named = objects.filter((members) => members !== "");
  if (objects.length > 0)
    others.push(named.length === 0 ? "an object" : `an object with ${named.join(", or with ")}`);
  const last = others.pop() ?? "something else";
  return others.length === 0 ? last : `${others.join(", ")} or ${last}`;
}

/** The keys that must stand in an object, or the few that may. */
function membersOf(object: z.ZodObject): string {
  const entries = Object.entries(object.shape);
  const needed = entries.flatMap(([key, schema]) =>
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? [] : [key],
  );
  if (needed.length > 0) return needed.join(" and ");
  return entries.length <= 3 ? entries.map(([key]) => key).join(" or ") : "";
}

/** `from 1 to 1000`, when the schema is a number with both bounds. */
export function rangeOf(schema: unknown): string | null {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodNumber)) return null;
  const { minValue, maxValue } = inner;
  const bounded =
    minValue !== null && maxValue !== null && Number.isFinite(minValue) && Number.isFinite(maxValue);
  return bounded && maxValue < Number.MAX_SAFE_INTEGER ? `from ${minValue} to ${maxValue}` : null;
}
