/** The rules in force. A bad edit never takes the good rules away, not at start either, and the fault is kept to be said. */
import { isBeingWritten } from "../system/file-mark.ts";
import type { Fault } from "../system/json-source.ts";
import { type Copies, sameTexts } from "../system/last-good.ts";
import { reach } from "../system/reach.ts";
import type { Files } from "../system/system.ts";
import { isoTime, type Moment } from "../types/moment.ts";
import type { Broken } from "../types/settings.ts";
import { listRuleFiles, type RuleDirs, type RuleSet } from "./load.ts";
import { rulesInForce } from "./rules-in-force.ts";

export interface RuleBook {
  rules(): RuleSet;
  /** What is wrong with the files as they are now; empty when they are in force. */
  faults(): readonly Fault[];
  /** The same as sentences, with what is in force meanwhile. */
  broken(): Broken | null;
  /** Reads the files again when one of them changed, or always with `force`. True: another set is in force now. */
  refresh(force?: boolean): boolean;
  /** Whether a file with a fault may be half written: nothing was taken from it, and it is read again soon. */
  waits(): boolean;
  /** What is in force, to go by when a file breaks. */
  copies(): Copies | null;
}

export interface BookOptions {
  /** The last good rules. */
  readonly copies?: Copies | null;
  /** Left out: a file is judged at once, however new it is. */
  readonly now?: () => Moment;
  /** Called with what is in force, whenever that is another set. */
  readonly keep?: (copies: Copies) => void;
}

/**
 * What every rule file is, behind its links: an editor that writes within one clock tick still changes the size or the
 * inode, and chmod, which changes neither, may make a file readable.
 */
function fingerprint(files: Files, dirs: RuleDirs): string {
  const paths = pathsOf(files, dirs);
  return paths
    .map((path) => {
      const reached = reach(files, path);
      if (!("status" in reached)) return `${path} ${reached.kind}`;
      const { inode, sizeBytes, modifiedMs, changedMs, mode, uid } = reached.status;
      // A folder's own time changes with every file that an editor writes beside; its list says enough.
      const content = reached.kind === "directory" ? [] : [sizeBytes, modifiedMs, changedMs];
      return [path, inode, mode, uid, ...content].join(" ");
    })
    .join("\n");
}

const pathsOf = (files: Files, dirs: RuleDirs): string[] =>
  [dirs.rulesDir, dirs.localRulesDir].flatMap((dir) => [dir, ...listRuleFiles(files, dir)]);

export function openRuleBook(files: Files, dirs: RuleDirs, options: BookOptions = {}): RuleBook {
  const { now, keep } = options;
  let copies = options.copies ?? null;
  let seen = fingerprint(files, dirs);
  let current = rulesInForce(files, dirs, copies);
  let isWaiting = false;
  take();

  function take(): void {
    const { texts } = current.set;
    // With nothing in force the copies are all there is.
    if (Object.keys(texts).length === 0 || (copies !== null && sameTexts(copies.texts, texts))) return;
    copies = { version: 1, at: now === undefined ? new Date(0).toISOString() : isoTime(now()), texts };
    keep?.(copies);
  }

  return {
    rules: () => current.set,
    faults: () => current.faults,
    broken: () => current.broken,
    waits: () => isWaiting,
    copies: () => copies,
    refresh(force = false) {
      const present = fingerprint(files, dirs);
      isWaiting = false;
      if (present === seen && !force) return false;
      const next = rulesInForce(files, dirs, copies);
      const faulty = next.faults.map(({ file }) => file);
      if (!force && now !== undefined && isBeingWritten(files, faulty, now().wallMs)) {
        isWaiting = true;
        return false;
      }
      seen = present;
      const before = current.set.texts;
      current = next;
      take();
      return next.broken === null || !sameTexts(before, next.set.texts);
    },
  };
}
