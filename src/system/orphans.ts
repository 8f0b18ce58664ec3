/**
 * Which processes lost their parent and belong to nothing any more. A process whose parent ended is given to process 1
 * or, in a user's session, to that user's service manager. But those two also have children of their own; so
 * whatever else could own such a process is ruled out first. Pure.
 */
import type { UnitMember } from "./unit-main.ts";

export interface Relative extends UnitMember {
  readonly parentPid: number;
  readonly groupId: number;
  readonly state: string;
  /** Device number of the controlling terminal; 0 without one. */
  readonly terminal: number;
  readonly kernelThread: boolean;
  readonly unitMain: boolean;
  /** The first process of a container. */
  readonly containerInit: boolean;
  /** A `systemd --user`. */
  readonly userManager: boolean;
  /** Its parent when it was first seen. */
  readonly firstParentPid: number;
}

/** Those that are there, by pid. */
export interface Relatives {
  get(pid: number): Relative | undefined;
}

export function isOrphan(one: Relative, all: Relatives): boolean {
  if (one.pid === 1 || one.kernelThread || hasEnded(one)) return false;
  const adopted = one.parentPid === 1 || all.get(one.parentPid)?.userManager === true;
  if (!adopted) return false;
  if (one.unitMain || one.containerInit) return false;
  // A service manager itself, and its helper `(sd-pam)`.
  if (one.userManager || one.unit === "init.scope") return false;
  if (one.terminal !== 0 && isAlive(all.get(one.sessionId))) return false;
  return !mayBeChildOfInit(one, all);
}

/**
 * In a container process 1 is often no init but the program itself, and what it starts stays in its session. What it
 * starts also leads a process group of its own or is in that of process 1: one that is in somebody else's group was
 * started by somebody else, as was one that was seen with another parent before.
 */
function mayBeChildOfInit(one: Relative, all: Relatives): boolean {
  if (one.parentPid !== 1 || one.firstParentPid !== 1) return false;
  const init = all.get(1);
  if (init === undefined || init.sessionId !== one.sessionId) return false;
  return one.groupId === one.pid || one.groupId === init.groupId;
}

export function isAlive(one: Relative | undefined): boolean {
  return one !== undefined && !hasEnded(one);
}

function hasEnded({ state }: Relative): boolean {
  return state === "Z" || state === "X";
}
