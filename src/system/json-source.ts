/**
 * JSON that people write: parsed strictly, with the line of every value, and with errors that say where they
 * are and what is wrong.
 */
import {
  createScanner,
  findNodeAtLocation,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { quoted } from "./names.ts";
import { printable } from "./printable.ts";
import { reach } from "./reach.ts";
import { RefusedFile } from "./refused.ts";
import type { Files } from "./system.ts";

export type JsonPath = readonly PropertyKey[];

export interface JsonSource {
  readonly file: string;
  readonly value: unknown;
  readonly text: string;
  /** 1-based line where the value at the path begins; of its nearest existing parent when it is missing. */
  lineOf(path: JsonPath): number;
}

export interface Fault {
  readonly file: string;
  readonly line: number;
  readonly path: string;
  readonly message: string;
  /** The variable of the environment that it lies in; then there is no file. */
  readonly variable?: string;
}

export function faultText(fault: Fault): string {
  return `${fault.file}:${fault.line}: ${fault.path === "" ? "" : `${fault.path}: `}${fault.message}`;
}

/** `rules[3].event.params`; plain enough to be found again in the file. */
export function pathText(path: JsonPath): string {
  const step = (key: PropertyKey): string => {
    if (typeof key === "number") return `[${key}]`;
    return /^[\w$-]{1,64}$/.test(String(key)) ? `.${String(key)}` : `[${quoted(String(key))}]`;
  };
  return path.map(step).join("").replace(/^\./, "");
}

/** What stands at a path, undefined where a step is missing. */
export function atPath(value: unknown, path: JsonPath): unknown {
  let current = value;
  for (const step of path) {
    if (current === null || typeof current !== "object") return undefined;
    current = (current as Record<PropertyKey, unknown>)[step];
  }
  return current;
}

const syntaxWords: Record<string, string> = {
  InvalidSymbol: "an unknown word; texts stand in double quotes",
  InvalidNumberFormat: "a malformed number",
  PropertyNameExpected: "a name in double quotes is missing before this",
  ValueExpected: "a value is missing before this",
  ColonExpected: "a colon is missing before this",
  CommaExpected: "a comma is missing before this",
  CloseBraceExpected: "a closing } is missing",
  CloseBracketExpected: "a closing ] is missing",
  EndOfFileExpected: "there is text after the end",
  InvalidCommentToken: "comments are not allowed",
  UnexpectedEndOfComment: "comments are not allowed",
  UnexpectedEndOfString: "a text has no closing quote",
  UnexpectedEndOfNumber: "a malformed number",
  InvalidUnicode: "a malformed \\u escape in a text",
  InvalidEscapeCharacter: "an unknown escape in a text; a backslash is written \\\\",
  InvalidCharacter: "a tab or control character in a text; a tab is written \\t",
};

/** The longest shipped file has 10 kB. Parsing takes about a hundred times a file's size in memory. */
const mostBytes = 1_000_000;
/** The parsers are recursive: some thousand levels would end in a stack overflow. */
const mostLevels = 100;

export const forbidden = "cannot be read by this user; run Argus as its owner, or let this user read it";

/** @returns the source, or why it cannot be read. */
export function readJson(files: Files, file: string): JsonSource | Fault {
  const fault = (message: string): Fault => ({ file, line: 1, path: "", message });
  const reached = reach(files, file);
  if (reached.kind === "forbidden") return fault(forbidden);
  if (reached.kind === "nothing") return fault("does not exist, or is a link to nothing");
  if (reached.kind === "directory") return fault("is a folder; a file must stand here");
  // Opening a pipe would wait for ever.
  if (reached.kind === "other") return fault("is not a regular file");
  if (reached.status.sizeBytes > mostBytes) {
    return fault(
      `has ${megabytes(reached.status.sizeBytes)} MB, but may have at most ${megabytes(mostBytes)} MB`,
    );
  }
  try {
    const text = files.tryReadHead(file, mostBytes);
    return text === null ? fault(forbidden) : parseJson(file, text);
  } catch (error) {
    // Somebody put a pipe there since the look above.
    if (error instanceof RefusedFile) return fault("is not a regular file");
    throw error;
  }
}

const megabytes = (bytes: number) => Math.ceil(bytes / 100_000) / 10;

export function parseJson(file: string, given: string): JsonSource | Fault {
  // Editors on Windows put a byte order mark before the text.
  const text = given.startsWith("\uFEFF") ? given.slice(1) : given;
  const lineAt = lineFinder(text);
  const fault = (offset: number, message: string): Fault => ({
    file,
    line: lineAt(offset),
    path: "",
    message,
  });
  const foreign = /[\0\uFFFD]/.exec(text);
  if (foreign !== null) return fault(foreign.index, "has bytes that are not UTF-8 text; save it as UTF-8");
  const deep = tooDeep(text);
  if (deep !== null)
    return fault(deep, `nests objects and lists more than ${mostLevels} levels deep; make it flatter`);
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  if (text.trim() === "") return fault(0, "is empty; it must hold a JSON object");
  const error = errors[0];
  if (error !== undefined || tree === undefined) {
    // What is missing at the end is missing on the last line that has something on it.
    return fault(Math.min(error?.offset ?? 0, text.trimEnd().length), syntaxMessage(text, error));
  }
  const duplicate = firstDuplicate(tree);
  if (duplicate !== null) {
    return fault(duplicate.offset, `has the key ${quoted(duplicate.value)} twice in one object; remove one`);
  }
  return {
    file,
    text,
    value: toValue(tree),
    lineOf(path) {
      for (let length = path.length; length >= 0; length -= 1) {
        const node = findNodeAtLocation(tree, path.slice(0, length) as (string | number)[]);
        if (node === undefined) continue;
        return lineAt(node.parent?.type === "property" ? node.parent.offset : node.offset);
      }
      return 1;
    },
  };
}

export function isFault(result: JsonSource | Fault): result is Fault {
  return "message" in result;
}

function lineFinder(text: string): (offset: number) => number {
  const ends: number[] = [];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) ends.push(at);
  return (offset) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

function syntaxMessage(text: string, error: ParseError | undefined): string {
  if (error === undefined) return "is not valid JSON";
  const code = printParseErrorCode(error.error);
  const found = text.slice(error.offset, error.offset + Math.min(error.length, mostExcerpt)).trim();
  const harmless = printable(found);
  if (isTrailingComma(text, error.offset, found)) return `is not valid JSON: trailing comma before ${found}`;
  const what = specialCase(code, found) ?? syntaxWords[code] ?? code;
  return `is not valid JSON: ${what}${harmless === "" ? "" : `: ${harmless}`}`;
}

const mostExcerpt = 60;

const isTrailingComma = (text: string, offset: number, found: string): boolean =>
  (found === "}" || found === "]") && text.slice(0, offset).trimEnd().endsWith(",");

/** What the parser's word for it would not tell. */
function specialCase(code: string, found: string): string | null {
  const closes = found === "}" || found === "]";
  if (code === "CommaExpected" && closes)
    return `a closing ${found === "}" ? "]" : "}"} is missing before this`;
  return found.startsWith("#") ? "comments are not allowed" : null;
}

/**
 * Where the nesting becomes too deep, by the parser's own tokens. A closing bracket that does not fit the opening one
 * counts for nothing, as the parser, which goes on after an error, would pass over it too.
 */
function tooDeep(text: string): number | null {
  const scanner = createScanner(text, true);
  const open: string[] = [];
  for (scanner.scan(); scanner.getTokenLength() > 0; scanner.scan()) {
    const first = text[scanner.getTokenOffset()];
    if (first === "{" || first === "[") open.push(first === "{" ? "}" : "]");
    else if (first === open.at(-1)) open.pop();
    if (open.length > mostLevels) return scanner.getTokenOffset();
  }
  return null;
}

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
