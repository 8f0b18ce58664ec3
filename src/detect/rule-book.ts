/** The rules in force. A bad edit never stops a running daemon: the last good set stays, and the fault is kept to be said. */
import type { Fault } from "../system/json-source.ts";
import type { Files } from "../system/system.ts";
import { listRuleFiles, loadRules, type RuleDirs, type RuleSet } from "./load.ts";

export interface RuleBook {
  rules(): RuleSet;
  /** What is wrong with the files as they are now; empty when they are in force. */
  faults(): readonly Fault[];
  /** Reads the files again when one of them changed, or always with `force`. True: another set is in force now. */
  refresh(force?: boolean): boolean;
}

/** Size, inode and change time of every rule file: an editor that writes within one clock tick still changes one of them. */
function fingerprint(files: Files, dirs: RuleDirs): string {
  return [dirs.rulesDir, dirs.localRulesDir]
    .flatMap((dir) => listRuleFiles(files, dir))
    .map((file) => {
      const status = files.stat(file);
      return status === null ? file : `${file} ${status.inode} ${status.sizeBytes} ${status.modifiedMs}`;
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
