import {
  closeSync,
  fdatasyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { sync as writeFileAtomicSync } from "write-file-atomic";
import type { FileStatus, Files } from "./system.ts";

/** What a read of /proc answers when the process went away, or is somebody else's. */
const unreadable = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM", "ENOTDIR", "EINVAL", "EIO"]);

export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (unreadable.has(errorCode(error))) return null;
    throw error;
  }
}

/** @param root "/" for the machine itself, else a directory that stands for it. */
export function createFiles(root: string): Files {
  const at = root === "/" ? (path: string) => path : (path: string) => join(root, path);
  // One buffer for all reads: a /proc file has no size to ask for, and a new buffer each would cost as much again.
  let buffer = Buffer.allocUnsafe(64 * 1024);

  function readAll(path: string, maxBytes: number): string {
    const descriptor = openSync(at(path), "r");
    try {
      let length = 0;
      while (length < maxBytes) {
        if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
        const count = readSync(descriptor, buffer, length, Math.min(buffer.length, maxBytes) - length, null);
        if (count === 0) break;
        length += count;
      }
      return buffer.toString("utf8", 0, length);
    } finally {
      closeSync(descriptor);
      if (buffer.length > 1024 * 1024) buffer = Buffer.allocUnsafe(64 * 1024);
    }
  }

  return {
    read: (path) => readAll(path, Number.POSITIVE_INFINITY),
    tryRead: (path) => orNull(() => readAll(path, Number.POSITIVE_INFINITY)),
    tryReadHead: (path, maxBytes) => orNull(() => readAll(path, maxBytes)),
    list: (path) => readdirSync(at(path)),
    tryReadLink: (path) => orNull(() => readlinkSync(at(path))),
    stat(path): FileStatus | null {
      const stats = lstatSync(at(path), { throwIfNoEntry: false });
      if (stats === undefined) return null;
      const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "link" : "other";
      return {
        kind,
        sizeBytes: stats.size,
        modifiedMs: stats.mtimeMs,
        inode: stats.ino,
        uid: stats.uid,
        mode: stats.mode & 0o7777,
      };
    },
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
    makeDirectory: (path) => void mkdirSync(at(path), { recursive: true, mode: 0o700 }),
    writeAtomic(path, text, options = {}) {
      writeFileAtomicSync(at(path), text, { mode: options.mode ?? 0o600, fsync: options.durable ?? true });
    },
    writeExclusive: (path, text, mode = 0o600) => writeFileSync(at(path), text, { flag: "wx", mode }),
    append(path, text, options = {}) {
      const descriptor = openSync(at(path), "a", 0o600);
      try {
        writeSync(descriptor, text);
        if (options.durable ?? false) fdatasyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    },
    truncate: (path, sizeBytes) => truncateSync(at(path), sizeBytes),
    rename: (from, to) => renameSync(at(from), at(to)),
    remove: (path) => rmSync(at(path), { force: true, recursive: false }),
    realPath: at,
  };
}
