/** Rule files -> a rule set, or everything that is wrong with them. */
import { join } from "node:path";
import {
  type Fault,
  faultsOf,
  type IssueContext,
  isFault,
  type JsonPath,
  type JsonSource,
  nearest,
  parseJson,
  pathText,
} from "../system/json-source.ts";
import type { Files } from "../system/system.ts";
import { conditionBranches, For, Leaf, Rule, RuleAction, RuleFile } from "../types/rules.ts";
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
}

export type LoadResult =
  | { readonly ok: true; readonly set: RuleSet }
  | { readonly ok: false; readonly faults: readonly Fault[] };

export interface RuleDirs {
  readonly rulesDir: string;
  readonly localRulesDir: string;
}

const params = Rule.shape.event.shape.params;

/** Keys that an object of a rule file may have, for "did you mean". */
function keysAt(path: JsonPath): readonly string[] {
  const [top, , ...inRule] = path;
  if (top === undefined) return Object.keys(RuleFile.shape);
  if (inRule.length === 0) return Object.keys(Rule.shape);
  if (inRule[0] === "conditions") return [...conditionBranches.slice(0, 3), ...Object.keys(Leaf.shape)];
  if (inRule[0] === "for") return Object.keys(For.shape);
  if (inRule.includes("actions")) return Object.keys(RuleAction.shape);
  return inRule.includes("params") ? Object.keys(params.shape) : Object.keys(Rule.shape.event.shape);
}

/** Which branch of a union the author meant, by the keys that stand there. */
export function meantBranch(value: unknown, branches: number): number | null {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  if (branches === 2)
    return "conditions" in value || "event" in value || !("enabled" in value && value.enabled === false)
      ? 1
      : 0;
  const index = conditionBranches.findIndex((key) => key in value);
  return index === -1 ? conditionBranches.length - 1 : index;
}

const context: IssueContext = { keysAt, branch: meantBranch };

export function listRuleFiles(files: Files, dir: string): string[] {
  if (files.stat(dir)?.kind !== "directory") return [];
  return files
    .list(dir)
    .filter((name) => name.endsWith(".json") && !name.startsWith("."))
    .sort()
    .map((name) => join(dir, name));
}

interface Entry {
  readonly source: JsonSource;
  readonly index: number;
  readonly rule: Rule | { readonly name: string; readonly enabled: false };
}

function readEntries(files: Files, file: string, faults: Fault[]): Entry[] {
  const text = files.tryRead(file);
  if (text === null) {
    faults.push({ file, line: 1, path: "", message: "cannot be read by this user" });
    return [];
  }
  const source = parseJson(file, text);
  if (isFault(source)) {
    faults.push(source);
    return [];
  }
  const parsed = RuleFile.safeParse(source.value);
  if (!parsed.success) {
    faults.push(...faultsOf(source, parsed.error, context).map((fault) => named(fault, source.value)));
    return [];
  }
  return parsed.data.rules.map((rule, index) => ({ source, index, rule: rule as Entry["rule"] }));
}

/** `rules[3].event` says little in a long file: put the rule's name beside it. */
function named(fault: Fault, value: unknown): Fault {
  const index = /^rules\[(\d+)\]\.?(.*)$/.exec(fault.path);
  const rules = (value as { rules?: unknown } | null)?.rules;
  if (index === null || !Array.isArray(rules)) return fault;
  const rule: unknown = rules[Number(index[1])];
  const name =
    rule !== null && typeof rule === "object" && "name" in rule && typeof rule.name === "string"
      ? rule.name
      : `#${Number(index[1]) + 1}`;
  return { ...fault, path: `rule "${name}"${index[2] === "" ? "" : `, ${index[2]}`}` };
}

function compileEntry(entry: Entry, rule: Rule, faults: Fault[]): JudgedRule | null {
  const path: JsonPath = ["rules", entry.index];
  const { source } = entry;
  const templates = checkRule(rule, path, (at, message) => {
    const text = pathText(at.slice(2));
    faults.push({
      file: source.file,
      line: source.lineOf(at),
      path: `rule "${rule.name}"${text === "" ? "" : `, ${text}`}`,
      message,
    });
  });
  if (templates === null) return null;
  const compiled = compileRule(rule, templates, source.file, source.lineOf(path));
  return { compiled, judge: createJudge(compiled) };
}

/** One layer: the shipped rules or the local ones. A name may stand in it once. */
function readLayer(files: Files, dir: string, faults: Fault[]): Map<string, Entry> {
  const layer = new Map<string, Entry>();
  for (const entry of listRuleFiles(files, dir).flatMap((file) => readEntries(files, file, faults))) {
    const { source, index, rule } = entry;
    const other = layer.get(rule.name);
    if (other !== undefined) {
      const where = `${other.source.file}:${other.source.lineOf(["rules", other.index])}`;
      faults.push({
        file: source.file,
        line: source.lineOf(["rules", index]),
        path: `rule "${rule.name}"`,
        message: `stands already in ${where}`,
      });
      continue;
    }
    layer.set(rule.name, entry);
  }
  return layer;
}

export function loadRules(files: Files, dirs: RuleDirs): LoadResult {
  const faults: Fault[] = [];
  if (files.stat(dirs.rulesDir)?.kind !== "directory") {
    faults.push({
      file: dirs.rulesDir,
      line: 1,
      path: "",
      message: "there is no such folder; ARGUS_RULES_DIR must name the shipped rules",
    });
    return { ok: false, faults };
  }
  const shipped = readLayer(files, dirs.rulesDir, faults);
  const local = readLayer(files, dirs.localRulesDir, faults);
  const entries = new Map(shipped);
  const disabled: string[] = [];
  for (const [name, entry] of local) {
    if (!("conditions" in entry.rule) && !shipped.has(name)) {
      const { source, index } = entry;
      faults.push({
        file: source.file,
        line: source.lineOf(["rules", index]),
        path: `rule "${name}"`,
        message: `switches off a rule that does not exist${nearest(name, shipped.keys())}`,
      });
    }
    entries.set(name, entry);
  }
  const rules: JudgedRule[] = [];
  for (const entry of entries.values()) {
    const { rule } = entry;
    // A rule that is switched off is still checked: it must not break the moment somebody switches it on.
    const judged = "conditions" in rule ? compileEntry(entry, rule, faults) : null;
    if (rule.enabled === false) disabled.push(rule.name);
    else if (judged !== null) rules.push(judged);
  }
  if (faults.length > 0) return { ok: false, faults };
  rules.sort(
    (a, b) =>
      b.compiled.priority - a.compiled.priority || (a.compiled.rule.name < b.compiled.rule.name ? -1 : 1),
  );
  const paths = new Set([...shipped.values(), ...local.values()].map((entry) => entry.source.file));
  return { ok: true, set: { rules, disabled: disabled.sort(), files: [...paths] } };
}
