/**
 * The rules to judge by: those of the files and, for each file with a fault, its last good copy; a file that never was
 * good is left out. Whole files only, never a part of one.
 */
import { dirname } from "node:path";
import { type Fault, faultText } from "../system/json-source.ts";
import type { Copies } from "../system/last-good.ts";
import { reach } from "../system/reach.ts";
import type { Files } from "../system/system.ts";
import { utc } from "../types/quantities.ts";
import type { Broken } from "../types/settings.ts";
import { type Instead, loadRules, type RuleDirs, type RuleSet } from "./load.ts";

export interface RulesInForce {
  readonly set: RuleSet;
  /** What is wrong with the files as they are now; empty when they are in force. */
  readonly faults: readonly Fault[];
  readonly broken: Broken | null;
}

const none: RuleSet = { rules: [], disabled: [], files: [], texts: {} };

export function rulesInForce(files: Files, dirs: RuleDirs, copies: Copies | null): RulesInForce {
  const kept = copies?.texts ?? {};
  const first = loadRules(files, dirs);
  const gone = goneFault(files, dirs.localRulesDir, kept);
  if (first.ok && gone === null) return { set: first.set, faults: [], broken: null };
  const faults = [...(first.ok ? [] : first.faults), ...(gone === null ? [] : [gone])];
  const instead = new Map<string, string | null>();
  let result: ReturnType<typeof loadRules> = first;
  if (gone !== null) {
    replace(dirs.localRulesDir);
    result = loadRules(files, dirs, instead);
  }
  // Each turn takes at least one file a step down: from what stands there to its copy, from that to nothing.
  while (!result.ok && stepDown(result.faults, result.texts)) result = loadRules(files, dirs, instead);
  const set = result.ok ? result.set : none;
  return { set, faults, broken: { faults: faults.map(faultText), inForce: whatIsInForce(instead, copies) } };

  function stepDown(now: readonly Fault[], texts: RuleSet["texts"]): boolean {
    const before = stateOf(instead);
    const isNew = (file: string) => !instead.has(file) && texts[file] !== kept[file];
    for (const file of new Set(now.map((fault) => fault.file))) {
      // Beside a file that was good as it is, the fault came with another one of its folder: a name that stands twice.
      const culprits = isNew(file)
        ? [file]
        : Object.keys(texts).filter((each) => dirname(each) === dirname(file) && isNew(each));
      for (const each of culprits.length === 0 || !Object.hasOwn(texts, file) ? [file] : culprits)
        replace(each);
    }
    return stateOf(instead) !== before;
  }

  function replace(path: string): void {
    const isFolder = path === dirs.rulesDir || path === dirs.localRulesDir;
    if (isFolder) {
      instead.set(path, null);
      for (const [file, text] of Object.entries(kept)) if (dirname(file) === path) instead.set(file, text);
      return;
    }
    instead.set(path, instead.has(path) ? null : (kept[path] ?? null));
  }
}

/** Whoever wants no local rule any more empties the folder; one that is gone with all its rules was moved, or its link is broken. */
function goneFault(files: Files, dir: string, kept: Copies["texts"]): Fault | null {
  if (reach(files, dir).kind !== "nothing" || !Object.keys(kept).some((file) => dirname(file) === dir))
    return null;
  const what = files.tryReadLink(dir) === null ? "there is no such folder" : "is a link that leads nowhere";
  const message = `${what}, and its rules were in force; put it back, or make an empty folder to go without them`;
  return { file: dir, line: 1, path: "", message };
}

const stateOf = (instead: Instead): string =>
  [...instead].map(([path, text]) => `${path} ${text === null}`).join("\n");

function whatIsInForce(instead: Instead, copies: Copies | null): string {
  const values = [...instead.values()];
  const fromCopies = values.some((text) => text !== null);
  const leftOut = [...instead].filter(([path, text]) => text === null && !hasCopiesBelow(path, instead));
  const good = Object.keys(copies?.texts ?? {});
  const wasGood = ([path]: readonly [string, string | null]) =>
    good.some((file) => file === path || dirname(file) === path);
  const parts = [
    ...(fromCopies && copies !== null ? [`the copy of ${utc(copies.at)} stays in force`] : []),
    ...(leftOut.every(wasGood) ? [] : ["what was never good is left out"]),
    ...(leftOut.some(wasGood) ? ["what was good alone and is not beside the others is left out"] : []),
  ];
  return parts.length === 0 ? "no rule is in force" : parts.join(", ");
}

const hasCopiesBelow = (folder: string, instead: Instead): boolean =>
  [...instead].some(([path, text]) => text !== null && dirname(path) === folder);
