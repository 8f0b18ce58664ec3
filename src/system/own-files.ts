/**
 * Files that Argus alone writes: state, logs, locks, messages. No link is followed, nothing but a regular file of the
 * right owner is opened, and nothing that stands there instead makes Argus wait. Judged by name first, so that no device
 * is ever opened, and again by the descriptor, because somebody may have been quicker.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "./error-code.ts";
import { fileError } from "./file-error.ts";
import { below, type OwnFolder, type OwnFolders, type Use } from "./own-folder.ts";
import { fileRefusal, folderRefusal, mostWholeBytes, RefusedFile, tooLarge } from "./refused.ts";
import { temporaryName } from "./remains.ts";
import type { Files, OpenFile } from "./system.ts";

const safely = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const writing = constants.O_WRONLY | safely;

/** The smallest block of file systems in use: what is no longer than it needs no new one. */
const blockBytes = 4096;

/**
 * write(2) may take only a part, and on a disk that is filling up it does: without an error, a truncated state
 * file then replaces a good one (write-file-atomic 7 does that). Going on until all is written brings out ENOSPC.
 */
function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}

/** A new name in a directory is safe from a power failure only when the directory is on disk as well. */
function syncFolder({ descriptor }: OwnFolder): void {
  try {
    fsyncSync(descriptor);
  } catch (error) {
    // Some network and overlay file systems cannot sync a directory and say so with EINVAL: nothing more can be done.
    if (errorCode(error) !== "EINVAL") throw error;
  }
}

/** Not rm: unlink(2) says EISDIR of a folder, which fileError knows. */
function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

/** @param mode that the caller wants; left out, the group may read what lies in a folder that it may read. */
function openNew(folder: OwnFolder, name: string, flags: number, mode?: number): number {
  const descriptor = openSync(below(folder, name), flags, mode ?? 0o600);
  if (mode === undefined) share(folder, descriptor);
  return descriptor;
}

/** Not left to open(2): the umask of a service takes away what it was given. */
function share({ isShared }: OwnFolder, descriptor: number): void {
  if (isShared) fchmodSync(descriptor, 0o640);
}

/** The operations of `Files` that are for Argus's own files. */
export interface OwnFiles
  extends Pick<
    Files,
    | "tryReadTail"
    | "openOwn"
    | "makeDirectory"
    | "writeAtomic"
    | "writeExclusive"
    | "overwrite"
    | "append"
    | "link"
    | "truncate"
    | "rename"
    | "remove"
    | "removeDirectory"
  > {
  tryRead(path: string, maxBytes: number): string | null;
  list(folder: string): string[];
}

/** @param makeAbove makes a folder that lies in no claimed one, and those above it. */
export function createOwnFiles(folders: OwnFolders, makeAbove: (path: string) => void): OwnFiles {
  /** @param keep leaves the descriptor open. @returns what `act` does; null: nothing is there. */
  function inspected<T>(
    path: string,
    use: "read" | "append",
    flags: number,
    act: (descriptor: number, status: Stats, folder: OwnFolder) => T,
    keep?: "open",
  ): T | null {
    return folders.inFolderOf(path, use === "read" ? "read" : "write", (folder, name) => {
      const owners = use === "read" ? folder.readOwners : [folder.writeOwner];
      const judge = (status: Stats): void => {
        const refusal = fileRefusal(path, status, owners, use);
        if (refusal !== null) throw refusal;
      };
      const standing = lstatSync(below(folder, name), { throwIfNoEntry: false });
      if (standing === undefined && (flags & constants.O_CREAT) === 0) return null;
      if (standing !== undefined) judge(standing);
      const descriptor = openSync(below(folder, name), flags, 0o600);
      let isKept = false;
      try {
        if (standing === undefined) share(folder, descriptor);
        const status = fstatSync(descriptor);
        judge(status);
        const done = act(descriptor, status, folder);
        isKept = keep === "open";
        return done;
      } finally {
        if (!isKept) closeSync(descriptor);
      }
    });
  }

  function reading<T>(path: string, act: (descriptor: number, status: Stats) => T, keep?: "open"): T | null {
    try {
      return inspected(path, "read", constants.O_RDONLY | safely, act, keep);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return null;
      throw error instanceof RefusedFile ? error : fileError("read", path, error);
    }
  }

  function fill(descriptor: number, bytes: Uint8Array, position: number): number {
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, position + length);
      if (count === 0) break;
      length += count;
    }
    return length;
  }

  const openFile = (path: string, descriptor: number, sizeBytes: number, inode: number): OpenFile => ({
    sizeBytes,
    inode,
    read(bytes, position) {
      try {
        return fill(descriptor, bytes, position);
      } catch (error) {
        throw fileError("read", path, error);
      }
    },
    close: () => closeSync(descriptor),
  });

  const readUpTo = (descriptor: number, bytes: Buffer, position: number): string =>
    bytes.toString("utf8", 0, fill(descriptor, bytes, position));

  /** For what must have its folder: without it the error is the one that the system would give. */
  function within<T>(path: string, use: Use, act: (folder: OwnFolder, name: string) => T): T {
    const done = folders.inFolderOf(path, use, (folder, name) => ({ value: act(folder, name) }));
    if (done !== null) return done.value;
    throw Object.assign(new Error(`ENOENT: no such file or directory, '${path}'`), { code: "ENOENT", path });
  }

  function both(from: string, to: string, act: (from: string, to: string) => void): void {
    within(from, "write", (source, name) =>
      within(to, "write", (target, newName) => act(below(source, name), below(target, newName))),
    );
  }

  function makeDirectory(path: string): void {
    if (folders.claimedAbove(path) === null) {
      makeAbove(path);
      return;
    }
    makeDirectory(dirname(path));
    within(path, "write", (folder, name) => {
      try {
        mkdirSync(below(folder, name), { mode: 0o700 });
        if (folder.isShared) chmodSync(below(folder, name), 0o750);
      } catch (error) {
        if (errorCode(error) !== "EEXIST") throw error;
        const refusal = folderRefusal(path, lstatSync(below(folder, name)), [folder.writeOwner, 0], true);
        if (refusal !== null) throw refusal;
      }
    });
  }

  return {
    tryRead: (path, maxBytes) =>
      reading(path, (descriptor, { size }) => {
        if (maxBytes === Number.POSITIVE_INFINITY && size > mostWholeBytes) throw tooLarge(path, size);
        return readUpTo(descriptor, Buffer.allocUnsafe(Math.min(size, maxBytes)), 0);
      }),
    tryReadTail: (path, maxBytes) =>
      reading(path, (descriptor, { size }) => {
        const bytes = Buffer.allocUnsafe(Math.min(size, maxBytes));
        return readUpTo(descriptor, bytes, size - bytes.length);
      }),
    openOwn: (path) =>
      reading(path, (descriptor, { size, ino }) => openFile(path, descriptor, size, ino), "open"),
    list(path) {
      try {
        return folders.inFolder(path, "read", (folder) => readdirSync(below(folder, "."))) ?? [];
      } catch (error) {
        throw fileError("read", path, error);
      }
    },
    makeDirectory,
    writeAtomic(path, text, { mode, durable = true } = {}) {
      within(path, "write", (folder, name) => {
        const temporary = temporaryName(name, process.pid);
        const descriptor = openNew(folder, temporary, writing | constants.O_CREAT | constants.O_EXCL, mode);
        try {
          try {
            writeAll(descriptor, text);
            if (durable) fsyncSync(descriptor);
          } finally {
            closeSync(descriptor);
          }
          renameSync(below(folder, temporary), below(folder, name));
        } catch (error) {
          unlinkIfThere(below(folder, temporary));
          throw error;
        }
        if (durable) syncFolder(folder);
      });
    },
    writeExclusive(path, text, mode) {
      within(path, "write", (folder, name) => {
        const descriptor = openNew(folder, name, writing | constants.O_CREAT | constants.O_EXCL, mode);
        try {
          writeAll(descriptor, text);
        } catch (error) {
          // Without room it would stand there empty, and be taken for somebody's.
          unlinkIfThere(below(folder, name));
          throw error;
        } finally {
          closeSync(descriptor);
        }
      });
    },
    overwrite(path, text) {
      const done = inspected(path, "append", writing, (descriptor, { size }) => {
        const bytes = Buffer.from(text.trimEnd());
        const length = Math.max(size, bytes.length + 1);
        if (size === 0 || length > blockBytes) return false;
        // Blanks for what is shorter now, before its last byte, a newline.
        const whole = Buffer.alloc(length, " ");
        bytes.copy(whole);
        whole.write("\n", length - 1);
        writeSync(descriptor, whole, 0, length, 0);
        fdatasyncSync(descriptor);
        return true;
      });
      return done === true;
    },
    append(path, text, { durable = false } = {}) {
      const flags = writing | constants.O_APPEND | constants.O_CREAT;
      const done = inspected(path, "append", flags, (descriptor, { size }, folder) => {
        writeAll(descriptor, text);
        if (durable) fdatasyncSync(descriptor);
        if (durable && size === 0) syncFolder(folder);
        return true;
      });
      if (done === null) within(path, "write", () => undefined);
    },
    link: (existing, path) => both(existing, path, linkSync),
    truncate: (path, sizeBytes) =>
      void inspected(path, "append", writing, (descriptor) => ftruncateSync(descriptor, sizeBytes)),
    rename: (from, to) => both(from, to, renameSync),
    remove(path) {
      folders.inFolderOf(path, "write", (folder, name) => {
        unlinkIfThere(below(folder, name));
      });
    },
    removeDirectory: (path) => within(path, "write", (folder, name) => rmdirSync(below(folder, name))),
  };
}
