/**
 * The files of a process that must go on when its folders cannot be written: what finds no room there is kept in memory,
 * read from there, and written when there is room. All else passes unchanged. Whoever uses them need not know.
 */
import { dirname } from "node:path";
import { createHeldFolder, type HeldFolder, type HeldOptions, heldStatus } from "./held-folder.ts";
import type { Files, Held, OpenFile } from "./system.ts";

export const mostHeldBytes = 16_000_000;

/** A file of which the end, or all of it, is in memory. */
function withAdded(there: OpenFile | null, added: Buffer): OpenFile {
  const onDisk = there?.sizeBytes ?? 0;
  return {
    sizeBytes: onDisk + added.length,
    inode: there?.inode ?? 0,
    read(bytes, position) {
      let done = 0;
      if (there !== null && position < onDisk) {
        const wanted = Math.min(bytes.length, onDisk - position);
        done = there.read(bytes.subarray(0, wanted), position);
        // Somebody has cut it meanwhile.
        if (done < wanted) return done;
      }
      const from = position + done - onDisk;
      const rest = added.subarray(from, from + bytes.length - done);
      bytes.set(rest, done);
      return done + rest.length;
    },
    close: () => there?.close(),
  };
}

/** @param roots folders of Argus, claimed; what lies below them is kept. */
export function holdWhatHasNoRoom(disk: Files, roots: readonly string[], options: HeldOptions): Files {
  const folders = [...new Set(roots)]
    .sort((a, b) => b.length - a.length)
    .map((root) => [`${root}/`, createHeldFolder(disk, root, options)] as const);
  const folderOf = (path: string): HeldFolder | null =>
    folders.find(([root]) => path.startsWith(root))?.[1] ?? null;

  function held(): Held | null {
    const found = folders.flatMap(([, folder]) => folder.held() ?? []);
    const [first] = found.sort((a, b) => (a.since < b.since ? -1 : 1));
    if (first === undefined) return null;
    return {
      ...first,
      why: found.map(({ why }) => why).join(", and "),
      bytes: found.reduce((sum, each) => sum + each.bytes, 0),
      droppedLines: found.reduce((sum, each) => sum + each.droppedLines, 0),
    };
  }

  /** undefined: nothing of it waits; null: it is gone, or a folder. */
  function textOf(path: string): string | null | undefined {
    const waiting = folderOf(path)?.at(path);
    if (waiting === undefined) return undefined;
    if (waiting.kind === "whole") return waiting.text;
    return waiting.kind === "tail" ? (disk.tryRead(path, "own") ?? "") + waiting.text : null;
  }

  const tryRead: Files["tryRead"] = (path, whose) => {
    const text = textOf(path);
    return text === undefined ? disk.tryRead(path, whose) : text;
  };

  function whole(path: string, act: () => void, text: () => string, mode?: number): void {
    const folder = folderOf(path);
    if (folder === null) act();
    else folder.write(path, act, () => ({ kind: "whole", text: text(), mode }));
  }

  const stat: Files["stat"] = (path) => {
    const waiting = folderOf(path)?.at(path);
    const there = waiting?.kind === "gone" ? null : disk.stat(path);
    if (waiting === undefined || waiting.kind === "gone") return there;
    const { uid = process.geteuid?.() ?? 0, gid = process.getegid?.() ?? 0 } = there ?? {};
    if (waiting.kind === "folder") return heldStatus(0, uid, gid, "directory");
    const size = Buffer.byteLength(waiting.text);
    const before = waiting.kind === "tail" ? (there?.sizeBytes ?? 0) : 0;
    return { ...(there ?? {}), ...heldStatus(before + size, uid, gid, "file") };
  };

  const exists = (path: string): never => {
    throw Object.assign(new Error(`EEXIST: file already exists, '${path}'`), { code: "EEXIST", path });
  };

  const remove: Files["remove"] = (path) => {
    const folder = folderOf(path);
    if (folder === null) return disk.remove(path);
    folder.write(
      path,
      () => disk.remove(path),
      () => ({ kind: "gone" }),
    );
  };

  function makeDirectory(path: string): void {
    const folder = folderOf(path);
    if (folder === null) {
      disk.makeDirectory(path);
      return;
    }
    if (folder.held() !== null && stat(path)?.kind === "directory") return;
    if (folder.held() !== null && folderOf(dirname(path)) === folder) makeDirectory(dirname(path));
    folder.write(
      path,
      () => disk.makeDirectory(path),
      () => ({ kind: "folder" }),
    );
  }

  return {
    ...disk,
    holding: {
      held,
      settle: () => {
        for (const [, folder] of folders) if (folder.held() !== null) folder.settle();
      },
      disk,
    },
    stat,
    tryRead,
    openOwn(path) {
      const waiting = folderOf(path)?.at(path);
      if (waiting === undefined) return disk.openOwn(path);
      if (waiting.kind === "gone") return null;
      if (waiting.kind === "folder") return disk.openOwn(path);
      const added = Buffer.from(waiting.text);
      return withAdded(waiting.kind === "tail" ? disk.openOwn(path) : null, added);
    },
    read: (path) => textOf(path) ?? disk.read(path),
    tryReadHead(path, maxBytes, whose) {
      const text = textOf(path);
      if (text === undefined) return disk.tryReadHead(path, maxBytes, whose);
      return text === null ? null : Buffer.from(text).subarray(0, maxBytes).toString();
    },
    tryReadTail(path, maxBytes) {
      const text = textOf(path);
      if (text === undefined) return disk.tryReadTail(path, maxBytes);
      if (text === null) return null;
      const encoded = Buffer.from(text);
      return encoded.subarray(Math.max(0, encoded.length - maxBytes)).toString();
    },
    list(path, whose) {
      const folder = folderOf(`${path}/`);
      if (folder === null || folder.held() === null) return disk.list(path, whose);
      const { added, gone } = folder.names(path);
      const isNew = folder.at(path)?.kind === "folder";
      const there = isNew && disk.stat(path) === null ? [] : disk.list(path, whose);
      return [...new Set([...there.filter((name) => !gone.has(name)), ...added])];
    },
    makeDirectory,
    writeAtomic(path, text, writing = {}) {
      whole(
        path,
        () => disk.writeAtomic(path, text, writing),
        () => text,
        writing.mode,
      );
    },
    writeExclusive(path, text, mode) {
      whole(
        path,
        () => disk.writeExclusive(path, text, mode),
        () => (stat(path) === null ? text : exists(path)),
        mode,
      );
    },
    append(path, text, { durable = false } = {}) {
      const folder = folderOf(path);
      if (folder === null) disk.append(path, text, { durable });
      else folder.append(path, text, durable);
    },
    link(existing, path) {
      whole(
        path,
        () => disk.link(existing, path),
        () => (stat(path) === null ? (tryRead(existing, "own") ?? disk.read(existing)) : exists(path)),
      );
    },
    truncate(path, sizeBytes) {
      whole(
        path,
        () => disk.truncate(path, sizeBytes),
        () =>
          Buffer.from(tryRead(path, "own") ?? "")
            .subarray(0, sizeBytes)
            .toString(),
      );
    },
    rename(from, to) {
      const folder = folderOf(to);
      if (folder === null || disk.stat(from)?.kind === "directory") return disk.rename(from, to);
      let isHeld = false;
      folder.write(
        to,
        () => disk.rename(from, to),
        () => {
          isHeld = true;
          return { kind: "whole", text: tryRead(from, "own") ?? disk.read(from), mode: undefined };
        },
      );
      if (isHeld) remove(from);
    },
    overwrite: disk.overwrite,
    remove,
  };
}
