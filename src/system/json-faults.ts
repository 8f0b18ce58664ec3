/** What a schema found wrong with a file that a person wrote, as one clear sentence each. */
import { z } from "zod";
import { atPath, type Fault, type JsonPath, type JsonSource, pathText } from "./json-source.ts";
import { nearest, quoted } from "./names.ts";
import { childOf, formsOf, keysOf, kindOf, optionsOf, rangeOf, unwrap, wordFor } from "./schema-words.ts";

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
    const at = issue.path.reduce<unknown>(
      (current, step, index) =>
        childOf(current, step, atPath(source.value, [...base, ...issue.path.slice(0, index)])),
      schema,
    );
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) say([...path, key], `unknown key${nearest(key, keysOf(at))}`);
    } else if (issue.code === "invalid_union") {
      visitUnion(issue.errors, path, value, at);
    } else {
      say(path, sentence(issue, value, at));
    }
  }

  function visitUnion(errors: readonly Issue[][], path: JsonPath, value: unknown, union: unknown): void {
    const options = optionsOf(union);
    const keys =
      value !== null && typeof value === "object" && !Array.isArray(value) ? Object.keys(value) : null;
    const scores = options.map((option) => {
      if (keys === null) return Array.isArray(value) && unwrap(option) instanceof z.ZodArray ? 1 : 0;
      const known = keysOf(option);
      return keys.filter((key) => known.includes(key)).length;
    });
    const best = Math.max(...scores);
    if (best === 0) {
      const family = options.flatMap(keysOf);
      for (const key of keys ?? []) say([...path, key], `unknown key${nearest(key, family)}`);
      if (keys === null || keys.length === 0) say(path, unfit(value, formsOf(union)));
      return;
    }
    const tied = scores.flatMap((score, index) => (score === best ? [index] : []));
    const onlyForeign = (index: number) =>
      errors[index]?.every(({ code }) => code === "unrecognized_keys") ?? false;
    // Where two forms fit as well: the one that would be right without its foreign keys, else the fuller one.
    const chosen = tied.find(onlyForeign) ?? tied.at(-1) ?? 0;
    const own = (keys ?? []).filter((key) => keysOf(options[chosen]).includes(key));
    for (const issue of errors[chosen] ?? []) {
      if (issue.code !== "unrecognized_keys" || issue.path.length > 0) {
        visit(issue, path, options[chosen]);
        continue;
      }
      for (const key of issue.keys) {
        const elsewhere = options.some((option) => keysOf(option).includes(key));
        const beside = own.map((each) => `"${each}"`).join(" and ");
        say(
          [...path, key],
          elsewhere ? `cannot stand beside ${beside}` : `unknown key${nearest(key, keysOf(options[chosen]))}`,
        );
      }
    }
  }

  for (const issue of error.issues) visit(issue, [], schema);
  const first = faults[0];
  if (first === undefined || faults.length <= mostFaults) return faults;
  const further = faults.length - mostFaults;
  return [
    ...faults.slice(0, mostFaults),
    { ...first, path: "", message: `and ${further} further errors in this file` },
  ];
}

/** "must be a list, not text", with what helps to mend it. */
function unfit(value: unknown, wanted: string): string {
  if (value === undefined) return `is missing; it must be ${wanted}`;
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
    return "is too large a number";
  return `must be ${wanted}, not ${kindOf(value)}`;
}

function withoutQuotes(value: unknown, wanted: string): string {
  if (typeof value !== "string") return "";
  const plain = value.trim();
  const fits = wanted.includes("number") ? /^-?\d+(\.\d+)?$/.test(plain) : /^(true|false)$/.test(plain);
  return fits ? `; write ${plain} without quotes` : "";
}

function sentence(issue: Issue, value: unknown, schema: unknown): string {
  switch (issue.code) {
    case "invalid_type": {
      const wanted = wordFor(issue.expected);
      if (issue.expected === "int" && typeof value === "number")
        return `is ${value}, but must be a whole number`;
      if (issue.expected === "string" && (typeof value === "number" || typeof value === "boolean")) {
        return `must be text, not ${kindOf(value)}; write "${value}"`;
      }
      const what = unwrap(schema) instanceof z.ZodType ? describedBy(schema) : "";
      return `${unfit(value, wanted)}${value === undefined ? what : withoutQuotes(value, wanted)}`;
    }
    case "invalid_value": {
      const [only, ...others] = issue.values;
      const one = others.length === 0 ? quoted(only) : `one of ${issue.values.map(String).join(", ")}`;
      if (value === undefined) return `is missing; it must be ${one}`;
      if (others.length === 0) return `must be ${one}`;
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
  return text === undefined ? "" : ` (${text})`;
}
