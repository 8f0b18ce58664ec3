/**
 * What somebody changed in the folder of the shipped rules, which the next version replaces: the rules that differ become
 * local ones, so that they stay in force. What cannot is set aside, byte for byte.
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { faultText } from "../system/json-source.ts";
import { copyPlainly } from "../system/plain-copy.ts";
import { printable, stringify } from "../system/printable.ts";
import type { Files } from "../system/system.ts";
import { type Layer, type Named, readLayerFiles, sorted } from "./kept-files.ts";
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
  /** Whether the version to come puts back what is missing; at a removal nothing does. */
  readonly putsBack: boolean;
  /** Of whoever asks. */
  readonly uid: number;
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
  const mine = readLayerFiles(files, installed, { uid: keeping.uid });
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
    const off = mine.off.get(rule.name);
    const value = off === undefined ? rule.value : { ...rule.value, enabled: false };
    const present = own.rules.get(rule.name);
    if (present !== undefined && same(present.value, value)) continue;
    const fault =
      present !== undefined
        ? `the local rule of that name in ${join(local, present.file)} is in force`
        : !keeping.inForce
          ? "ARGUS_RULES_DIR names another folder, so it was not in force"
          : faultOf(keeping, value);
    if (fault !== null) push(aside, rule.file, { value, why: `rule ${printable(rule.name)}: ${fault}` });
    else {
      const changed =
        base !== null && was !== undefined && will !== undefined && !same(was.value, will.value);
      const made = will === undefined && was === undefined ? "added" : "edited";
      const how = off === undefined ? made : `${made}, and switched off`;
      const note = changed ? `${how}; the new version changed it as well: compare the two` : how;
      push(rules, rule.file, { value, note: `${printable(rule.name)} (${note})` });
    }
  }
  for (const { name, file, value } of mine.off.values()) {
    const present = own.rules.get(name);
    if (keptNames(rules).includes(name) || (present !== undefined && same(present.value, value))) continue;
    const fault =
      present !== undefined
        ? `the local rule of that name in ${join(local, present.file)} is in force`
        : !keeping.inForce
          ? "ARGUS_RULES_DIR names another folder, so it was not in force"
          : theirs.rules.has(name)
            ? null
            : "the new version has no such rule";
    if (fault === null) push(rules, file, { value, note: `${printable(name)} (switched off)` });
    else push(aside, file, { value, why: `rule ${printable(name)}: ${fault}` });
  }
  const { takenOut, missing } = goneFrom(mine, base, theirs);
  for (const was of takenOut) {
    if (own.rules.has(was.name) || !keeping.inForce) continue;
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

  if (missing.length > 0 && keeping.putsBack) said.push(putBackSentence(keeping, missing));
  for (const { file, why } of mine.strange)
    said.push(`leave out ${printable(join(installed, file))}: ${why}`);
  for (const [file, kept] of rules) {
    const to = write(keeping, "", `kept-${file}`, { rules: kept.map(({ value }) => value) });
    const what = kept.map(({ note }) => note).join(", ");
    said.push(
      `keep what was changed in ${printable(join(installed, file))} as local rules in ${to}: ${what}`,
    );
  }
  for (const [file, kept] of tests) {
    const to = write(keeping, "tests", `kept-${file}`, { tests: kept.map(({ value }) => value) });
    said.push(
      `keep the rule tests that were changed in ${printable(join(installed, "tests", file))} in ${to}: ${kept.length}`,
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
      `set aside in ${to} what was changed in ${printable(join(installed, file))} and cannot be in force: ${all.map(({ why }) => why).join("; ")}`,
    );
  }
  for (const { file, why } of mine.broken) {
    const there = base?.broken.find((each) => each.file === file) ?? null;
    const from = join(installed, file);
    if (there !== null && shipped !== null && files.tryRead(join(shipped, file)) === files.tryRead(from))
      continue;
    const to = freeName(keeping, setAsideFolder, basename(file));
    // The folder that it is copied into is new, and only its own user's.
    copyPlainly(files.realPath(from), files.realPath(join(keeping.into, setAsideFolder, basename(to))));
    said.push(`set aside ${printable(from)} as ${to}: ${why}`);
  }
  return said;
}

/** So many rules somebody takes out by hand; when more are gone, something else took them. */
const mostTakenOut = 3;

/**
 * A rule that is gone from a file that still stands with others of its rules was taken out. A file that is gone, or that
 * lost all its rules, is damage, and so are many rules gone at once.
 */
function goneFrom(mine: Layer, base: Layer | null, theirs: Layer): { takenOut: Named[]; missing: Named[] } {
  const lies = new Set([...mine.broken, ...mine.strange].map(({ file }) => file));
  const gone = [...(base?.rules.values() ?? [])].filter(
    ({ name, file }) => !mine.rules.has(name) && theirs.rules.has(name) && !lies.has(file) && !lies.has(""),
  );
  const stands = (file: string) =>
    [...mine.rules.values()].some((each) => each.file === file && base?.rules.get(each.name)?.file === file);
  const takenOut = gone.filter(({ file }) => stands(file));
  return takenOut.length > mostTakenOut
    ? { takenOut: [], missing: gone }
    : { takenOut, missing: gone.filter(({ file }) => !stands(file)) };
}

function putBackSentence({ installed, local }: Keeping, missing: readonly Named[]): string {
  const inFiles = [...new Set(missing.map(({ file }) => file))]
    .map((file) => join(installed, file))
    .join(", ");
  const which = missing.length === 1 ? "a rule that is missing" : `${missing.length} rules that are missing`;
  return `put back ${which} in ${inFiles}; to switch a rule off, write {"rules": [{"name": "its-name", "enabled": false}]} into a file in ${local}`;
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
  keeping.files.writeAtomic(join(into, basename(to)), `${stringify(value, 2)}\n`, {
    durable: false,
    mode: 0o644,
  });
  return to;
}

/** Nothing that stands there is written over. */
function freeName({ files, local, into }: Keeping, folder: string, original: string): string {
  // A name that breaks the line, or hides a part of itself, is written out: the shell and people read it.
  const name = printable(original).replaceAll("\\", "_");
  const isTaken = (each: string) =>
    files.stat(join(local, folder, each)) !== null || files.stat(join(into, folder, each)) !== null;
  const dot = name.lastIndexOf(".") < 1 ? name.length : name.lastIndexOf(".");
  let free = name;
  for (let number = 2; isTaken(free); number += 1) free = `${name.slice(0, dot)}-${number}${name.slice(dot)}`;
  return join(local, folder, free);
}
