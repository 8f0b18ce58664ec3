/** What one process has in use, with all of its threads: out of /proc/PID. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { errorCode } from "./files.ts";
import { isWithin, type Mount, mayHang, mountOf, parseMountInfo, parseMountParents } from "./mounts.ts";
import type { Pace } from "./pace.ts";
import { bytes, tryLink, tryText, unreadable, vanished } from "./proc-bytes.ts";
import { socketNamesIn, superBlockKey } from "./proc-tables.ts";
import { namedPaths } from "./process-names.ts";

/** Gathered over all processes. */
export interface Gathering {
  readonly proc: string;
  /** Argus itself: its own descriptors are those of the walk that asks. */
  readonly ownPid: number;
  /** Folders that are asked about: what a process is called by matters only below them. */
  readonly folders: readonly string[];
  readonly open: Set<string>;
  readonly mapped: Set<string>;
  /** Open on a mount that was in no list yet, or that may not answer. */
  readonly unplaced: { readonly mountId: number; readonly inode: bigint }[];
  readonly socketNames: Set<string>;
  readonly mountsByNamespace: Map<string, readonly Mount[]>;
  readonly mountParents: Map<number, number>;
  readonly networkNamespaces: Set<string>;
  /** Mounts on which a call returns. */
  readonly answering: Set<number>;
  /** `fdinfo` of sockets in which descriptors wait to be received, and whose they are. */
  readonly carrying: Map<string, string>;
  /** Processes of which nobody can tell all that they have open. */
  readonly doubtful: Set<string>;
}

/** Neither on a file system that could hold what is asked about, nor worth a call each. */
const uninteresting =
  /^(?!\/|socket:|anon_inode:(?:inotify|\[(?:fanotify|io_uring)\])$)|^\/dev\/(?:null|zero|full|u?random|tty|ptmx|console|pts\/\d+)$/;
/** Beyond it nobody compares the threads' tables: 4 microseconds each. */
const mostComparisons = 1_000_000;

/** As many as anybody needs who is not going round in circles. */
const mostLinks = 8;

/** What threads usually share; each may have its own (unshare(2) with CLONE_FILES, CLONE_FS). */
interface Table {
  readonly descriptors: ReadonlyMap<string, string>;
  readonly places: readonly (string | null)[];
}

/**
 * A process whose first thread has ended looks like a zombie and shows nothing, while its other threads go on.
 * Throws EACCES for a process that may not be looked into, ENOENT or ESRCH for one that is gone.
 */
export async function lookInto(all: Gathering, pid: string, pace: Pace): Promise<void> {
  const base = `${all.proc}/${pid}`;
  let shown: Table | null = null;
  try {
    const table = lookIntoThread(all, base, pid);
    if (table.descriptors.size > 0) shown = table;
  } catch (error) {
    if (!vanished.has(errorCode(error))) throw error;
  }
  const threads = readdirSync(`${base}/task`).filter((thread) => thread !== pid);
  if (threads.length * (shown?.descriptors.size ?? 0) > mostComparisons) all.doubtful.add(pid);
  for (const thread of threads) {
    if (pace.due()) await pace.rest();
    const path = `${base}/task/${thread}`;
    try {
      if (shown === null) shown = lookIntoThread(all, path, pid);
      else if (!all.doubtful.has(pid) && !isShown(all, path, pid, shown)) lookIntoThread(all, path, pid);
    } catch (error) {
      if (!vanished.has(errorCode(error))) throw error;
    }
  }
}

function lookIntoThread(all: Gathering, base: string, pid: string): Table {
  const places = placesOf(base);
  const [namespace] = places;
  const network = readlinkSync(`${base}/ns/net`, bytes);
  if (!all.mountsByNamespace.has(namespace)) {
    rememberMounts(all, namespace, readFileSync(`${base}/mountinfo`, bytes));
  }
  if (!all.networkNamespaces.has(network)) {
    all.networkNamespaces.add(network);
    for (const name of socketNamesIn(readFileSync(`${base}/net/unix`, bytes))) all.socketNames.add(name);
  }
  const mounts = all.mountsByNamespace.get(namespace) ?? [];
  for (const link of ["cwd", "root", "exe"]) addLink(all, `${base}/${link}`, mounts);
  addMappings(all, readFileSync(`${base}/maps`, bytes));
  for (const path of namedPaths(base, all.folders)) {
    try {
      addNamed(all, base, path, mounts);
    } catch (error) {
      // Anything may stand in a command line: what is no name of a file names none.
      if (!["ENAMETOOLONG", "ELOOP"].includes(errorCode(error))) throw error;
    }
  }
  const descriptors = Number(pid) === all.ownPid ? new Map([["0", ""]]) : addDescriptors(all, base, pid);
  return { descriptors, places };
}

/** Sockets in a network namespace of a thread's own need no look: each is asked itself before it goes. */
function placesOf(base: string): [namespace: string, cwd: string | null, root: string | null] {
  return [readlinkSync(`${base}/ns/mnt`, bytes), tryLink(`${base}/cwd`), tryLink(`${base}/root`)];
}

/** Whether a thread has open what was looked at already, under the same numbers. */
function isShown(all: Gathering, base: string, pid: string, { descriptors, places }: Table): boolean {
  if (placesOf(base).some((place, index) => place !== places[index])) return false;
  if (Number(pid) === all.ownPid) return true;
  const names = readdirSync(`${base}/fd`);
  return (
    names.length === descriptors.size &&
    names.every((name) => descriptors.get(name) === (tryLink(`${base}/fd/${name}`) ?? ""))
  );
}

export function rememberMounts(all: Gathering, namespace: string, mountInfo: string): void {
  const mounts = parseMountInfo(mountInfo);
  all.mountsByNamespace.set(namespace, mounts);
  for (const mount of mounts) if (!mayHang(mount.type)) all.answering.add(mount.id);
  for (const [id, parent] of parseMountParents(mountInfo)) all.mountParents.set(id, parent);
}

function addDescriptors(all: Gathering, base: string, pid: string): Map<string, string> {
  const links = new Map<string, string>();
  for (const descriptor of readdirSync(`${base}/fd`)) {
    const link = tryLink(`${base}/fd/${descriptor}`) ?? "";
    links.set(descriptor, link);
    if (uninteresting.test(link)) continue;
    const infoPath = `${base}/fdinfo/${descriptor}`;
    if (!link.startsWith("/")) {
      const info = tryText(infoPath) ?? "";
      addHeldByOther(all, base, info);
      if (/^scm_fds:\t?\s*[1-9]/m.test(info)) all.carrying.set(infoPath, pid);
      continue;
    }
    const info = tryText(infoPath) ?? "";
    const mountId = Number(/^mnt_id:\t(\d+)$/m.exec(info)?.[1]);
    const inode = /^ino:\t(\d+)$/m.exec(info)?.[1];
    // stat on a network file system whose server is gone never returns. Such a mount may also have been detached
    // (umount -l), and is then in no list. Linux before 5.14 does not tell the inode; there it has to be asked.
    if (all.answering.has(mountId) || inode === undefined) addIdentity(all, `${base}/fd/${descriptor}`);
    // Shared memory lies on a mount of the kernel's own and is always "deleted"; its small numbers would match anything.
    else if (!link.endsWith(" (deleted)")) all.unplaced.push({ mountId, inode: BigInt(inode) });
  }
  return links;
}

const watched = /^(?:inotify wd:\S+|fanotify) ino:([0-9a-f]+) sdev:([0-9a-f]+)/gm;
/** `    0: /tmp/file` of io_uring: registered, and perhaps closed since. */
const registered = /^\s*\d+: (\/.*)$/gm;

/** What a descriptor that is no file holds: folders that somebody waits for news from, files that io_uring keeps. */
function addHeldByOther(all: Gathering, base: string, info: string): void {
  for (const [, inode = "0", device = "0"] of info.matchAll(watched)) {
    const number = Number.parseInt(device, 16);
    // The kernel's own form: twelve bits of the major number before twenty of the minor one.
    all.mapped.add(
      superBlockKey((number >>> 20).toString(16), (number & 0xf_ffff).toString(16), BigInt(`0x${inode}`)),
    );
  }
  for (const [, path = ""] of info.matchAll(registered)) addIdentity(all, `${base}/root${path}`, true);
}

function addLink(all: Gathering, path: string, mounts: readonly Mount[]): void {
  const target = tryLink(path);
  // "/" is the root of its mount namespace, which stands in `allMounts`.
  if (target === null || target === "/") return;
  if (mayHang(mountOf(mounts, target)?.type ?? "")) return;
  addIdentity(all, path);
}

/**
 * Links are followed by hand, and only to where a name is looked for as well: another could lead to a server that is
 * gone, and a call there never returns.
 */
function addNamed(all: Gathering, base: string, path: string, mounts: readonly Mount[], links = 0): void {
  if (links > mostLinks || mayHang(mountOf(mounts, path)?.type ?? "")) return;
  const parts = path.split("/");
  for (let length = 2; length <= parts.length; length += 1) {
    const at = parts.slice(0, length).join("/");
    const target = tryLink(`${base}/root${at}`);
    if (target === null) continue;
    addIdentity(all, `${base}/root${at}`, true);
    const next = normalize(join(dirname(at), target, ...parts.slice(length)));
    const whole = target.startsWith("/") ? normalize(join(target, ...parts.slice(length))) : next;
    if (all.folders.some((folder) => isWithin(whole, folder))) addNamed(all, base, whole, mounts, links + 1);
    return;
  }
  addIdentity(all, `${base}/root${path}`, true);
}

/** @param ofLink of a symbolic link its own. */
export function addIdentity(all: Pick<Gathering, "open">, path: string, ofLink = false): void {
  try {
    const status = (ofLink ? lstatSync : statSync)(path, { bigint: true });
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
