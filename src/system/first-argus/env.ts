/** The first Argus's argus.env, which a shell sourced, as one that this Argus reads. Pure; nothing of it is ever run. */

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
  readonly text: string;
  /** Values of the path variables, with HOME put in. */
  readonly paths: ReadonlyMap<string, string>;
  /** A sentence for each line that is not taken as it was. */
  readonly said: readonly string[];
}

/** Begins the line that says whence it came: a second run finds it. */
export const takenMark = "# taken over by install.sh from ";

/** @param home of the owner of the first Argus: the one variable that is put in. */
export function takeEnv(text: string, { home, from }: { home: string; from: string }): TakenEnv {
  const paths = new Map<string, string>();
  const said: string[] = [];
  const last = new Map<string, number>();
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const read = lines.map((line) => readLine(line, home));
  for (const [index, each] of read.entries()) if ("name" in each) last.set(each.name, index);
  const taken = read.flatMap((each, index) => {
    const line = lines[index] ?? "";
    const at = `line ${index + 1}`;
    if ("keep" in each) return [line];
    if ("why" in each) {
      said.push(`${at} of argus.env is not taken (${each.why}); it stays there as a comment`);
      return [commented(line, each.why)];
    }
    const { name, value } = each;
    // A shell takes the last one; here two are an error.
    if (last.get(name) !== index) return [commented(line, `set again on line ${(last.get(name) ?? 0) + 1}`)];
    if (pathVariables.includes(name)) paths.set(name, value);
    if (notTaken.has(name)) return [commented(line, "this Argus has its own place for it")];
    return [`${name}=${quotedFor(value)}`];
  });
  return { text: [`${takenMark}${from}`, ...taken, ""].join("\n"), paths, said };
}

const commented = (line: string, why: string): string => `# taken over by install.sh: ${why}: ${line.trim()}`;

type Line = { keep: true } | { why: string } | { name: string; value: string };

function readLine(line: string, home: string): Line {
  const trimmed = line.trim();
  if (trimmed === "" || trimmed.startsWith("#")) return { keep: true };
  const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(trimmed);
  if (match === null) return { why: "it is no NAME=value" };
  const [, name = "", raw = ""] = match;
  const word = /^(?:"([^"]*)"|'([^']*)'|([^\s"']*))(?:\s+#.*|\s*;?\s*)$/.exec(raw);
  if (word === null) return { why: "a shell would do more with it than read a value" };
  const [, double, single, bare] = word;
  const value = single ?? withHome(double ?? bare ?? "", home, double === undefined);
  if (value === null) return { why: "its value needs a shell" };
  if (value.includes("\\")) return { why: "it has a backslash" };
  return { name, value };
}

/** null: something else would have to be put in, or run. */
function withHome(text: string, home: string, bare: boolean): string | null {
  const put = text.replace(/\$(?:HOME\b|\{HOME\}|\{HOME:-[^}]*\})/g, () => home);
  const whole = bare ? put.replace(/^~(?=\/|$)/, () => home) : put;
  return /[`$]/.test(whole) || (bare && /[;&|<>()]/.test(whole)) ? null : whole;
}

const quotedFor = (value: string): string =>
  /[\s"'#]/.test(value) ? (value.includes('"') ? `'${value}'` : `"${value}"`) : value;
