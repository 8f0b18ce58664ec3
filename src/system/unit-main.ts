/**
 * Which processes a unit stands on. systemd knows it (MainPID), but it must also be judged for thousands of processes
 * at once, and on hosts where systemd does not answer. So: a process of a service that came in from outside the
 * service's cgroup was started by the service manager. Either it leads a session, as all do that systemd starts
 * itself, or it is a classic daemon that forked itself into the background (monit on Debian: session 42, pid 43).
 * What lost its parent later looks like the second kind, but it is younger than the main process that it came from.
 */

import type { KillTarget } from "./killable.ts";
import type { ProcessIdentity } from "./proc.ts";
import { isNamespaceInit, listPids, parseStatus, readProcessIdentity } from "./proc.ts";
import type { Files } from "./system.ts";

export interface UnitMember {
  readonly pid: number;
  readonly sessionId: number;
  readonly startTime: number;
  readonly unit: string | null;
  readonly unitPath: string | null;
}

/** In the cgroup of a service. A user's own manager is one too, but it only holds that user's units. */
export function inService({ unit }: UnitMember): boolean {
  return unit?.endsWith(".service") === true && !/^user@\d+\.service$/.test(unit);
}

/** Whether the system's own manager knows its unit: one of a user's manager may have the name of another. */
export const isSystemUnit = (member: UnitMember): boolean =>
  inService(member) && member.unitPath?.includes("/user@") === false;

/** @param parent null when it cannot be seen: it is outside then. */
export function entersUnit(member: UnitMember, parent: UnitMember | null): boolean {
  return inService(member) && parent?.unitPath !== member.unitPath;
}

/** @param oldestLeader start time of the oldest session leader that entered the same unit; null without one. */
export function isUnitMain(
  member: UnitMember,
  parent: UnitMember | null,
  oldestLeader: () => number | null,
): boolean {
  if (!inService(member)) return false;
  if (member.sessionId === member.pid) return true;
  if (!entersUnit(member, parent)) return false;
  const leader = oldestLeader();
  return leader === null || leader > member.startTime;
}

/** All that the judgement about a kill needs, read now; null when there is no such process. */
export function readKillTarget(files: Files, pid: number): (KillTarget & ProcessIdentity) | null {
  const identity = readProcessIdentity(files, pid);
  if (identity === null) return null;
  const parent = readProcessIdentity(files, identity.parentPid);
  const status = files.tryRead(`/proc/${pid}/status`);
  return {
    ...identity,
    unitMain: isUnitMain(identity, parent, () => oldestLeader(files, identity)),
    containerInit: status !== null && isNamespaceInit(parseStatus(status)),
  };
}

/** Whether it leads a session and came into its unit from outside, as what systemd starts does. */
export function leadsUnit(files: Files, pid: number): boolean {
  const one = readProcessIdentity(files, pid);
  return one !== null && one.sessionId === pid && entersUnit(one, readProcessIdentity(files, one.parentPid));
}

function oldestLeader(files: Files, member: UnitMember): number | null {
  let oldest: number | null = null;
  for (const pid of listPids(files)) {
    const other = readProcessIdentity(files, pid);
    if (other === null || other.unitPath !== member.unitPath || other.sessionId !== pid) continue;
    if (oldest !== null && oldest <= other.startTime) continue;
    if (entersUnit(other, readProcessIdentity(files, other.parentPid))) oldest = other.startTime;
  }
  return oldest;
}
