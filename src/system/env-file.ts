/**
 * `argus.env`: lines of NAME=value. A subset of what systemd's EnvironmentFile= takes, on which the two agree: what
 * they would read differently (backslashes, text after a closing quote) is an error.
 */
import { variables } from "../types/settings.ts";
import type { Fault } from "./json-source.ts";
import { nearestOf } from "./names.ts";
import { reach } from "./reach.ts";
import { RefusedFile } from "./refused.ts";
import type { Files } from "./system.ts";

export interface EnvFile {
  readonly path: string;
  readonly state: "absent" | "unreadable" | "read";
  /** null: nothing was read. */
  readonly text: string | null;
  readonly values: ReadonlyMap<string, EnvValue>;
  /** Lines that are none, and names that Argus does not know. */
  readonly faults: readonly Fault[];
}

export interface EnvValue {
  readonly text: string;
  readonly line: number;
}

const mostBytes = 100_000;

/** Names of the user's own, for what argus.json refers to by them. */
export const isSecretName = (name: string): boolean => /^ARGUS_SECRET_[A-Z0-9_]{1,64}$/.test(name);

/** @param instead what to take for the content of the file. */
export function readEnvFile(files: Files, path: string, instead?: string): EnvFile {
  const values = new Map<string, EnvValue>();
  const faults: Fault[] = [];
  let read = instead ?? null;
  const say = (line: number, message: string) => faults.push({ file: path, line, path: "", message });
  const parseLines = (text: string): void => {
    for (const [index, line] of text.split("\n").entries()) {
      // trim() also takes away the carriage return and the byte order mark that editors on Windows write.
      const parsed = parseLine(line.trim());
      if (parsed === null) continue;
      const earlier = "fault" in parsed ? undefined : values.get(parsed.name);
      if ("fault" in parsed) say(index + 1, parsed.fault);
      else if (earlier !== undefined)
        say(index + 1, `${parsed.name} is set twice; line ${earlier.line} sets it too`);
      else values.set(parsed.name, { text: parsed.text, line: index + 1 });
    }
  };
  const result = (state: EnvFile["state"]): EnvFile => ({ path, state, text: read, values, faults });
  if (instead !== undefined) {
    parseLines(instead);
    return result("read");
  }
  const reached = reach(files, path);
  if (reached.kind === "nothing") return result("absent");
  if (reached.kind === "forbidden") return result("unreadable");
  if (reached.kind !== "file" || reached.status.sizeBytes > mostBytes) {
    say(
      1,
      reached.kind === "directory"
        ? "is a folder; a file must stand here"
        : "is not a regular file of at most 100 kB",
    );
    return result("read");
  }
  const text = textOf(files, path);
  if (text === null) return result("unreadable");
  if (text instanceof RefusedFile) {
    say(1, "is not a regular file of at most 100 kB");
    return result("read");
  }
  read = text;
  parseLines(text);
  return result("read");
}

/** Somebody may put a pipe there after it was looked at. */
function textOf(files: Files, path: string): string | RefusedFile | null {
  try {
    return files.tryReadHead(path, mostBytes);
  } catch (error) {
    if (error instanceof RefusedFile) return error;
    throw error;
  }
}

/** null: a comment, or empty. */
function parseLine(line: string): { name: string; text: string } | { fault: string } | null {
  if (line === "" || line.startsWith("#") || line.startsWith(";")) return null;
  if (/^export\s/.test(line)) return { fault: "must be NAME=value, without export before it" };
  const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(line);
  if (match === null)
    return {
      fault: "must be NAME=value without spaces around the =, a comment that begins with #, or empty",
    };
  const [, name = "", raw = ""] = match;
  if (!Object.hasOwn(variables, name) && !isSecretName(name)) {
    const meant = nearestOf(name, Object.keys(variables));
    return {
      fault: `unknown setting ${name}; ${meant === null ? "argus.env.example lists all" : `did you mean ${meant}?`}`,
    };
  }
  if (name === "ARGUS_CONFIG") {
    return {
      fault:
        "ARGUS_CONFIG cannot stand here, because this file is found beside the settings file; set it in the environment",
    };
  }
  const value = raw.trim();
  if (value.includes("\\"))
    return { fault: `${name} has a backslash, which systemd would read as an escape; leave it out` };
  const quote = value[0];
  if (quote !== '"' && quote !== "'") return { name, text: value };
  const end = value.indexOf(quote, 1);
  if (end === -1) return { fault: `${name} has an opening ${quote} that is not closed` };
  if (end < value.length - 1) return { fault: `${name} has text after its closing ${quote}` };
  return { name, text: value.slice(1, -1) };
}
