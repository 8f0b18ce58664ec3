/** Secrets out of text, and out of data: its strings before they are serialised, never the text of a file. */
import { isSecretValue, tellingOf } from "./names.ts";
import { programName, programs } from "./programs.ts";
import { mark, redact, redactArguments } from "./text.ts";

export { mark, redact, redactArguments, redactIdentity } from "./text.ts";

const maxDepth = 64;

/** The same for all text in plain data, keys included; a value below a telling key goes as a whole. */
export function redactDeep<T>(value: T): T {
  return deep(value, null, 0, new Set()) as T;
}

function deep(value: unknown, key: string | null, depth: number, above: Set<object>): unknown {
  if (typeof value === "string") return text(value, key);
  if (typeof value === "number" && key !== null && tellingOf(key) === "password") return mark;
  if (typeof value !== "object" || value === null) return value;
  // Nobody reads so deep, and a circle has no bottom.
  if (depth > maxDepth || above.has(value)) return mark;
  above.add(value);
  try {
    if (Array.isArray(value)) return list(value, key, depth, above);
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return value;
    const entries = Object.entries(value).map(([name, each]) => [
      redact(name),
      deep(each, name, depth + 1, above),
    ]);
    const result = Object.fromEntries(entries);
    const line = joined(value);
    return line === null ? result : { ...result, commandLine: line };
  } finally {
    above.delete(value);
  }
}

/** A command line beside its arguments: joined from what is left of them, as the boundaries are lost in it. */
function joined(value: object): string | null {
  const { commandLine, arguments: args } = value as { commandLine?: unknown; arguments?: unknown };
  if (typeof commandLine !== "string" || !Array.isArray(args) || args.join(" ") !== commandLine) return null;
  return args.every((each) => typeof each === "string") ? redactArguments(args).join(" ") : null;
}

function text(value: string, key: string | null): string {
  const telling = key === null ? null : tellingOf(key);
  if (telling !== null && isSecretValue(telling, value, { quoted: true, assigned: true })) return mark;
  return redact(value);
}

/** An argument vector is a command line as well: what follows `--password` is one. */
function list(values: readonly unknown[], key: string | null, depth: number, above: Set<object>): unknown[] {
  const telling = key === null ? null : tellingOf(key);
  if (telling === null && isVector(values)) return redactArguments(values);
  return values.map((value) => deep(value, key, depth + 1, above));
}

function isVector(values: readonly unknown[]): values is string[] {
  if (values.length < 2 || !values.every((value) => typeof value === "string")) return false;
  return (
    programs.has(programName(values[0] ?? "")) || values.some((value) => /^--?[A-Za-z]|^\/\w+:/.test(value))
  );
}
