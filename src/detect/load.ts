/** Rule files -> a rule set, or everything that is wrong with them. */
import { dirname, join } from "node:path";
import { faultsOf } from "../system/json-faults.ts";
import {
  atPath,
  type Fault,
  forbidden,
  isFault,
  type JsonPath,
  type JsonSource,
  parseJson,
  pathText,
  readJson,
} from "../system/json-source.ts";
import { nearest, quoted } from "../system/names.ts";
import { namesIn, reach } from "../system/reach.ts";
import type { Files } from "../system/system.ts";
import { type Rule, RuleFile } from "../types/rules.ts";
import { checkRule } from "./check.ts";
import { type CompiledRule, compileRule } from "./compile.ts";
import { createJudge, type Judge } from "./judge.ts";

export interface JudgedRule {
  readonly compiled: CompiledRule;
  readonly judge: Judge;
}

export interface RuleSet {
  /** By priority, then name. */
  readonly rules: readonly JudgedRule[];
  /** Names that are switched off. */
  readonly disabled: readonly string[];
  readonly files: readonly string[];
  /** What stood in the files that were read, by path. */
  readonly texts: Readonly<Record<string, string>>;
}

export type LoadResult =
  | { readonly ok: true; readonly set: RuleSet }
  | { readonly ok: false; readonly faults: readonly Fault[]; readonly texts: RuleSet["texts"] };

export interface RuleDirs {
  readonly rulesDir: string;
  readonly localRulesDir: string;
}

/** The `*.json` of a folder, by name. None when there is no such folder or it may not be read: `folderFault` says so. */
export function listRuleFiles(files: Files, dir: string): string[] {
  if (reach(files, dir).kind !== "directory") return [];
  const names = namesIn(files, dir);
  if (names === "forbidden") return [];
  return names
    .filter((name) => name.endsWith(".json") && !name.startsWith("."))
    .sort()
    .map((name) => join(dir, name));
}

/** Why nothing can be read from a folder; null when it can, or when there is no such folder. */
export function folderFault(files: Files, dir: string): Fault | null {
  const { kind } = reach(files, dir);
  const fault = (message: string): Fault => ({ file: dir, line: 1, path: "", message });
  if (kind === "nothing") return null;
  if (kind === "forbidden") return fault(forbidden);
  if (kind !== "directory") return fault("is not a folder; rule files stand in a folder");
  return namesIn(files, dir) === "forbidden" ? fault(forbidden) : null;
}

/** What to take for the content of a file; null: leave the file or the folder out. */
export type Instead = ReadonlyMap<string, string | null>;

interface Entry {
  readonly source: JsonSource;
  readonly index: number;
  readonly rule: Rule | { readonly name: string; readonly enabled: false };
}

interface Reading {
  readonly files: Files;
  readonly instead: Instead;
  readonly faults: Fault[];
  readonly texts: Record<string, string>;
}

function readEntries({ files, instead, faults, texts }: Reading, file: string): Entry[] {
  const given = instead.get(file);
  if (given === null) return [];
  const source = given === undefined ? readJson(files, file) : parseJson(file, given);
  if (isFault(source)) {
    faults.push(source);
    return [];
  }
  texts[file] = source.text;
  const parsed = RuleFile.safeParse(source.value);
  if (!parsed.success) {
    const found = faultsOf(source, RuleFile, parsed.error);
    faults.push(...found.map((fault) => ({ ...fault, path: entryPath(source, fault.path, "rule") })));
    return [];
  }
  return parsed.data.rules.map((rule, index) => ({ source, index, rule: rule as Entry["rule"] }));
}

/** `rules[3].event` says little in a long file: the entry's name stands there instead, as in `rule "disk-full", event`. */
export function entryPath(source: JsonSource, path: string, noun: "rule" | "test"): string {
  const match = new RegExp(`^${noun}s\\[(\\d+)\\]\\.?(.*)$`, "s").exec(path);
  if (match === null) return path;
  const [, index = "", rest = ""] = match;
  const name = atPath(source.value, [`${noun}s`, Number(index), "name"]);
  const which = typeof name === "string" && name !== "" ? quoted(name) : `number ${Number(index) + 1}`;
  return `${noun} ${which}${rest === "" ? "" : `, ${rest}`}`;
}

function faultAt({ source }: Entry, path: JsonPath, message: string): Fault {
  return {
    file: source.file,
    line: source.lineOf(path),
    path: entryPath(source, pathText(path), "rule"),
    message,
  };
}

function compileEntry(entry: Entry, rule: Rule, faults: Fault[]): JudgedRule | null {
  const path: JsonPath = ["rules", entry.index];
  const templates = checkRule(rule, path, (at, message) => faults.push(faultAt(entry, at, message)));
  if (templates === null) return null;
  const compiled = compileRule(rule, templates, entry.source.file, entry.source.lineOf(path));
  return { compiled, judge: createJudge(compiled) };
}

/** One layer: the shipped rules or the local ones. A name may stand in it once. */
function readLayer(reading: Reading, dir: string): Map<string, Entry> {
  const { files, instead, faults } = reading;
  const layer = new Map<string, Entry>();
  const isLeftOut = instead.get(dir) === null;
  const unreadable = isLeftOut ? null : folderFault(files, dir);
  if (unreadable !== null) faults.push(unreadable);
  const listed = isLeftOut ? [] : listRuleFiles(files, dir);
  const paths = new Set([...listed, ...[...instead.keys()].filter((path) => dirname(path) === dir)]);
  for (const entry of [...paths].sort().flatMap((file) => readEntries(reading, file))) {
    const { index, rule } = entry;
    const other = layer.get(rule.name);
    if (other !== undefined) {
      const where = `${other.source.file}:${other.source.lineOf(["rules", other.index])}`;
      faults.push(
        faultAt(entry, ["rules", index], `stands already in ${where}; rename or remove one of them`),
      );
      continue;
    }
    layer.set(rule.name, entry);
  }
  return layer;
}

/** Reads every file, so that all that is wrong is said at once. Never throws for what stands in them. */
export function loadRules(files: Files, dirs: RuleDirs, instead: Instead = new Map()): LoadResult {
  const faults: Fault[] = [];
  const reading: Reading = { files, instead, faults, texts: {} };
  const isLeftOut = instead.get(dirs.rulesDir) === null;
  if (!isLeftOut && reach(files, dirs.rulesDir).kind === "nothing") {
    const message = "there is no such folder; ARGUS_RULES_DIR must name the shipped rules";
    return { ok: false, faults: [{ file: dirs.rulesDir, line: 1, path: "", message }], texts: {} };
  }
  const shipped = readLayer(reading, dirs.rulesDir);
  // With a shipped file unread, a name that is not among the shipped ones may well stand in it.
  const isPartOut = [...instead].some(([path, text]) => text === null && dirname(path) === dirs.rulesDir);
  const shippedIsWhole = faults.length === 0 && !isLeftOut && !isPartOut;
  const local = readLayer(reading, dirs.localRulesDir);
  const entries = new Map(shipped);
  const disabled: string[] = [];
  for (const [name, entry] of local) {
    if (!("conditions" in entry.rule) && !shipped.has(name) && shippedIsWhole) {
      const message = `switches off a rule that does not exist${nearest(name, shipped.keys())}`;
      faults.push(faultAt(entry, ["rules", entry.index], message));
    }
    entries.set(name, entry);
  }
  if (entries.size === 0 && faults.length === 0 && !isLeftOut) {
    const message = "has no rules; ARGUS_RULES_DIR must name the shipped ones";
    faults.push({ file: dirs.rulesDir, line: 1, path: "", message });
  }
  const rules: JudgedRule[] = [];
  for (const entry of entries.values()) {
    const { rule } = entry;
    // A rule that is switched off is still checked: it must not break the moment somebody switches it on.
    const judged = "conditions" in rule ? compileEntry(entry, rule, faults) : null;
    if (rule.enabled === false) disabled.push(rule.name);
    else if (judged !== null) rules.push(judged);
  }
  if (faults.length > 0) return { ok: false, faults, texts: reading.texts };
  rules.sort(
    (a, b) =>
      b.compiled.priority - a.compiled.priority || (a.compiled.rule.name < b.compiled.rule.name ? -1 : 1),
  );
  const paths = new Set([...shipped.values(), ...local.values()].map((entry) => entry.source.file));
  return { ok: true, set: { rules, disabled: disabled.sort(), files: [...paths], texts: reading.texts } };
}
