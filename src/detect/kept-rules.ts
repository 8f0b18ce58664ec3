/**
 * What somebody changed in the folder of the shipped rules, which the next version replaces: the rules that differ become
 * local ones, so that they stay in force. What cannot is set aside, byte for byte.
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { faultText } from "../system/json-source.ts";
import { copyPlainly } from "../system/plain-copy.ts";
import { stringify } from "../system/printable.ts";
import type { Files } from "../system/system.ts";
import { type Named, readLayerFiles, sorted } from "./kept-files.ts";
import { loadRules } from "./load.ts";

export interface Keeping {
  readonly files: Files;
  /** Rules folder that is about to be replaced. */
  readonly installed: string;
  /** How it was shipped; null: an older version, which kept no copy. */
  readonly shipped: string | null;
  /** Hashes of each rule and test that such versions shipped. */
  readonly before: ReadonlySet<string>;
  /** Rules folder of the version to come. */
  readonly next: string;
  readonly local: string;
  /** An empty folder: what is to be added to the local one is written there, under the same names. */
  readonly into: string;
  /** Whether the shipped rules are in force at all (ARGUS_RULES_DIR). */
  readonly inForce: boolean;
}

const setAsideFolder = "set-aside";

const hashOf = (value: unknown): string =>
  createHash("sha256")
    .update(stringify(sorted(value)))
    .digest("hex")
    .slice(0, 16);
const same = (a: unknown, b: unknown): boolean => stringify(sorted(a)) === stringify(sorted(b));

/** @returns what is done, a sentence for each file: to be said before it is done, so each begins with a verb. */
export function keepRules(keeping: Keeping): string[] {
  const { files, installed, shipped, next, local } = keeping;
  const mine = readLayerFiles(files, installed);
  const base = shipped === null ? null : readLayerFiles(files, shipped);
  const theirs = readLayerFiles(files, next);
  const own = readLayerFiles(files, local);
  const isShipped = (value: unknown, was: Named | undefined): boolean =>
    base === null ? keeping.before.has(hashOf(value)) : was !== undefined && same(value, was.value);
  const said: string[] = [];
  const rules = new Map<string, Kept[]>();
  const aside = new Map<string, { value: object; why: string }[]>();

  for (const rule of mine.rules.values()) {
    const was = base?.rules.get(rule.name);
    const will = theirs.rules.get(rule.name);
    if (isShipped(rule.value, was) || same(rule.value, will?.value)) continue;
    const present = own.rules.get(rule.name);
    if (present !== undefined && same(present.value, rule.value)) continue;
    const fault =
      present !== undefined
        ? `the local rule of that name in ${join(local, present.file)} is in force`
        : !keeping.inForce
          ? "ARGUS_RULES_DIR names another folder, so it was not in force"
          : faultOf(keeping, rule.value);
    if (fault !== null) push(aside, rule.file, { value: rule.value, why: `rule ${rule.name}: ${fault}` });
    else {
      const changed =
        base !== null && was !== undefined && will !== undefined && !same(was.value, will.value);
      const how = will === undefined && was === undefined ? "added" : "edited";
      const note = changed ? `${how}; the new version changed it as well: compare the two` : how;
      push(rules, rule.file, { value: rule.value, note: `${rule.name} (${note})` });
    }
  }
  for (const was of base?.rules.values() ?? []) {
    const isGone = !mine.rules.has(was.name) && !mine.broken.some(({ file }) => file === was.file);
    if (!isGone || !theirs.rules.has(was.name) || own.rules.has(was.name) || !keeping.inForce) continue;
    const value = { name: was.name, enabled: false };
    push(rules, was.file, { value, note: `${was.name} (taken out, so switched off)` });
  }

  const known = new Set([...theirs.rules.keys(), ...own.rules.keys(), ...keptNames(rules)]);
  const tests = new Map<string, Kept[]>();
  for (const test of mine.tests.values()) {
    if (
      isShipped(test.value, base?.tests.get(test.name)) ||
      same(test.value, theirs.tests.get(test.name)?.value)
    )
      continue;
    if (own.tests.has(test.name)) continue;
    const file = join("tests", test.file);
    if (!keeping.inForce || !known.has(test.rule ?? "")) {
      const why = `test ${stringify(test.value.name)}: ${keeping.inForce ? `there is no rule ${stringify(test.rule)} any more` : "ARGUS_RULES_DIR names another folder"}`;
      push(aside, file, { value: test.value, why });
    } else push(tests, test.file, { value: test.value, note: String(test.value.name) });
  }

  for (const [file, kept] of rules) {
    const to = write(keeping, "", `kept-${file}`, { rules: kept.map(({ value }) => value) });
    const what = kept.map(({ note }) => note).join(", ");
    said.push(`keep what was changed in ${join(installed, file)} as local rules in ${to}: ${what}`);
  }
  for (const [file, kept] of tests) {
    const to = write(keeping, "tests", `kept-${file}`, { tests: kept.map(({ value }) => value) });
    said.push(
      `keep the rule tests that were changed in ${join(installed, "tests", file)} in ${to}: ${kept.length}`,
    );
  }
  for (const [file, all] of aside) {
    const to = write(
      keeping,
      setAsideFolder,
      basename(file),
      all.map(({ value }) => value),
    );
    said.push(
      `set aside in ${to} what was changed in ${join(installed, file)} and cannot be in force: ${all.map(({ why }) => why).join("; ")}`,
    );
  }
  for (const { file, why } of mine.broken) {
    const there = base?.broken.find((each) => each.file === file) ?? null;
    const from = join(installed, file);
    if (there !== null && shipped !== null && files.tryRead(join(shipped, file)) === files.tryRead(from))
      continue;
    const to = freeName(keeping, setAsideFolder, basename(file));
    copyPlainly(files.realPath(from), files.realPath(join(keeping.into, setAsideFolder, basename(to))));
    said.push(`set aside ${from} as ${to}: ${why}`);
  }
  return said;
}

interface Kept {
  readonly value: object;
  readonly note: string;
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}

const keptNames = (rules: ReadonlyMap<string, readonly Kept[]>): string[] =>
  [...rules.values()].flat().map(({ value }) => String((value as { name?: unknown }).name));

/** Of one rule among those of the version to come; null: it can be in force there. */
function faultOf({ files, next, into }: Keeping, rule: object): string | null {
  const trial = join(into, "trial");
  files.makeDirectory(trial);
  files.writeAtomic(join(trial, "rule.json"), stringify({ rules: [rule] }), { durable: false });
  const loaded = loadRules(files, { rulesDir: next, localRulesDir: trial });
  files.remove(join(trial, "rule.json"));
  files.removeDirectory(trial);
  if (loaded.ok) return null;
  const [first] = loaded.faults.filter(({ file }) => file.startsWith(trial));
  if (first === undefined) throw new Error(loaded.faults.map(faultText).join("\n"));
  return `${first.path.replace(/^rule "[^"]*"(, )?/, "")} ${first.message}`.trim();
}

/** @returns where it will stand in the local folder. */
function write(keeping: Keeping, folder: string, name: string, value: object): string {
  const to = freeName(keeping, folder, name);
  const into = join(keeping.into, folder);
  keeping.files.makeDirectory(into);
  keeping.files.writeAtomic(join(into, basename(to)), `${stringify(value, 2)}\n`, { durable: false });
  return to;
}

/** Nothing that stands there is written over. */
function freeName({ files, local, into }: Keeping, folder: string, name: string): string {
  const isTaken = (each: string) =>
    files.stat(join(local, folder, each)) !== null || files.stat(join(into, folder, each)) !== null;
  const dot = name.lastIndexOf(".") < 1 ? name.length : name.lastIndexOf(".");
  let free = name;
  for (let number = 2; isTaken(free); number += 1) free = `${name.slice(0, dot)}-${number}${name.slice(dot)}`;
  return join(local, folder, free);
}
