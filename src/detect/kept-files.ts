/** A rules folder as it lies there: every rule and test by its name, and the files that hold none. Nothing is judged. */
import { join } from "node:path";
import { faultText, isFault, readJson } from "../system/json-source.ts";
import { printable, stringify } from "../system/printable.ts";
import { namesIn, reach } from "../system/reach.ts";
import type { FileStatus, Files } from "../system/system.ts";
import { WorkError } from "../types/errors.ts";

export interface Named {
  /** Of a rule; of a test its rule's and its own. */
  readonly name: string;
  /** Below the folder of the rules or of the tests. */
  readonly file: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** The rule that a test is about. */
  readonly rule?: string;
}

export interface Layer {
  readonly rules: ReadonlyMap<string, Named>;
  readonly tests: ReadonlyMap<string, Named>;
  /** Entries that only switch a rule off, beside the rule itself in another file. */
  readonly off: ReadonlyMap<string, Named>;
  /** Paths below the folder: of other files, and of those that are no rules or tests. */
  readonly broken: readonly { readonly file: string; readonly why: string }[];
  /** What is no file of the folder's own: links, pipes, sockets. Nothing is read of it. */
  readonly strange: readonly { readonly file: string; readonly why: string }[];
}

export interface Strictly {
  /** Whoever asks: only files of theirs and of root are taken for rules, and only those that everybody may read. */
  readonly uid: number;
}

const mostLevels = 8;

/**
 * Empty without a folder. Throws a WorkError when it cannot be read.
 * @param strictly for a folder that is copied: no link is followed, or a secret that one leads to would be copied too.
 */
export function readLayerFiles(files: Files, dir: string, strictly: Strictly | null = null): Layer {
  const rules = new Map<string, Named>();
  const tests = new Map<string, Named>();
  const off = new Map<string, Named>();
  const broken: { file: string; why: string }[] = [];
  const strange: { file: string; why: string }[] = [];

  function take(path: string, name: string, key: "rules" | "tests"): void {
    const source = readJson(files, join(dir, path));
    if (isFault(source)) return void broken.push({ file: path, why: faultText(source) });
    const entries = isObject(source.value) ? source.value[key] : undefined;
    if (!Array.isArray(entries) || !entries.every(isNamed))
      return void broken.push({ file: path, why: `it is no file of ${key}` });
    const named = entries.map((value: Readonly<Record<string, unknown>> & { name: string }): Named => {
      const rule = String(value["rule"]);
      return key === "rules"
        ? { name: value.name, file: name, value }
        : { name: stringify([rule, value.name]), file: name, value, rule };
    });
    const intoOf = ({ value }: Named) => (key === "tests" ? tests : isSwitchOff(value) ? off : rules);
    // A second one of the same name: the folder was refused as it stood, and none of the two was in force.
    if (
      named.some((each) => intoOf(each).has(each.name)) ||
      named.some((each, at) =>
        named.some((b, to) => at < to && b.name === each.name && intoOf(b) === intoOf(each)),
      )
    )
      return void broken.push({ file: path, why: "a name in it stands twice" });
    for (const each of named) intoOf(each).set(each.name, each);
  }

  /** Why a file is not taken for one of the folder's; null: it is. */
  function refusalOf({ uid, mode }: FileStatus): string | null {
    if (strictly === null) return null;
    if (uid !== 0 && uid !== strictly.uid) return `it belongs to user ${uid}, and rules are root's`;
    return (mode & 0o004) === 0 ? "not everybody may read it, so the daemon could not either" : null;
  }

  function walk(folder: string, level: number): void {
    const names = namesIn(files, join(dir, folder));
    if (names === "forbidden")
      throw new WorkError(`this user may not read ${join(dir, folder)}; ask with sudo`);
    for (const name of [...names].sort()) {
      const path = join(folder, name);
      const reached = reach(files, join(dir, path));
      const { kind } = reached;
      const lies = strictly === null ? null : strangeness(files, join(dir, path));
      if (lies !== null) {
        strange.push({ file: path, why: lies });
        continue;
      }
      const refusal = kind === "file" ? refusalOf(reached.status) : null;
      const isJson = name.endsWith(".json") && !name.startsWith(".");
      if (kind === "directory" && level < mostLevels) walk(path, level + 1);
      else if (refusal !== null) broken.push({ file: path, why: refusal });
      else if (kind === "file" && isJson && folder === "") take(path, name, "rules");
      else if (kind === "file" && isJson && folder === "tests") take(path, name, "tests");
      else if (kind === "file") broken.push({ file: path, why: "it is no rule file" });
    }
  }
  const lies = strictly === null ? null : strangeness(files, dir);
  if (lies !== null) strange.push({ file: "", why: lies });
  else if (reach(files, dir).kind === "directory") walk("", 0);
  for (const [name, each] of off) {
    if (rules.has(name)) continue;
    rules.set(name, each);
    off.delete(name);
  }
  return { rules, tests, off, broken, strange };
}

/** Why it is neither a file nor a folder of its own; null: it is, or nothing is there. */
function strangeness(files: Files, path: string): string | null {
  const kind = files.stat(path)?.kind;
  if (kind === "link")
    return `it is a link to ${printable(files.tryReadLink(path) ?? "what cannot be read")}, and no link is followed; what it leads to stays where it is`;
  return kind === "other" ? "it is neither a file nor a folder" : null;
}

const isSwitchOff = (value: Readonly<Record<string, unknown>>): boolean =>
  value["enabled"] === false && !("conditions" in value);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isNamed = (value: unknown): value is { name: string } =>
  isObject(value) && typeof value["name"] === "string";

/** The same value with the keys of its objects in order: for comparing. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
