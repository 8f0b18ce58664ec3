/** The rules in force. A bad edit never stops a running daemon: the last good set stays, and the fault is kept to be said. */
import type { Fault } from "../system/json-source.ts";
import { reach } from "../system/reach.ts";
import type { Files } from "../system/system.ts";
import { listRuleFiles, loadRules, type RuleDirs, type RuleSet } from "./load.ts";

export interface RuleBook {
  rules(): RuleSet;
  /** What is wrong with the files as they are now; empty when they are in force. */
  faults(): readonly Fault[];
  /** Reads the files again when one of them changed, or always with `force`. True: another set is in force now. */
  refresh(force?: boolean): boolean;
}

/**
 * What every rule file is, behind its links: an editor that writes within one clock tick still changes the size or the
 * inode, and chmod, which changes neither, may make a file readable.
 */
function fingerprint(files: Files, dirs: RuleDirs): string {
  const paths = [dirs.rulesDir, dirs.localRulesDir].flatMap((dir) => [dir, ...listRuleFiles(files, dir)]);
  return paths
    .map((path) => {
      const reached = reach(files, path);
      if (!("status" in reached)) return `${path} ${reached.kind}`;
      const { inode, sizeBytes, modifiedMs, mode, uid } = reached.status;
      // A folder's own time changes with every file that an editor writes beside; its list says enough.
      const content = reached.kind === "directory" ? [] : [sizeBytes, modifiedMs];
      return [path, inode, mode, uid, ...content].join(" ");
    })
    .join("\n");
}

/** @throws nothing: when the first load fails, `first.faults` says why and there is no book. */
export function openRuleBook(
  files: Files,
  dirs: RuleDirs,
): { book: RuleBook } | { faults: readonly Fault[] } {
  let seen = fingerprint(files, dirs);
  const first = loadRules(files, dirs);
  if (!first.ok) return { faults: first.faults };
  let set = first.set;
  let faults: readonly Fault[] = [];
  return {
    book: {
      rules: () => set,
      faults: () => faults,
      refresh(force = false) {
        const now = fingerprint(files, dirs);
        if (now === seen && !force) return false;
        seen = now;
        const result = loadRules(files, dirs);
        faults = result.ok ? [] : result.faults;
        if (result.ok) set = result.set;
        return result.ok;
      },
    },
  };
}
