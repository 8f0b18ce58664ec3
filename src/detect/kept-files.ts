/** A rules folder as it lies there: every rule and test by its name, and the files that hold none. Nothing is judged. */
import { join } from "node:path";
import { faultText, isFault, readJson } from "../system/json-source.ts";
import { stringify } from "../system/printable.ts";
import { namesIn, reach } from "../system/reach.ts";
import type { Files } from "../system/system.ts";
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
  /** Paths below the folder: of other files, and of those that are no rules or tests. */
  readonly broken: readonly { readonly file: string; readonly why: string }[];
}

const mostLevels = 8;

/** Empty without a folder. Throws a WorkError when it cannot be read. */
export function readLayerFiles(files: Files, dir: string): Layer {
  const rules = new Map<string, Named>();
  const tests = new Map<string, Named>();
  const broken: { file: string; why: string }[] = [];

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
    const into = key === "rules" ? rules : tests;
    // A second one of the same name: the folder was refused as it stood, and none of the two was in force.
    if (
      named.some(({ name: each }) => into.has(each)) ||
      new Set(named.map((each) => each.name)).size < named.length
    )
      return void broken.push({ file: path, why: "a name in it stands twice" });
    for (const each of named) into.set(each.name, each);
  }

  function walk(folder: string, level: number): void {
    const names = namesIn(files, join(dir, folder));
    if (names === "forbidden")
      throw new WorkError(`this user may not read ${join(dir, folder)}; ask with sudo`);
    for (const name of [...names].sort()) {
      const path = join(folder, name);
      const { kind } = reach(files, join(dir, path));
      const isJson = name.endsWith(".json") && !name.startsWith(".");
      if (kind === "directory" && level < mostLevels) walk(path, level + 1);
      else if (kind === "file" && isJson && folder === "") take(path, name, "rules");
      else if (kind === "file" && isJson && folder === "tests") take(path, name, "tests");
      else if (kind === "file") broken.push({ file: path, why: "it is no rule file" });
    }
  }
  if (reach(files, dir).kind === "directory") walk("", 0);
  return { rules, tests, broken };
}

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
