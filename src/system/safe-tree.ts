/**
 * Looking at and removing entries below folders that others can write, without ever being led out of them.
 *
 * Node has no openat(2), but `/proc/self/fd/N/name` is one: each directory is opened below its parent's descriptor
 * with O_NOFOLLOW, and everything in it is reached through its own descriptor. Whoever swaps a directory for a
 * symbolic link, or moves it away, changes a path; the descriptor stays with what was opened and judged.
 */
import {
  accessSync,
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  statSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { errorCode } from "./files.ts";

export interface Entry {
  /** `special`: a device node, or what Linux has yet to invent. */
  readonly kind: "file" | "directory" | "link" | "socket" | "pipe" | "special";
  readonly device: bigint;
  readonly inode: bigint;
  readonly uid: number;
  /** Permission bits, 0o7777. */
  readonly mode: number;
  /** Names it has. */
  readonly links: number;
  /** Disk space it takes: its blocks, not its length. */
  readonly allocatedBytes: number;
  /** Nanoseconds since 1970. */
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
  /** 0 where the file system does not record it. */
  readonly bornNs: bigint;
}

/** An open directory. Names and paths are latin1: one character a byte, for not every name is UTF-8. */
export interface Directory {
  readonly descriptor: number;
  /** Where the kernel saw it when it was opened. */
  readonly path: string;
  readonly entry: Entry;
  /** Mount that it was reached through: tells a bind mount of the same file system from its surroundings. */
  readonly mountId: number;
  /** Whether entries of it may be removed, by its permissions and by the file system. */
  readonly writable: boolean;
}

export const openPath = 0o10000000; // O_PATH of open(2), which node:fs does not name: no reading, no access time, no device opened
const directoryFlags = openPath | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Opens a folder component by component, following no symbolic link below the base.
 * @param base trusted as it is: `/`, or the directory that stands for it.
 * @throws ENOENT; ENOTDIR or ELOOP for a symbolic link or what is no directory; EACCES.
 */
export function openFolder(base: string, path: string): Directory {
  let at = openAt(base);
  for (const name of path.split("/").filter((each) => each !== "")) {
    const parent = at;
    try {
      at = openAt(below(parent, toLatin1(name)));
    } finally {
      close(parent);
    }
  }
  return at;
}

/**
 * Opens the very directory that was judged; null when another one has its name now.
 * @throws ENOTDIR or ELOOP when it is no directory any more.
 */
export function openDirectory(parent: Directory, name: string, judged: Entry): Directory | null {
  const directory = openAt(below(parent, name));
  if (isSame(directory.entry, judged)) return directory;
  close(directory);
  return null;
}

function isSame(one: Entry, other: Entry): boolean {
  return one.device === other.device && one.inode === other.inode && one.kind === other.kind;
}

function openAt(path: string | Buffer): Directory {
  const descriptor = openSync(path, directoryFlags);
  try {
    const self = `/proc/self/fd/${descriptor}`;
    return {
      descriptor,
      path: readlinkSync(self, "latin1"),
      entry: toEntry(fstatSync(descriptor, { bigint: true })),
      mountId: Number(
        /^mnt_id:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1],
      ),
      writable: mayWrite(self),
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

export function close(directory: Directory): void {
  closeSync(directory.descriptor);
}

/** null when nothing of that name is there. */
export function look(directory: Directory, name: string): Entry | null {
  const status = lstatSync(below(directory, name), { bigint: true, throwIfNoEntry: false });
  return status === undefined ? null : toEntry(status);
}

/**
 * Names in a directory, some at a time: a folder of millions costs no more memory than a small one.
 *
 * Reading a directory makes its access time young, and a forecast would thereby keep what it forecasts. O_NOATIME
 * cannot prevent it, because Node reads through a descriptor that it opens itself. So the time is put back, unless
 * somebody changed the directory meanwhile. Node 20 sets times in microseconds: the modification time may lose the
 * rest below one. Without the right to do so the directory stays young until the next age has passed.
 */
export function* names(directory: Directory): Generator<string, void, undefined> {
  const self = `/proc/self/fd/${directory.descriptor}`;
  const before = fstatSync(directory.descriptor, { bigint: true });
  const listing = opendirSync(self, { encoding: "latin1", bufferSize: 128 });
  try {
    for (let next = listing.readSync(); next !== null; next = listing.readSync()) yield next.name;
  } finally {
    listing.closeSync();
    const after = fstatSync(directory.descriptor, { bigint: true });
    if (after.atimeNs !== before.atimeNs && after.ctimeNs === before.ctimeNs) restoreTimes(self, before);
  }
}

function restoreTimes(path: string, times: BigIntStats): void {
  try {
    utimesSync(path, seconds(times.atimeNs), seconds(times.mtimeNs));
  } catch (error) {
    if (!["EPERM", "EACCES", "EROFS"].includes(errorCode(error))) throw error;
  }
}

/** The middle of the microsecond: a double of seconds is exact to a quarter of one, and is cut off, not rounded. */
function seconds(nanoseconds: bigint): number {
  return (Number(nanoseconds / 1000n) + 0.5) / 1e6;
}

/** Whether the directory still lies where it was opened: it may have been moved out of the folder meanwhile. */
export function isInPlace(directory: Directory): boolean {
  return readlinkSync(`/proc/self/fd/${directory.descriptor}`, "latin1") === directory.path;
}

/**
 * Removes the very entry that was judged, in the very place: false, with nothing done, when it is another one now or
 * the directory was moved. unlink(2) and rmdir(2) follow no link; only what takes the name in the microseconds before
 * them, in the same directory, could be hit instead.
 * @param announce called right before it goes, with its length; when it throws the entry stays.
 * @throws ENOTEMPTY for a directory with something in it; EACCES, EPERM, EBUSY, EROFS.
 */
export function remove(
  directory: Directory,
  name: string,
  judged: Entry,
  announce?: (sizeBytes: number) => void,
): boolean {
  const status = lstatSync(below(directory, name), { bigint: true, throwIfNoEntry: false });
  if (status === undefined || !isSame(toEntry(status), judged) || !isInPlace(directory)) return false;
  announce?.(Number(status.size));
  if (judged.kind === "directory") rmdirSync(below(directory, name));
  else unlinkSync(below(directory, name));
  return true;
}

/** A descriptor of the entry itself that can neither read, write nor wake it; close it with `closeSync`. */
export function openEntry(directory: Directory, name: string): { descriptor: number; entry: Entry } {
  const descriptor = openSync(below(directory, name), openPath | constants.O_NOFOLLOW);
  return { descriptor, entry: toEntry(fstatSync(descriptor, { bigint: true })) };
}

/** What a path leads to, symbolic links followed; null when that cannot be told. */
export function identify(path: string): { readonly device: bigint; readonly inode: bigint } | null {
  try {
    const status = statSync(path, { bigint: true });
    return { device: status.dev, inode: status.ino };
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES", "ELOOP"].includes(errorCode(error))) return null;
    throw error;
  }
}

/** latin1 of the bytes of a path. */
export function toLatin1(path: string): string {
  return Buffer.from(path, "utf8").toString("latin1");
}

/** For people: what is not UTF-8 shows as a replacement character. */
export function fromLatin1(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

function below(directory: Directory, name: string): string | Buffer {
  const path = `/proc/self/fd/${directory.descriptor}/${name}`;
  return /[\x80-\xff]/.test(name) ? Buffer.from(path, "latin1") : path;
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (["EACCES", "EPERM", "EROFS"].includes(errorCode(error))) return false;
    throw error;
  }
}

function toEntry(status: BigIntStats): Entry {
  return {
    kind: kindOf(status),
    device: status.dev,
    inode: status.ino,
    uid: Number(status.uid),
    mode: Number(status.mode) & 0o7777,
    links: Number(status.nlink),
    allocatedBytes: Number(status.blocks) * 512,
    accessedNs: status.atimeNs,
    modifiedNs: status.mtimeNs,
    changedNs: status.ctimeNs,
    bornNs: status.birthtimeNs,
  };
}

function kindOf(status: BigIntStats): Entry["kind"] {
  if (status.isFile()) return "file";
  if (status.isDirectory()) return "directory";
  if (status.isSymbolicLink()) return "link";
  if (status.isSocket()) return "socket";
  return status.isFIFO() ? "pipe" : "special";
}
