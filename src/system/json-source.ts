/**
 * JSON that people write: parsed strictly, with the line of every value, and with errors that say where they
 * are, what is wrong and which known name was probably meant.
 */
import { distance } from "fastest-levenshtein";
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { z } from "zod";

export type JsonPath = readonly PropertyKey[];

export interface JsonSource {
  readonly file: string;
  readonly value: unknown;
  /** 1-based line where the value at the path begins; of its nearest existing parent when it is missing. */
  lineOf(path: JsonPath): number;
}

export interface Fault {
  readonly file: string;
  readonly line: number;
  readonly path: string;
  readonly message: string;
}

export function faultText(fault: Fault): string {
  return `${fault.file}:${fault.line}: ${fault.path === "" ? "" : `${fault.path}: `}${fault.message}`;
}

/** `rules[3].event.params`; plain enough to be found again in the file. */
export function pathText(path: JsonPath): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
}

const syntaxWords: Record<string, string> = {
  InvalidSymbol: "an unknown word",
  InvalidNumberFormat: "a malformed number",
  PropertyNameExpected: "a property name in double quotes is missing (a comma too many?)",
  ValueExpected: "a value is missing (a comma too many?)",
  ColonExpected: "a colon is missing",
  CommaExpected: "a comma is missing",
  CloseBraceExpected: "a closing } is missing",
  CloseBracketExpected: "a closing ] is missing",
  EndOfFileExpected: "there is text after the end",
  InvalidCommentToken: "comments are not allowed in JSON",
  UnexpectedEndOfString: "a string is not closed",
  UnexpectedEndOfNumber: "a malformed number",
  InvalidUnicode: "a malformed \\u escape",
  InvalidEscapeCharacter: "a malformed escape",
  InvalidCharacter: "a control character that must be escaped",
};

function toValue(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(toValue);
  if (node.type !== "object") return node.value;
  // A plain assignment of `__proto__` would change the prototype instead of adding a key.
  const object: Record<string, unknown> = Object.create(null);
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key !== undefined && value !== undefined) object[String(key.value)] = toValue(value);
  }
  return object;
}

function firstDuplicate(node: Node): Node | null {
  if (node.type === "object") {
    const seen = new Set<string>();
    for (const property of node.children ?? []) {
      const key = property.children?.[0];
      if (key === undefined) continue;
      if (seen.has(String(key.value))) return key;
      seen.add(String(key.value));
    }
  }
  for (const child of node.children ?? []) {
    const found = firstDuplicate(child);
    if (found !== null) return found;
  }
  return null;
}

export function parseJson(file: string, text: string): JsonSource | Fault {
  const lineAt = (offset: number) => text.slice(0, offset).split("\n").length;
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const error = errors[0];
  if (tree === undefined || text.trim() === "") {
    return { file, line: 1, path: "", message: "is empty; it must hold a JSON object" };
  }
  if (error !== undefined) {
    const word = syntaxWords[printParseErrorCode(error.error)] ?? printParseErrorCode(error.error);
    return { file, line: lineAt(error.offset), path: "", message: `is not valid JSON: ${word}` };
  }
  const duplicate = firstDuplicate(tree);
  if (duplicate !== null) {
    return {
      file,
      line: lineAt(duplicate.offset),
      path: "",
      message: `has the key "${duplicate.value}" twice in one object; one of the two would be lost`,
    };
  }
  return {
    file,
    value: toValue(tree),
    lineOf(path) {
      for (let length = path.length; length >= 0; length -= 1) {
        const node = findNodeAtLocation(tree, path.slice(0, length) as (string | number)[]);
        if (node !== undefined)
          return lineAt(node.parent?.type === "property" ? node.parent.offset : node.offset);
      }
      return 1;
    },
  };
}

export function isFault(result: JsonSource | Fault): result is Fault {
  return "message" in result;
}

/** `; did you mean "usedPercent"?`, or the list when nothing is near. */
export function nearest(name: string, known: Iterable<string>): string {
  const names = [...known];
  const ranked = names.map((each) => ({ each, far: distance(name.toLowerCase(), each.toLowerCase()) }));
  ranked.sort((a, b) => a.far - b.far);
  const best = ranked[0];
  const prefix = names.find((each) => name.length >= 2 && each.toLowerCase().startsWith(name.toLowerCase()));
  if (best !== undefined && best.far <= Math.max(2, Math.floor(name.length / 3)))
    return `; did you mean "${best.each}"?`;
  if (prefix !== undefined) return `; did you mean "${prefix}"?`;
  return `; known: ${names.join(", ")}`;
}

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return (
    { string: "text", number: "a number", boolean: "true or false", object: "an object" }[
      typeof value as string
    ] ?? typeof value
  );
}

const kindWords: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};

export interface IssueContext {
  /** Keys that an object at this path may have. */
  readonly keysAt?: (path: JsonPath) => readonly string[];
  /** Which branch of a union was meant, by the value that stands there. */
  readonly branch?: (value: unknown, branches: number) => number | null;
}

function valueAtPath(value: unknown, path: JsonPath): unknown {
  return path.reduce<unknown>(
    (current, step) =>
      current !== null && typeof current === "object"
        ? (current as Record<PropertyKey, unknown>)[step]
        : undefined,
    value,
  );
}

/** Turns what zod found into one clear sentence each. */
export function faultsOf(source: JsonSource, error: z.ZodError, context: IssueContext = {}): Fault[] {
  const faults: Fault[] = [];
  const say = (path: JsonPath, message: string) =>
    faults.push({ file: source.file, line: source.lineOf(path), path: pathText(path), message });

  function visit(issue: z.core.$ZodIssue, prefix: JsonPath): void {
    const path = [...prefix, ...issue.path];
    const value = valueAtPath(source.value, path);
    switch (issue.code) {
      case "unrecognized_keys":
        for (const key of issue.keys) {
          say(
            [...path, key],
            `unknown key${nearest(key, context.keysAt?.(path) ?? [])}`.replace(/; known: $/, ""),
          );
        }
        return;
      case "invalid_type":
        if (value === undefined)
          return void say(path, `is missing; it must be ${kindWords[issue.expected] ?? issue.expected}`);
        return void say(path, `must be ${kindWords[issue.expected] ?? issue.expected}, not ${kindOf(value)}`);
      case "invalid_value": {
        const names = issue.values.map(String);
        if (value === undefined) return void say(path, `is missing; it must be one of ${names.join(", ")}`);
        return void say(path, `${JSON.stringify(value)} is not known${nearest(String(value), names)}`);
      }
      case "too_small":
        if (issue.origin === "array")
          return void say(
            path,
            `must have at least ${issue.minimum} ${issue.minimum === 1 ? "entry" : "entries"}`,
          );
        if (issue.origin === "string") return void say(path, "must not be empty");
        return void say(path, `is ${String(value)}, but must be at least ${issue.minimum}`);
      case "too_big":
        if (issue.origin === "array") return void say(path, `must have at most ${issue.maximum} entries`);
        if (issue.origin === "string") return void say(path, `must have at most ${issue.maximum} characters`);
        return void say(path, `is ${String(value)}, but must be at most ${issue.maximum}`);
      case "invalid_union": {
        const branch = context.branch?.(value, issue.errors.length) ?? null;
        const inner = branch === null ? undefined : issue.errors[branch];
        if (inner !== undefined && inner.length > 0) return inner.forEach((each) => visit(each, path));
        return void say(
          path,
          value === undefined ? "is missing" : `must not be ${kindOf(value)} of this shape`,
        );
      }
      case "invalid_format":
        return void say(path, `${JSON.stringify(value)} ${issue.message}`);
      default:
        return void say(path, issue.message);
    }
  }
  for (const issue of error.issues) visit(issue, []);
  return faults;
}
