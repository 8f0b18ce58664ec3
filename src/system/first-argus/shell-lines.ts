/** Lines of an argus.env that only a shell understands, as the first Argus sourced them. Nothing is ever run. Pure. */
import { type Variable, type VariableName, variables } from "../../types/variables.ts";

/** What a shell writes before NAME=value. */
export const shellPrefix = String.raw`(?:export|readonly|(?:declare|typeset)(?:\s+-[rx]+)*)\s+`;
const assignment = new RegExp(String.raw`^\s*(?:${shellPrefix})?[A-Za-z_]\w*=`);
const otherWords = /^(?:set|shopt|umask|ulimit|source|\.)\s|^(?:set|umask)$/;
const namesAlone = new RegExp(String.raw`^(?:${shellPrefix}|unset\s+)[A-Za-z_]\w*(?:\s+[A-Za-z_]\w*)*\s*;?$`);
const setsUnlessSet = /^:\s+["']?\$\{/;
const value = String.raw`(?:"[^"]*"|'[^']*'|[^\s"';]*)`;
const first = new RegExp(String.raw`^(${shellPrefix})?([A-Za-z_]\w*)=${value}`);
const next = new RegExp(String.raw`^(\s*;\s*|\s+)(?:${shellPrefix})?([A-Za-z_]\w*)(?:=|\s|$)`);

const row = (name: string): Variable | undefined =>
  Object.hasOwn(variables, name) ? variables[name as VariableName] : undefined;
const isSecret = (name: string): boolean => {
  const known = row(name);
  return name.startsWith("ARGUS_SECRET_") || (known?.kind === "text" && known.secret === true);
};

/** Their default is no riskier than what may have been meant. */
const harmless: readonly string[] = [
  ...["ARGUS_INTERVAL", "ARGUS_DEDUP_WINDOW", "ARGUS_BEAD_REPEAT_THRESHOLD"],
  ...[
    "ARGUS_BEAD_REPEAT_WINDOW_SECONDS",
    "ARGUS_SWAP_THRASH_MBPS",
    "ARGUS_RELAY_TIMEOUT",
    "ARGUS_LLM_TIMEOUT",
  ],
];

/** It decides what Argus may do: left out, Argus could do more than was meant. */
export function guards(name: string): boolean {
  if (name === "ARGUS_DISK_CLEAN_DRY_RUN") return true;
  const known = row(name);
  return known !== undefined && !["path", "text"].includes(known.kind) && !harmless.includes(name);
}

export interface WholeLine {
  /** 1 is the first. */
  readonly number: number;
  /** With line ends, where its value goes over several. */
  readonly text: string;
}

const mostLines = 20;

/** A value in quotes may go over several lines. None of them is another setting: else a quote was forgotten. */
export function* wholeLines(text: string): Generator<WholeLine> {
  const lines = text.split("\n").map((line) => line.trim());
  for (let at = 0; at < lines.length; ) {
    const count = linesOf(lines, at);
    yield { number: at + 1, text: lines.slice(at, at + count).join("\n") };
    at += count;
  }
}

function linesOf(lines: readonly string[], at: number): number {
  const line = lines[at] ?? "";
  const raw = assignment.test(line) ? line.slice(line.indexOf("=") + 1) : "";
  const quote = /^(["'])(?:(?!\1).)*$/.exec(raw)?.[1];
  if (quote === undefined && !/[^\\]\\$/.test(raw)) return 1;
  for (let count = 1; count < mostLines && at + count < lines.length; count += 1) {
    const following = lines[at + count] ?? "";
    if (assignment.test(following)) return 1;
    if (quote === undefined ? !following.endsWith("\\") : following.includes(quote)) return count + 1;
  }
  return 1;
}

export type ShellLine =
  /** A sentence why nothing of it is used. */
  | { readonly unused: string }
  /** It could keep Argus from something, and cannot be read. */
  | { readonly fault: string }
  | { readonly line: string };

/** @returns line: what is left to be read as NAME=value. */
export function shellLine(text: string): ShellLine {
  if (otherWords.test(text)) return guarded(text, "only a shell understands it; write NAME=value instead");
  if (namesAlone.test(text))
    return text.startsWith("unset") ? guarded(text, commandOnly) : { unused: commandOnly };
  if (setsUnlessSet.test(text)) return guarded(text, "it is a command of a shell; write NAME=value instead");
  if (text.includes("\n")) return guarded(text, "its value goes over several lines; write it on one");
  const found = first.exec(text);
  const [head = "", prefix, name = ""] = found ?? [];
  if (found === null || (isSecret(name) && prefix === undefined)) return { line: text };
  const rest = text.slice(head.length);
  // NAME=5; export NAME
  if (/^\s*;\s*(?:#.*)?$/.test(rest) || new RegExp(`^\\s*;\\s*export\\s+${name}\\s*;?$`).test(rest))
    return { line: head };
  const [, between = "", second = ""] = next.exec(rest) ?? [];
  const isSeveral =
    second !== "" &&
    (between.includes(";") ||
      (rest.includes(`${second}=`) && (prefix !== undefined || row(second) !== undefined)));
  return isSeveral
    ? guarded(text, "several commands stand on one line; write each setting on its own")
    : { line: text };
}

const commandOnly = "it is a command of a shell, and not needed";

function guarded(text: string, unused: string): ShellLine {
  const name = text.match(/\b[A-Z][A-Z0-9_]*\b/g)?.find(guards);
  return name === undefined
    ? { unused }
    : { fault: `${name} must stand on a line of its own, as ${name}=value` };
}
