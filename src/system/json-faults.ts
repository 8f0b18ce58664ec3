/** What a schema found wrong with a file that a person wrote, as one clear sentence each. */
import * as z from "zod";
import { atPath, type Fault, type JsonPath, type JsonSource, pathText } from "./json-source.ts";
import { nearest, quoted } from "./names.ts";
import {
  childOf,
  formsOf,
  keysOf,
  kindOf,
  literalsOf,
  optionsOf,
  rangeOf,
  unwrap,
  wordFor,
} from "./schema-words.ts";

/** More than these of one file help nobody. */
const mostFaults = 20;

type Issue = z.core.$ZodIssue;

/** @param schema the one that found the error: known names and what must stand where are read off it. */
export function faultsOf(source: JsonSource, schema: z.ZodType, error: z.ZodError): Fault[] {
  const faults: Fault[] = [];
  const say = (path: JsonPath, message: string) =>
    faults.push({ file: source.file, line: source.lineOf(path), path: pathText(path), message });

  /** @param base where `schema` applies; an issue's own path goes on from there. */
  function visit(issue: Issue, base: JsonPath, schema: unknown): void {
    const path = [...base, ...issue.path];
    const value = atPath(source.value, path);
    // zod reports what no form goes by at the key that tells them apart; the forms stand one step above.
    const isForm = issue.code === "invalid_union" && issue.discriminator !== undefined;
    const steps = isForm ? issue.path.slice(0, -1) : issue.path;
    const at = steps.reduce<unknown>(
      (current, step, index) =>
        childOf(current, step, atPath(source.value, [...base, ...issue.path.slice(0, index)])),
      schema,
    );
    if (issue.code === "unrecognized_keys") sayUnknown(issue.keys, path, value, at);
    // zod measures an object with a key `length` too; that it is no list or text is said by another issue.
    else if (isSize(issue) && value !== null && typeof value === "object" && !Array.isArray(value)) return;
    else if (issue.code === "invalid_union" && issue.discriminator !== undefined) {
      const forms = optionsOf(at).flatMap((option) => literalsOf(option, String(issue.discriminator)));
      say(path, unknownForm(value, forms));
    } else if (issue.code === "invalid_union") visitUnion(issue.errors, path, value, at);
    else say(path, sentence(issue, value, at));
  }

  function visitUnion(errors: readonly Issue[][], path: JsonPath, value: unknown, union: unknown): void {
    const options = optionsOf(union);
    const chosen = chosenForm(errors, value, options);
    if (chosen !== null) {
      for (const issue of errors[chosen] ?? []) {
        if (issue.code === "unrecognized_keys" && issue.path.length === 0)
          sayUnknown(issue.keys, path, value, union);
        else visit(issue, path, options[chosen]);
      }
      return;
    }
    const keys = keysIn(value);
    for (const key of keys) say([...path, key], `unknown key${nearest(key, keysOf(union))}`);
    if (keys.length === 0) say(path, unfit(value, formsOf(union)));
  }

  /** @param schema of the object that has the keys; a union stands for its best fitting form without them. */
  function sayUnknown(unknown: readonly string[], path: JsonPath, value: unknown, schema: unknown): void {
    const others = keysIn(value).filter((key) => !unknown.includes(key));
    const forms = optionsOf(schema).filter((option) => !unknown.every((key) => keysOf(option).includes(key)));
    const fit = (option: unknown) => others.filter((key) => keysOf(option).includes(key)).length;
    const own = keysOf([...forms].sort((a, b) => fit(b) - fit(a))[0]);
    for (const key of unknown) {
      const elsewhere = keysOf(schema).includes(key);
      const closed = `cannot stand here: an object with ${own.join(" and ")} takes nothing else`;
      say([...path, key], elsewhere ? closed : `unknown key${nearest(key, own)}`);
    }
  }

  for (const issue of error.issues) visit(issue, [], schema);
  faults.sort((a, b) => a.line - b.line);
  const first = faults[0];
  if (first === undefined || faults.length <= mostFaults) return faults;
  const further = `and ${faults.length - mostFaults} further errors in this file`;
  return [...faults.slice(0, mostFaults), { ...first, path: "", message: further }];
}

function keysIn(value: unknown): string[] {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? Object.keys(value) : [];
}

/** Which form of a union the author meant, by the keys that stand there; null when none fits at all. */
function chosenForm(errors: readonly Issue[][], value: unknown, options: readonly unknown[]): number | null {
  const scores = options.map((option) => {
    if (Array.isArray(value)) return unwrap(option) instanceof z.ZodArray ? 1 : 0;
    const known = keysOf(option);
    return keysIn(value).filter((key) => known.includes(key)).length;
  });
  const best = Math.max(...scores);
  if (best === 0) return null;
  const tied = scores.flatMap((score, index) => (score === best ? [index] : []));
  const lacksNothing = (index: number) =>
    errors[index]?.every(
      ({ code, path }) => code === "unrecognized_keys" || atPath(value, path) !== undefined,
    ) ?? false;
  // Where two forms fit as well: the one that is whole but for a wrong value, else the fuller one.
  return tied.find(lacksNothing) ?? tied.at(-1) ?? null;
}

function unknownForm(value: unknown, forms: readonly string[]): string {
  if (value === undefined) return `is missing; it must be one of ${forms.join(", ")}`;
  if (typeof value !== "string") return `must be one of ${forms.join(", ")}, not ${kindOf(value)}`;
  return `${quoted(value)} is not known${nearest(value, forms)}`;
}

/** "must be a list, not text", with what helps to mend it. */
function unfit(value: unknown, wanted: string): string {
  if (value === undefined) return `is missing; it must be ${wanted}`;
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
    return "is too large a number";
  if (kindOf(value) === "an object" && keysIn(value).length === 0 && wanted.includes("an object"))
    return `is empty; it must be ${wanted}`;
  return `must be ${wanted}, not ${kindOf(value)}`;
}

/** A mend, when the value is a text that would be right without its quotes. */
export function withoutQuotes(value: unknown, wanted: string): string {
  if (typeof value !== "string") return "";
  const plain = value.trim();
  const fits = wanted.includes("number")
    ? /^-?\d+(\.\d+)?$/.test(plain)
    : /^(true|false)$/.test(plain) && /true|false/.test(wanted);
  return fits ? `; write ${plain} without quotes` : "";
}

function sentence(issue: Issue, value: unknown, schema: unknown): string {
  switch (issue.code) {
    case "invalid_type": {
      const wanted = issue.expected === "object" ? formsOf(schema) : wordFor(issue.expected);
      if (issue.expected === "int" && typeof value === "number")
        return `is ${value}, but must be a whole number`;
      if (issue.expected === "string" && (typeof value === "number" || typeof value === "boolean")) {
        return `must be text, not ${kindOf(value)}; write "${value}"`;
      }
      return `${unfit(value, wanted)}${value === undefined ? describedBy(schema) : withoutQuotes(value, wanted)}`;
    }
    case "invalid_value": {
      const [only, ...others] = issue.values;
      const one = others.length === 0 ? quoted(only) : `one of ${issue.values.map(String).join(", ")}`;
      if (value === undefined) return `is missing; it must be ${one}`;
      if (others.length === 0)
        return `must be ${one}${describedBy(schema)}${withoutQuotes(value, kindOf(only))}`;
      if (typeof value !== "string") return `must be ${one}, not ${kindOf(value)}`;
      return `${quoted(value)} is not known${nearest(value, issue.values.map(String))}`;
    }
    case "too_small":
    case "too_big":
      return sizeSentence(issue, value, schema);
    case "invalid_format":
      return `${quoted(value)} ${issue.message}`;
    case "custom":
      return `${quoted(value)} ${issue.message}`;
    default:
      return issue.message;
  }
}

const isSize = (issue: Issue): boolean => issue.code === "too_small" || issue.code === "too_big";

function sizeSentence(
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  value: unknown,
  schema: unknown,
): string {
  const small = issue.code === "too_small";
  const limit = Number(small ? issue.minimum : issue.maximum);
  const bound = `${small ? "at least" : "at most"} ${limit}`;
  if (issue.origin === "array") return `must have ${bound} ${limit === 1 ? "entry" : "entries"}`;
  if (issue.origin !== "string") return `is ${String(value)}, but must be ${rangeOf(schema) ?? bound}`;
  if (small && limit === 1) return "must not be empty";
  return `has ${String(value).length} characters, but must have ${bound}`;
}

function describedBy(schema: unknown): string {
  const text = schema instanceof z.ZodType ? schema.description : undefined;
  // The backticks are for the reference.
  return text === undefined ? "" : ` (${text.replaceAll("`", "")})`;
}
