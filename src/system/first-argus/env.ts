/** The first Argus's argus.env, which a shell sourced, as one that this Argus reads. Pure; nothing of it is ever run. */
import { variables } from "../../types/variables.ts";
import { namesIn, readShellValue } from "../shell-value.ts";
import { isFormerName } from "./settings-table.ts";
import { guards, shellLine, shellPrefix, wholeLines } from "./shell-lines.ts";

/** Variables that say where the first Argus wrote. The sandbox keeps this one out of there. */
export const pathVariables = [
  ...["ARGUS_STATE_DIR", "ARGUS_LOG_DIR", "ARGUS_MEMORY_DIR", "ARGUS_PROBLEMS_FILE", "ARGUS_DEDUP_FILE"],
  ...["ARGUS_RESTART_BACKOFF_FILE", "ARGUS_ORPHAN_STATE", "ARGUS_OBSERVATIONS_FILE", "ARGUS_LOG_FILE"],
  ...["ARGUS_RELAY_FALLBACK_FILE", "ARGUS_RELAY_SUMMARY_FALLBACK_FILE"],
  ...["ARGUS_RELAY_OBSERVATIONS_FALLBACK_FILE", "ARGUS_LLM_BACKOFF_STATE_FILE"],
];
/** What names a place of the program itself: that of this one stands elsewhere. */
const placeOfOurs = ["ARGUS_CONFIG", "ARGUS_RULES_DIR", "ARGUS_LOCAL_RULES_DIR", "ARGUS_EXECUTOR_SOCKET"];
const notTaken = new Set([...pathVariables, ...placeOfOurs, "ARGUS_EXECUTOR_STATE_DIR"]);

export interface TakenEnv {
  /** Line n + 1 is line n of what it was taken from. */
  readonly text: string;
  /** Values of the path variables, with HOME put in. */
  readonly paths: ReadonlyMap<string, string>;
  /** A sentence for each line that is not taken as it was. */
  readonly said: readonly string[];
  /** A line that decides what Argus may do and cannot be read: nothing is to be taken. */
  readonly refused: { readonly line: number; readonly why: string } | null;
}

/** Begins the line that says whence it came: a second run finds it. */
export const takenMark = "# taken over by install.sh from ";

/** @param home of the owner of the first Argus: what HOME is there. */
export function takeEnv(text: string, { home, from }: { home: string; from: string }): TakenEnv {
  const paths = new Map<string, string>();
  const said: string[] = [];
  const body = text.replace(/^\uFEFF/, "").replace(/\r?\n$/, "");
  const lines = body.split(/\r?\n/);
  const read = readLines(body, home);
  const isUsed = new Set(namesIn(body));
  const last = new Map<string, number>();
  for (const { number, line } of read) if ("name" in line) last.set(line.name, number);
  const set = telegram.filter((name) =>
    read.some(
      ({ line, number }) =>
        "name" in line && line.name === name && line.value !== "" && last.get(name) === number,
    ),
  );
  const [only] = set;
  const isAlone = set.length === 1;
  if (isAlone)
    said.push(
      `Telegram is not set up: argus.env has a value for ${only} alone; set ${telegram.join(" and ")} in the new argus.env`,
    );
  let refused: TakenEnv["refused"] = null;
  const taken = read.flatMap(({ number, count, line }) => {
    const written = lines.slice(number - 1, number - 1 + count);
    const asComment = (why: string) => written.map((each) => commented(each, why));
    const notTakenAs = (why: string) => {
      said.push(`line ${number} of argus.env is not taken (${why}); it stays there as a comment`);
      return asComment(why);
    };
    if ("keep" in line) return written;
    if ("why" in line) {
      if (line.isGuarding) refused ??= { line: number, why: line.why };
      return notTakenAs(line.why);
    }
    const { name, value } = line;
    // A shell takes the last one; here two are an error.
    if (last.get(name) !== number) return asComment(`set again on line ${last.get(name)}`);
    if (pathVariables.includes(name)) paths.set(name, value);
    if (notTaken.has(name)) return asComment("this Argus has its own place for it");
    if (isAlone && telegram.includes(name)) return asComment("Telegram needs both a token and a chat");
    if (!isSetting(name))
      return isUsed.has(name)
        ? asComment("put into the lines that refer to it")
        : notTakenAs("Argus has no such setting");
    const text = writtenAs(value);
    return text === null ? notTakenAs("its value has quotes of both kinds") : [`${name}=${text}`];
  });
  return { text: [`${takenMark}${from}`, ...taken, ""].join("\n"), paths, said, refused };
}

const telegram = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID"];
const isSetting = (name: string): boolean =>
  Object.hasOwn(variables, name) || isFormerName(name) || /^ARGUS_SECRET_[A-Z0-9_]{1,64}$/.test(name);

const commented = (line: string, why: string): string => `# taken over by install.sh: ${why}: ${line.trim()}`;

type Line = { keep: true } | { why: string; isGuarding: boolean } | { name: string; value: string };

function readLines(text: string, home: string): { number: number; count: number; line: Line }[] {
  const values = new Map([["HOME", home]]);
  return [...wholeLines(text)].map(({ number, text: whole }) => {
    const line = readLine(whole, (name) => values.get(name) ?? null);
    if ("name" in line) values.set(line.name, line.value);
    return { number, count: whole.split("\n").length, line };
  });
}

const nameAndValue = new RegExp(`^(?:${shellPrefix})?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`);

function readLine(text: string, known: (name: string) => string | null): Line {
  if (text === "" || text.startsWith("#")) return { keep: true };
  const why = (said: string): Line => ({
    why: said,
    isGuarding: (text.match(/\b[A-Z][A-Z0-9_]*\b/g) ?? []).some(guards),
  });
  const shell = shellLine(text);
  if ("fault" in shell) return { why: shell.fault, isGuarding: true };
  if ("unused" in shell) return { why: shell.unused.split(";")[0] ?? "", isGuarding: false };
  const match = nameAndValue.exec(shell.line);
  if (match === null) return why("it is no NAME=value");
  const [, name = "", raw = ""] = match;
  const isBare = !/^["']/.test(raw);
  const tilde = isBare ? raw.replace(/^~(?=\/|$)/, () => "$HOME") : raw;
  const read = readShellValue(tilde, { known, isSecret: false });
  if ("runs" in read) return why("a shell would run a program for its value");
  if ("fault" in read || (isBare && /[\s;&|<>()"']/.test(read.text)))
    return why("a shell would do more with it than read a value");
  if (!raw.startsWith("'") && /[`$]/.test(read.text)) return why("its value needs a shell");
  if (read.text.includes("\\")) return why("it has a backslash");
  return { name, value: read.text };
}

/** @returns null: no quotes make the reader take it as it is. */
function writtenAs(value: string): string | null {
  if (!/[\s"'#$`]/.test(value)) return value;
  if (!value.includes("'")) return /["$`]/.test(value) ? `'${value}'` : `"${value}"`;
  return /["$`]/.test(value) ? null : `"${value}"`;
}
