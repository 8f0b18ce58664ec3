/**
 * `argus.env`: lines of NAME=value, as systemd's EnvironmentFile= takes them. What it would read differently
 * (backslashes, text after a closing quote) is an error, except for what a shell file of the first Argus holds: `export`,
 * a comment behind a value, $HOME. Argus alone reads the file.
 */
import { type Variable, type VariableName, variables } from "../types/settings.ts";
import { isFormerName } from "./first-argus/settings-table.ts";
import { guards, shellLine, shellPrefix, wholeLines } from "./first-argus/shell-lines.ts";
import type { Fault } from "./json-source.ts";
import { nearestOf } from "./names.ts";
import { reach } from "./reach.ts";
import { RefusedFile } from "./refused.ts";
import { namesIn, readShellValue } from "./shell-value.ts";
import type { Files } from "./system.ts";

export interface EnvFile {
  readonly path: string;
  readonly state: "absent" | "unreadable" | "read";
  /** null: nothing was read. */
  readonly text: string | null;
  readonly values: ReadonlyMap<string, EnvValue>;
  /** Lines that are none, and names that Argus does not know. */
  readonly faults: readonly Fault[];
  /** Lines that are not used, and keep nobody from starting. */
  readonly notes: readonly string[];
}

export interface EnvValue {
  readonly text: string;
  readonly line: number;
}

const mostBytes = 100_000;

/** Names of the user's own, for what argus.json refers to by them. */
export const isSecretName = (name: string): boolean => /^ARGUS_SECRET_[A-Z0-9_]{1,64}$/.test(name);

/**
 * @param home what $HOME stands for.
 * @param instead what to take for the content of the file.
 */
export function readEnvFile(files: Files, path: string, home: string, instead?: string): EnvFile {
  const values = new Map<string, EnvValue>();
  const faults: Fault[] = [];
  const notes: string[] = [];
  let read = instead ?? null;
  const say = (line: number, message: string) => faults.push({ file: path, line, path: "", message });
  const parseLines = (text: string): void => {
    const used = new Set(namesIn(text));
    const known = (name: string) => (name === "HOME" ? home : (values.get(name)?.text ?? null));
    // They are trimmed, which also takes away the carriage return and the byte order mark that editors on Windows write.
    for (const { number, text: line } of wholeLines(text)) {
      const parsed = parseLine(line, known, (name) => used.has(name));
      if (parsed === null) continue;
      if (parsed.kind === "fault") say(number, parsed.said);
      else if (parsed.kind === "note") notes.push(`${path}:${number}: ${parsed.said}`);
      else {
        const earlier = values.get(parsed.name);
        if (earlier !== undefined && !isFormerName(parsed.name))
          say(number, `${parsed.name} is set twice; line ${earlier.line} sets it too`);
        else values.set(parsed.name, { text: parsed.text, line: number });
      }
    }
  };
  const result = (state: EnvFile["state"]): EnvFile => ({ path, state, text: read, values, faults, notes });
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

const nameAndValue = new RegExp(`^(?:${shellPrefix})?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`, "s");

type Line =
  | { readonly kind: "value"; readonly name: string; readonly text: string }
  | { readonly kind: "fault"; readonly said: string }
  | { readonly kind: "note"; readonly said: string };

/** @param isUsed whether another line refers to it. @returns null: a comment, or empty. */
function parseLine(
  line: string,
  known: (name: string) => string | null,
  isUsed: (name: string) => boolean,
): Line | null {
  if (line === "" || line.startsWith("#") || line.startsWith(";")) return null;
  const fault = (said: string): Line => ({ kind: "fault", said });
  const shell = shellLine(line);
  if ("fault" in shell) return fault(shell.fault);
  if ("unused" in shell) return { kind: "note", said: `this line is not used: ${shell.unused}` };
  const match = nameAndValue.exec(shell.line);
  if (match === null)
    return fault("must be NAME=value without spaces around the =, a comment that begins with #, or empty");
  const [, name = "", raw = ""] = match;
  const isFormer = isFormerName(name);
  if (!Object.hasOwn(variables, name) && !isSecretName(name) && !isFormer && !isUsed(name)) {
    const meant = nearestOf(name, Object.keys(variables));
    return fault(
      `unknown setting ${name}; ${meant === null ? "argus.env.example lists all" : `did you mean ${meant}?`}`,
    );
  }
  if (name === "ARGUS_CONFIG")
    return fault(
      "ARGUS_CONFIG cannot stand here, because this file is found beside the settings file; set it in the environment",
    );
  const value = readShellValue(raw.trim(), { known, isSecret: isSecret(name) });
  if ("runs" in value) {
    // What decides whether Argus acts is read as it stands: it is a fault, or else the safe reading.
    if (isFormer || guards(name)) return { kind: "value", name, text: raw.trim() };
    const why = "a shell would run a program for its value; write the value itself";
    return { kind: "note", said: `${name} is not used: ${why}` };
  }
  // Nothing that the first Argus took keeps this one from starting: then it is what stands there.
  if ("fault" in value)
    return isFormer ? { kind: "value", name, text: raw.trim() } : fault(`${name} ${value.fault}`);
  if (raw.includes("\\") && !isFormer)
    return fault(`${name} has a backslash, which systemd would read as an escape; leave it out`);
  return { kind: "value", name, text: value.text };
}

const rowOf = (name: string): Variable | undefined =>
  Object.hasOwn(variables, name) ? variables[name as VariableName] : undefined;

function isSecret(name: string): boolean {
  const row = rowOf(name);
  return isSecretName(name) || (row?.kind === "text" && row.secret === true);
}
