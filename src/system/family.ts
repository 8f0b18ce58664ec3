/** Processes as they are right now, read one by one as they are asked for: the other side of the collector's tracking. */
import { parseCgroup } from "./cgroup.ts";
import type { Relative, Relatives } from "./orphans.ts";
import { executableName, isNamespaceInit, listPids, parseStatus, readStat } from "./proc.ts";
import type { Files } from "./system.ts";
import { entersUnit, isUnitMain } from "./unit-main.ts";

export interface Kin extends Relative {
  readonly startTime: number;
  readonly name: string;
  readonly executable: string | null;
  readonly arguments: readonly string[];
  readonly container: string | null;
}

export interface UnitKnown {
  /** 0: systemd knows none. */
  readonly mainPid: number;
  /** Active, and running: a oneshot unit never is. */
  readonly running: boolean;
}

export interface Family extends Relatives {
  get(pid: number): Kin | undefined;
  /** Those that have not ended. */
  childrenOf(pid: number): readonly number[];
  /** What systemd says of its unit; null outside of one, and where there is no systemd to ask. */
  unit(member: Kin): UnitKnown | null;
  /** Whether units count for nothing yet: a first look, which finds out whether they matter. */
  readonly withoutUnits: boolean;
}

/** Enough for every option before a script. */
const maxCommandBytes = 16_384;

/**
 * Without a memory of earlier looks: what shares the session of process 1 may be its child, and is no orphan then.
 * @param units what systemd says, by the path of the unit's cgroup; null: nothing is the main process of a unit.
 */
export function readFamily(files: Files, units: ReadonlyMap<string, UnitKnown> | null): Family {
  const seen = new Map<number, Kin | undefined>();
  let parents: ReadonlyMap<number, readonly number[]> | null = null;

  function get(pid: number): Kin | undefined {
    if (!seen.has(pid)) {
      // Entered first: whether it stands for its unit depends on the others in it.
      seen.set(pid, undefined);
      seen.set(pid, read(pid));
    }
    return seen.get(pid);
  }

  function read(pid: number): Kin | undefined {
    const bare = readBare(files, pid);
    if (bare === null) return undefined;
    return { ...bare, unitMain: standsForUnit(bare) };
  }

  function standsForUnit(one: Kin): boolean {
    if (units === null) return false;
    const known = unit(one);
    // As in the executor: what systemd says counts, where it names somebody that is there.
    if (known !== null && known.mainPid > 0 && readStat(files, known.mainPid) !== null)
      return known.mainPid === one.pid;
    const parent = one.parentPid === 0 ? null : readBare(files, one.parentPid);
    return isUnitMain(one, parent, () => oldestLeader(one));
  }

  function unit(one: Kin): UnitKnown | null {
    return one.unitPath === null ? null : (units?.get(one.unitPath) ?? null);
  }

  function leadersOf(unitPath: string): Kin[] {
    return listPids(files).flatMap((pid) => {
      const cgroup = files.tryRead(`/proc/${pid}/cgroup`);
      if (cgroup === null || parseCgroup(cgroup).unitPath !== unitPath) return [];
      const one = readBare(files, pid);
      if (one === null || one.state === "Z" || one.state === "X") return [];
      return entersUnit(one, readBare(files, one.parentPid)) ? [one] : [];
    });
  }

  function oldestLeader({ unitPath }: Kin): number | null {
    const times = leadersOf(unitPath ?? "")
      .filter(({ pid, sessionId }) => pid === sessionId)
      .map(({ startTime }) => startTime);
    return times.length === 0 ? null : Math.min(...times);
  }

  return {
    get,
    childrenOf(pid) {
      parents ??= readParents(files);
      return parents.get(pid) ?? [];
    },
    unit,
    withoutUnits: units === null,
  };
}

/** What it started, and what that started. */
export function allBelow(pid: number, all: Family): readonly number[] {
  const below = [...all.childrenOf(pid)];
  // Grows while it is walked through; nobody is there twice, but for a pid that is given out anew meanwhile.
  for (const each of below) below.push(...all.childrenOf(each).filter((child) => !below.includes(child)));
  return below;
}

function readParents(files: Files): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const pid of listPids(files)) {
    const stat = readStat(files, pid);
    if (stat === null || stat.state === "Z" || stat.state === "X") continue;
    children.set(stat.parentPid, [...(children.get(stat.parentPid) ?? []), pid]);
  }
  return children;
}

function readBare(files: Files, pid: number): Kin | null {
  const stat = readStat(files, pid);
  if (stat === null) return null;
  const folder = `/proc/${pid}`;
  const path = stat.kernelThread ? null : files.tryReadLink(`${folder}/exe`);
  const status = files.tryReadOnce(`${folder}/status`);
  // Reading it takes a lock that a process stuck in the kernel may hold for ever.
  const command = stat.state === "D" ? "" : (files.tryReadHead(`${folder}/cmdline`, maxCommandBytes) ?? "");
  const args = command === "" ? [] : command.replace(/\0$/, "").split("\0");
  return {
    ...parseCgroup(files.tryRead(`${folder}/cgroup`) ?? ""),
    pid,
    startTime: stat.startTime,
    parentPid: stat.parentPid,
    groupId: stat.groupId,
    sessionId: stat.sessionId,
    state: stat.state,
    terminal: stat.terminal,
    kernelThread: stat.kernelThread,
    unitMain: false,
    containerInit: status !== null && isNamespaceInit(parseStatus(status)),
    userManager: stat.parentPid === 1 && stat.name === "systemd" && args.includes("--user"),
    firstParentPid: stat.parentPid,
    name: stat.name,
    executable: path === null ? null : executableName(path),
    arguments: args,
  };
}
