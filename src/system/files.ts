import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorCode } from "./error-code.ts";
import { createOwnFiles } from "./own-files.ts";
import { createOwnFolders } from "./own-folder.ts";
import { kindName, RefusedFile } from "./refused.ts";
import type { FileStatus, Files } from "./system.ts";

export { errorCode } from "./error-code.ts";

/** What a read of /proc answers when the process went away, or is somebody else's. */
const unreadable = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM", "ENOTDIR", "EINVAL", "EIO", "ENOTSUP"]);

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (unreadable.has(errorCode(error))) return null;
    throw error;
  }
}

/** Nothing is there: also where a file stands in place of a folder on the way. */
function statusOf(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    if (errorCode(error) === "ENOTDIR") return null;
    throw error;
  }
}

function statusAt(path: string): FileStatus | null {
  const stats = statusOf(path);
  if (stats === null) return null;
  const kind = stats.isFile()
    ? "file"
    : stats.isDirectory()
      ? "directory"
      : stats.isSymbolicLink()
        ? "link"
        : "other";
  return {
    kind,
    sizeBytes: stats.size,
    modifiedMs: stats.mtimeMs,
    changedMs: stats.ctimeMs,
    inode: stats.ino,
    uid: stats.uid,
    gid: stats.gid,
    mode: stats.mode & 0o7777,
  };
}

/** What nobody else can put there: read without a further question, which for 5,000 processes would be felt. */
const isOfKernel = (path: string): boolean => path.startsWith("/proc/") || path.startsWith("/sys/");

/** A file of the system or of people, who may link it from elsewhere. A pipe would make us wait, a device be woken. */
function openRegular(path: string, real: string): number {
  const refuse = (status: Stats): void => {
    // A folder says EISDIR by itself when it is read.
    if (status.isFile() || status.isDirectory()) return;
    throw new RefusedFile(
      `${path} is ${kindName(status)}, not a regular file; put a regular file there`,
      true,
    );
  };
  refuse(statSync(real));
  const descriptor = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    refuse(fstatSync(descriptor));
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Not node's own recursion: below /proc, where mkdir(2) says ENOENT for ever, that never ends. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) === "EEXIST" && !lstatSync(path).isFile()) return;
    if (errorCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    makeDirectory(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

/** @param root "/" for the machine itself, else a directory that stands for it. */
export function createFiles(root: string): Files {
  const at = root === "/" ? (path: string) => path : (path: string) => join(root, path);
  // One buffer for all reads: a /proc file has no size to ask for, and a new buffer each would cost as much again.
  let buffer = Buffer.allocUnsafe(64 * 1024);

  function readAll(path: string, maxBytes: number): string {
    const descriptor = isOfKernel(path) ? openSync(at(path), "r") : openRegular(path, at(path));
    try {
      let length = 0;
      while (length < maxBytes) {
        if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
        const count = readSync(descriptor, buffer, length, Math.min(buffer.length, maxBytes) - length, null);
        if (count === 0) break;
        length += count;
      }
      return buffer.toString("utf8", 0, length);
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
      throw new RefusedFile(`${path} leads to what is no file with an end; put a regular file there`, true);
    } finally {
      closeSync(descriptor);
      if (buffer.length > 1024 * 1024) buffer = Buffer.allocUnsafe(64 * 1024);
    }
  }

  /** Without the second read, which only finds the end: 47 instead of 50 ms for the stat files of 5,000 processes. */
  function readOnce(path: string): string {
    const descriptor = openSync(at(path), "r");
    try {
      return buffer.toString("utf8", 0, readSync(descriptor, buffer, 0, buffer.length, null));
    } finally {
      closeSync(descriptor);
    }
  }

  const stat = (path: string) => statusAt(at(path));
  const tryReadLink = (path: string) => orNull(() => readlinkSync(at(path)));
  const folders = createOwnFolders({ stat, tryReadLink }, at);
  const own = createOwnFiles(folders, (path) => makeDirectory(at(path)));

  function tryReadHead(path: string, maxBytes: number, whose?: "own"): string | null {
    return whose === "own" ? own.tryRead(path, maxBytes) : orNull(() => readAll(path, maxBytes));
  }

  return {
    read: (path) => readAll(path, Number.POSITIVE_INFINITY),
    tryRead: (path, whose) => tryReadHead(path, Number.POSITIVE_INFINITY, whose),
    tryReadHead,
    tryReadOnce: (path) => orNull(() => readOnce(path)),
    tryReadTail: own.tryReadTail,
    openOwn: own.openOwn,
    list: (path, whose) => (whose === "own" ? own.list(path) : readdirSync(at(path))),
    tryReadLink,
    stat,
    async statfs(path) {
      const s = await statfs(at(path));
      return {
        totalBytes: s.blocks * s.bsize,
        freeBytes: s.bfree * s.bsize,
        availableBytes: s.bavail * s.bsize,
        inodes: s.files,
        inodesFree: s.ffree,
      };
    },
    makeDirectory: own.makeDirectory,
    writeAtomic: own.writeAtomic,
    writeExclusive: own.writeExclusive,
    overwrite: own.overwrite,
    append: own.append,
    link: own.link,
    truncate: own.truncate,
    rename: own.rename,
    remove: own.remove,
    removeDirectory: own.removeDirectory,
    claim: folders.claim,
    realPath: at,
  };
}
