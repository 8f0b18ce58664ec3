/**
 * What is in use on this machine: by processes (descriptors, mappings, working and root directories, executables), by
 * the kernel itself (swap, loop devices, mounts), by listeners on sockets, by holders of locks. All from /proc.
 */

import { type Doubtful, doubtOf, settleUnderWay } from "./descriptors-under-way.ts";
import { errorCode } from "./files.ts";
import { isWithin, type Mount, mayHang, mountOf, parseMountInfo, unescapeOctal } from "./mounts.ts";
import type { Pace } from "./pace.ts";
import { somebodyWaitsAtPipe } from "./pipe-waits.ts";
import { forbidden, ownMountInfo, tryLink, tryNames, tryText, unreadable } from "./proc-bytes.ts";
import { parseLocks, socketNamesIn } from "./proc-tables.ts";
import { addIdentity, type Gathering, lookInto, rememberMounts } from "./process-files.ts";
import { toLatin1 } from "./safe-tree.ts";
import type { Files } from "./system.ts";

export interface OpenFiles {
  /** `st_dev:inode` of what is open, run or worked in, as lstat says it. */
  readonly open: ReadonlySet<string>;
  /** `device:inode`, the device being that of the super block, of what is mapped into memory. */
  readonly mapped: ReadonlySet<string>;
  /** Inodes in use on mounts that may not answer, or that are in no list (umount -l): nobody asks them. */
  readonly inodes: ReadonlySet<bigint>;
  /** On which file systems (number of the super block) they are. What is missing may be on any. */
  readonly inodeDevices?: ReadonlyMap<bigint, ReadonlySet<number>>;
  /** `device:inode` as for `mapped`, of what somebody holds a lock on. */
  readonly locked: ReadonlySet<string>;
  /** Last component of every path that a socket is bound to; null when they could not be read. */
  readonly socketNames: ReadonlySet<string> | null;
  /** Mounts of Argus's own namespace. */
  readonly mounts: readonly Mount[];
  /** Mounts of all namespaces: what they show belongs to whoever sees it there. */
  readonly allMounts: readonly Mount[];
  /** By the id of a mount that of the one on which its mount point lies. */
  readonly mountParents?: ReadonlyMap<number, number>;
  /** Processes of which nobody can tell all that they have open: descriptors wait in their sockets. None when left out. */
  readonly doubtful?: readonly Doubtful[];
  /** Whether somebody may be waiting at a named pipe, not having it open yet; nobody when left out. Asked when needed. */
  readonly waitsAtPipe?: () => boolean;
  readonly seenProcesses: number;
  /** Processes that Argus may not look into; kernel threads are none. */
  readonly unseenProcesses: number;
}

/**
 * @param ownPid Argus itself: its own descriptors are those of the walk that asks.
 * @param folders that are asked about, absolute.
 * @returns null when /proc does not show the processes of this machine, so that nobody can tell what is in use.
 */
export async function readOpenFiles(
  files: Files,
  ownPid: number,
  pace: Pace,
  folders: readonly string[] = [],
): Promise<OpenFiles | null> {
  const proc = files.realPath("/proc");
  const mountInfo = ownMountInfo(files);
  const pids = tryNames(proc).filter((name) => /^\d+$/.test(name));
  if (mountInfo === null || !pids.includes(String(ownPid))) return null;
  const mounts = parseMountInfo(mountInfo);
  const all: Gathering = {
    proc,
    ownPid,
    folders: folders.map((path) => toLatin1(files.realPath(path))),
    open: new Set(),
    mapped: new Set(),
    unplaced: [],
    socketNames: new Set(),
    mountsByNamespace: new Map(),
    mountParents: new Map(),
    networkNamespaces: new Set(),
    answering: new Set(),
    carrying: new Map(),
    doubtful: new Set(),
  };
  rememberMounts(all, tryLink(`${proc}/self/ns/mnt`) ?? "own", mountInfo);
  addKernelUses(all, files.realPath("/sys/block"), mounts);
  const sockets = tryText(`${proc}/net/unix`);
  if (sockets !== null) {
    all.networkNamespaces.add(tryLink(`${proc}/self/ns/net`) ?? "own");
    for (const name of socketNamesIn(sockets)) all.socketNames.add(name);
  }
  // /proc mounted with hidepid shows an ordinary user only its own processes; process 1 is somebody's everywhere.
  let unseenProcesses = pids.includes("1") ? 0 : 1;
  let seenProcesses = 0;
  for (const pid of pids) {
    if (pace.due()) await pace.rest();
    try {
      await lookInto(all, pid, pace);
      seenProcesses += 1;
    } catch (error) {
      if (forbidden.has(errorCode(error)) && !holdsNothing(`${proc}/${pid}`)) unseenProcesses += 1;
      else if (!unreadable.has(errorCode(error))) throw error;
    }
  }
  await settleUnderWay(all, pace);
  return {
    open: all.open,
    mapped: all.mapped,
    ...placedFiles(all),
    locked: parseLocks(tryText(`${proc}/locks`) ?? ""),
    socketNames: sockets === null ? null : all.socketNames,
    mounts,
    mountParents: all.mountParents,
    allMounts: [...all.mountsByNamespace.values()].flat(),
    doubtful: [...all.doubtful].map((pid) => doubtOf(all, pid)),
    waitsAtPipe: () => somebodyWaitsAtPipe(proc),
    seenProcesses,
    unseenProcesses,
  };
}

function placedFiles(all: Gathering): Pick<OpenFiles, "inodes" | "inodeDevices"> {
  const numbers = new Map(
    [...all.mountsByNamespace.values()].flat().map(({ id, deviceNumber }) => [id, deviceNumber]),
  );
  const inodes = new Set(all.unplaced.map(({ inode }) => inode));
  const inodeDevices = new Map<bigint, Set<number>>();
  const anywhere = new Set<bigint>();
  for (const { mountId, inode } of all.unplaced) {
    const number = numbers.get(mountId);
    if (number === undefined) anywhere.add(inode);
    else inodeDevices.set(inode, (inodeDevices.get(inode) ?? new Set()).add(number));
  }
  for (const inode of anywhere) inodeDevices.delete(inode);
  return { inodes, inodeDevices };
}

/** What the kernel holds open by itself, and no process shows: swap files, images behind loop devices. */
function addKernelUses(all: Gathering, blockDevices: string, mounts: readonly Mount[]): void {
  const swaps = (tryText(`${all.proc}/swaps`) ?? "").split("\n").slice(1);
  const images = tryNames(blockDevices)
    .filter((name) => name.startsWith("loop"))
    .map((name) => (tryText(`${blockDevices}/${name}/loop/backing_file`) ?? "").trimEnd());
  for (const path of [...swaps.map((line) => unescapeOctal(line.split(/\s/, 1)[0] ?? "")), ...images]) {
    if (!path.startsWith("/") || isWithin(path, "/dev") || mayHang(mountOf(mounts, path)?.type ?? ""))
      continue;
    addIdentity(all, path);
  }
}

/** Kernel threads and zombies have no memory of their own, hence no Vm lines. Everybody may read them. */
function holdsNothing(base: string): boolean {
  const status = tryText(`${base}/status`);
  return status === null || !/^VmSize:/m.test(status);
}
