/**
 * What is in use on this machine: by processes (descriptors, mappings, working and root directories, executables), by
 * the kernel itself (swap, loop devices, mounts), by listeners on sockets, by holders of locks. All from /proc.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { basename } from "node:path";
import { errorCode } from "./files.ts";
import {
  deviceNumber,
  isWithin,
  type Mount,
  mayHang,
  mountOf,
  parseMountInfo,
  unescapeOctal,
} from "./mounts.ts";
import type { Pace } from "./pace.ts";
import {
  bytes,
  forbidden,
  ownMounts,
  tryLink,
  tryNames,
  tryText,
  unreadable,
  vanished,
} from "./proc-bytes.ts";
import type { Files } from "./system.ts";

export interface OpenFiles {
  /** `st_dev:inode` of what is open, run or worked in, as lstat says it. */
  readonly open: ReadonlySet<string>;
  /** `device:inode`, the device being that of the super block, of what is mapped into memory. */
  readonly mapped: ReadonlySet<string>;
  /** Inodes in use whose device could not be told. */
  readonly inodes: ReadonlySet<bigint>;
  /** `device:inode` as for `mapped`, of what somebody holds a lock on. */
  readonly locked: ReadonlySet<string>;
  /** Last component of every path that a socket is bound to; null when they could not be read. */
  readonly socketNames: ReadonlySet<string> | null;
  /** Mounts of Argus's own namespace. */
  readonly mounts: readonly Mount[];
  /** Mounts of all namespaces: what they show belongs to whoever sees it there. */
  readonly allMounts: readonly Mount[];
  readonly seenProcesses: number;
  /** Processes that Argus may not look into; kernel threads are none. */
  readonly unseenProcesses: number;
}

/** Neither on a file system that could hold what is asked about, nor worth a call each. */
const uninteresting = /^(?!\/)|^\/dev\/(?:null|zero|full|u?random|tty|ptmx|console|pts\/\d+)$/;
interface Gathering {
  readonly proc: string;
  readonly ownPid: number;
  readonly open: Set<string>;
  readonly mapped: Set<string>;
  readonly inodes: Set<bigint>;
  readonly socketNames: Set<string>;
  readonly mountsByNamespace: Map<string, readonly Mount[]>;
  readonly networkNamespaces: Set<string>;
  /** Mounts on which a call returns. */
  readonly answering: Set<number>;
}

/**
 * @param ownPid Argus itself: its own descriptors are those of the walk that asks.
 * @returns null when /proc does not show the processes of this machine, so that nobody can tell what is in use.
 */
export async function readOpenFiles(files: Files, ownPid: number, pace: Pace): Promise<OpenFiles | null> {
  const proc = files.realPath("/proc");
  const mounts = ownMounts(files);
  const pids = tryNames(proc).filter((name) => /^\d+$/.test(name));
  if (mounts === null || !pids.includes(String(ownPid))) return null;
  const all: Gathering = {
    proc,
    ownPid,
    open: new Set(),
    mapped: new Set(),
    inodes: new Set(),
    socketNames: new Set(),
    mountsByNamespace: new Map(),
    networkNamespaces: new Set(),
    answering: new Set(),
  };
  rememberMounts(all, tryLink(`${proc}/self/ns/mnt`) ?? "own", mounts);
  addKernelUses(all, files.realPath("/sys/block"), mounts);
  const sockets = tryText(`${proc}/net/unix`);
  if (sockets !== null) {
    all.networkNamespaces.add(tryLink(`${proc}/self/ns/net`) ?? "own");
    addSocketNames(all, sockets);
  }
  // /proc mounted with hidepid shows an ordinary user only its own processes; process 1 is somebody's everywhere.
  let unseenProcesses = pids.includes("1") ? 0 : 1;
  let seenProcesses = 0;
  for (const pid of pids) {
    if (pace.due()) await pace.rest();
    try {
      lookInto(all, pid);
      seenProcesses += 1;
    } catch (error) {
      if (forbidden.has(errorCode(error)) && !holdsNothing(`${proc}/${pid}`)) unseenProcesses += 1;
      else if (!unreadable.has(errorCode(error))) throw error;
    }
  }
  return {
    open: all.open,
    mapped: all.mapped,
    inodes: all.inodes,
    locked: parseLocks(tryText(`${proc}/locks`) ?? ""),
    socketNames: sockets === null ? null : all.socketNames,
    mounts,
    allMounts: [...all.mountsByNamespace.values()].flat(),
    seenProcesses,
    unseenProcesses,
  };
}

/**
 * A process whose first thread has ended looks like a zombie and shows nothing, while its other threads go on.
 * Throws EACCES for a process that may not be looked into, ENOENT or ESRCH for one that is gone.
 */
function lookInto(all: Gathering, pid: string): void {
  const base = `${all.proc}/${pid}`;
  try {
    if (lookIntoThread(all, base, pid) > 0) return;
  } catch (error) {
    if (!vanished.has(errorCode(error))) throw error;
  }
  for (const thread of readdirSync(`${base}/task`)) {
    if (thread !== pid) lookIntoThread(all, `${base}/task/${thread}`, pid);
  }
}

/** @returns how many descriptors it has. */
function lookIntoThread(all: Gathering, base: string, pid: string): number {
  const namespace = readlinkSync(`${base}/ns/mnt`, bytes);
  if (!all.mountsByNamespace.has(namespace)) {
    rememberMounts(all, namespace, parseMountInfo(readFileSync(`${base}/mountinfo`, bytes)));
  }
  const network = readlinkSync(`${base}/ns/net`, bytes);
  if (!all.networkNamespaces.has(network)) {
    all.networkNamespaces.add(network);
    addSocketNames(all, readFileSync(`${base}/net/unix`, bytes));
  }
  const mounts = all.mountsByNamespace.get(namespace) ?? [];
  for (const link of ["cwd", "root", "exe"]) addLink(all, `${base}/${link}`, mounts);
  addMappings(all, readFileSync(`${base}/maps`, bytes));
  return Number(pid) === all.ownPid ? 1 : addDescriptors(all, base);
}

function rememberMounts(all: Gathering, namespace: string, mounts: readonly Mount[]): void {
  all.mountsByNamespace.set(namespace, mounts);
  for (const mount of mounts) if (!mayHang(mount.type)) all.answering.add(mount.id);
}

/** @returns how many descriptors there are. */
function addDescriptors(all: Gathering, base: string): number {
  const descriptors = readdirSync(`${base}/fd`);
  for (const descriptor of descriptors) {
    const link = tryLink(`${base}/fd/${descriptor}`);
    if (link === null || uninteresting.test(link)) continue;
    const info = tryText(`${base}/fdinfo/${descriptor}`) ?? "";
    const mountId = Number(/^mnt_id:\t(\d+)$/m.exec(info)?.[1]);
    const inode = /^ino:\t(\d+)$/m.exec(info)?.[1];
    // stat on a network file system whose server is gone never returns. Such a mount may also have been detached
    // (umount -l), and is then in no list. Linux before 5.14 does not tell the inode; there it has to be asked.
    if (all.answering.has(mountId) || inode === undefined) addIdentity(all, `${base}/fd/${descriptor}`);
    // Shared memory lies on a mount of the kernel's own and is always "deleted"; its small numbers would match anything.
    else if (!link.endsWith(" (deleted)")) all.inodes.add(BigInt(inode));
  }
  return descriptors.length;
}

function addLink(all: Gathering, path: string, mounts: readonly Mount[]): void {
  const target = tryLink(path);
  // "/" is the root of its mount namespace, which stands in `allMounts`.
  if (target === null || target === "/") return;
  if (mayHang(mountOf(mounts, target)?.type ?? "")) return;
  addIdentity(all, path);
}

function addIdentity(all: Gathering, path: string): void {
  try {
    const status = statSync(path, { bigint: true });
    all.open.add(`${status.dev}:${status.ino}`);
  } catch (error) {
    if (!unreadable.has(errorCode(error))) throw error;
  }
}

const mapping = /^\S+ \S+ \S+ ([0-9a-f]+):([0-9a-f]+) (\d+)/gm;

function addMappings(all: Gathering, maps: string): void {
  for (const [, major = "", minor = "", inode = "0"] of maps.matchAll(mapping)) {
    if (inode !== "0") all.mapped.add(superBlockKey(major, minor, inode));
  }
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

/** Columns: Num RefCount Protocol Flags Type St Inode Path. A name in the abstract namespace begins with `@`. */
function addSocketNames(all: Gathering, text: string): void {
  for (const line of text.split("\n")) {
    const path = /^[0-9a-f]+: (?:\S+ +){6}(?!@)(.+)$/.exec(line)?.[1];
    // The last component only: a path may be relative to the binder's folder, or be another one in its namespace.
    if (path !== undefined) all.socketNames.add(basename(path));
  }
}

/** `1: FLOCK  ADVISORY  WRITE 5125 fe:00:260072 0 EOF`; a waiter has `->` after the number. */
function parseLocks(text: string): Set<string> {
  const locked = new Set<string>();
  for (const [, major = "", minor = "", inode = ""] of text.matchAll(
    / ([0-9a-f]+):([0-9a-f]+):(\d+) \S+ \S+$/gm,
  )) {
    locked.add(superBlockKey(major, minor, inode));
  }
  return locked;
}

function superBlockKey(major: string, minor: string, inode: string): string {
  return `${deviceNumber(Number.parseInt(major, 16), Number.parseInt(minor, 16))}:${inode}`;
}

/** Kernel threads and zombies have no memory of their own, hence no Vm lines. Everybody may read them. */
function holdsNothing(base: string): boolean {
  const status = tryText(`${base}/status`);
  return status === null || !/^VmSize:/m.test(status);
}
