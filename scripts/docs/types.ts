/** What a schema takes, in the words of the references. */
import * as z from "zod";

export interface TypeWords {
  readonly word: string;
  readonly required: boolean;
  readonly description: string;
  /** The default as it would stand in the file; null without one. */
  readonly fallback: string | null;
  /** Its members, when it is an object or a list of objects. */
  readonly inner: z.ZodObject | null;
}

export function typeOf(schema: unknown): TypeWords {
  let inner = schema;
  let required = true;
  let fallback: string | null = null;
  let description = "";
  for (;;) {
    if (inner instanceof z.ZodType) description ||= inner.description ?? "";
    if (inner instanceof z.ZodDefault) fallback = JSON.stringify(inner.def.defaultValue);
    if (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) required = false;
    else if (!(inner instanceof z.ZodLazy)) break;
    inner = inner.unwrap();
  }
  const object = inner instanceof z.ZodArray ? inner.element : inner;
  return {
    word: wordOf(inner),
    required,
    description,
    fallback,
    inner: object instanceof z.ZodObject ? object : null,
  };
}

function wordOf(schema: unknown): string {
  if (schema instanceof z.ZodArray) {
    const { word, inner } = typeOf(schema.element);
    return `list of ${inner === null ? word.replace(/^(text|whole number|number)/, "$1s") : "objects"}`;
  }
  if (schema instanceof z.ZodEnum) return schema.options.map((each) => `\`${each}\``).join(", ");
  if (schema instanceof z.ZodUnion)
    return schema.options.every((each) => typeOf(each).inner !== null)
      ? "object"
      : schema.options.map((each) => typeOf(each).word).join(" or ");
  if (schema instanceof z.ZodNumber) return numberWord(schema);
  if (schema instanceof z.ZodString) return "text";
  if (schema instanceof z.ZodBoolean) return "true/false";
  if (schema instanceof z.ZodObject) return "object";
  throw new Error(
    `no word for a schema of type ${schema instanceof z.ZodType ? schema.type : typeof schema}`,
  );
}

function numberWord(schema: z.ZodNumber): string {
  const { minValue, maxValue } = schema;
  const kind = schema.format === "safeint" ? "whole number" : "number";
  if (minValue === null || maxValue === null || maxValue >= Number.MAX_SAFE_INTEGER) {
    return minValue === null || minValue <= Number.MIN_SAFE_INTEGER ? kind : `${kind} from ${minValue}`;
  }
  return `${kind}, ${minValue} to ${maxValue}`;
}
