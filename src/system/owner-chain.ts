/** Whether anybody waits for a process: its parent, or somebody above mere wrappers. Pure. */
import type { ProgramSeen } from "./agents.ts";
import { isOrphan, type Relative } from "./orphans.ts";
import { isMereWrapper, mayWrap } from "./wrappers.ts";

export interface Relation extends Relative, ProgramSeen {}

export interface Relations<T extends Relation> {
  get(pid: number): T | undefined;
  /** Those that have not ended. */
  childrenOf(pid: number): readonly number[];
}

/** All that nobody waits for: what lost its parent, and what such a process does nothing but wait for. */
export function lostOnes<T extends Relation>(orphans: Iterable<T>, all: Relations<T>): T[] {
  const lost: T[] = [];
  for (const orphan of orphans) {
    lost.push(orphan);
    for (let current = orphan, depth = 0; depth < maxWrappers && mayWrap(current); depth += 1) {
      const [pid, ...others] = all.childrenOf(current.pid);
      const child = pid === undefined ? undefined : all.get(pid);
      if (child === undefined || others.length > 0 || !isMereWrapper(current, child)) break;
      lost.push(child);
      current = child;
    }
  }
  return lost;
}

/** A chain of wrappers is three or four long. */
const maxWrappers = 12;

/** @returns wrappers between it and the process that lost its parent, nearest first; null: somebody waits for it. */
export function wrappersOfLost<T extends Relation>(one: T, all: Relations<T>): readonly T[] | null {
  const wrappers: T[] = [];
  for (let current = one; wrappers.length <= maxWrappers; ) {
    if (isOrphan(current, all)) return wrappers;
    const parent = all.get(current.parentPid);
    if (parent === undefined || parent.pid <= 1 || !isMereWrapper(parent, current)) return null;
    if (all.childrenOf(parent.pid).some((pid) => pid !== current.pid)) return null;
    wrappers.push(parent);
    current = parent;
  }
  return null;
}
