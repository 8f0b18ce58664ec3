/**
 * What one folder of Argus could not take, in memory and in order, until it can: its disk is full (of blocks or of
 * inodes), the quota is used up, or it was remounted read-only. While anything waits, all that is written there waits
 * behind it, so that what is on the disk is always what stood there at some moment; lines alone go ahead when they fit.
 */
import { dirname } from "node:path";
import { utc } from "../types/quantities.ts";
import { isNoRoom } from "./error-code.ts";
import { fileError } from "./file-error.ts";
import type { FileStatus, Files, Held } from "./system.ts";

type Waiting =
  | { readonly kind: "folder" }
  | { readonly kind: "gone" }
  | { readonly kind: "whole"; readonly text: string; readonly mode: number | undefined }
  /** To be appended to what is on the disk. */
  | { readonly kind: "tail"; readonly text: string };

export interface HeldOptions {
  /** ISO 8601, UTC. */
  readonly now: () => string;
  /** Told in one sentence when it begins, when it ends, and what stands in the way of writing besides. */
  readonly note: (sentence: string) => void;
  /** Of text; more is given up, the oldest lines first. */
  readonly mostBytes: number;
}

export interface HeldFolder {
  held(): Held | null;
  settle(): void;
  /** undefined: nothing of this path waits. */
  at(path: string): Waiting | undefined;
  /** Names that wait in this folder, and names that only the disk still has. */
  names(folder: string): { readonly added: string[]; readonly gone: ReadonlySet<string> };
  /**
   * Does it on the disk, or else keeps `waiting` of this path.
   * @throws what is no lack of room; ENOSPC also when too much waits that may not be given up.
   */
  write(path: string, act: () => void, waiting: () => Waiting): void;
  append(path: string, text: string, durable: boolean): void;
}

const sizeOf = (waiting: Waiting | undefined): number =>
  waiting?.kind === "whole" || waiting?.kind === "tail" ? Buffer.byteLength(waiting.text) : 0;

export function createHeldFolder(disk: Files, root: string, options: HeldOptions): HeldFolder {
  const { now, note, mostBytes } = options;
  const all = new Map<string, Waiting>();
  let bytes = 0;
  let begun: { since: string; why: string; error: unknown } | null = null;
  let droppedLines = 0;
  let timer: NodeJS.Timeout | null = null;
  const said = new Set<string>();

  function begin(error: unknown): void {
    if (begun !== null) return;
    const why = fileError("write", root, error).message.split(";", 1)[0] ?? "";
    begun = { since: now(), why, error };
    timer = setInterval(settle, 1000).unref();
    note(`${why}: what Argus would write there is kept in memory until there is room; a restart loses it`);
  }

  function end(): void {
    if (begun === null || all.size > 0) return;
    const lost = droppedLines === 0 ? "" : `, but for the oldest ${droppedLines} lines, which were too much`;
    note(
      `${root} can be written again: what was kept in memory since ${utc(begun.since)} is on the disk${lost}`,
    );
    if (timer !== null) clearInterval(timer);
    begun = null;
    droppedLines = 0;
    said.clear();
  }

  function put(path: string, waiting: Waiting | null): void {
    bytes -= sizeOf(all.get(path));
    if (waiting === null) all.delete(path);
    else all.set(path, waiting);
    bytes += sizeOf(waiting ?? undefined);
    if (bytes > mostBytes) giveUpLines();
  }

  /** A tenth at once, so that a long text is not cut anew for each line. */
  function giveUpLines(): void {
    let over = bytes - mostBytes * 0.9;
    const tails = [...all].filter(([, { kind }]) => kind === "tail");
    tails.sort(([, a], [, b]) => sizeOf(b) - sizeOf(a));
    for (const [path, waiting] of tails) {
      if (over <= 0 || waiting.kind !== "tail") break;
      const encoded = Buffer.from(waiting.text);
      const cut = encoded.indexOf("\n", Math.min(over, encoded.length - 1)) + 1 || encoded.length;
      for (let at = encoded.indexOf("\n"); at >= 0 && at < cut; at = encoded.indexOf("\n", at + 1))
        droppedLines += 1;
      all.set(path, { kind: "tail", text: encoded.subarray(cut).toString() });
      bytes -= cut;
      over -= cut;
    }
  }

  /** All of it or, as far as the disk lets us, nothing. */
  function appendToDisk(path: string, text: string, durable: boolean): void {
    const before = disk.stat(path)?.sizeBytes ?? 0;
    try {
      disk.append(path, text, { durable });
    } catch (error) {
      const left = disk.stat(path);
      if (isNoRoom(error) && left?.kind === "file" && left.sizeBytes > before) disk.truncate(path, before);
      throw error;
    }
  }

  function toDisk(path: string, waiting: Waiting): void {
    if (waiting.kind === "folder") disk.makeDirectory(path);
    else if (waiting.kind === "gone") disk.remove(path);
    else if (waiting.kind === "tail") appendToDisk(path, waiting.text, true);
    else disk.writeAtomic(path, waiting.text, waiting.mode === undefined ? {} : { mode: waiting.mode });
  }

  /** @returns whether it is on the disk now. */
  function tryOne(path: string, waiting: Waiting): boolean {
    try {
      toDisk(path, waiting);
      put(path, null);
      return true;
    } catch (error) {
      if (isNoRoom(error) || folderWaits(path)) return false;
      const message = fileError("write", path, error).message;
      if (!said.has(message)) note(`${message}; it is kept in memory until then`);
      said.add(message);
      return false;
    }
  }

  const wholeBytes = (): number =>
    [...all.values()].reduce((sum, each) => sum + (each.kind === "whole" ? sizeOf(each) : 0), 0);
  const folderWaits = (path: string): boolean => all.get(dirname(path))?.kind === "folder";

  function settle(): void {
    const inOrder = [...all].sort(([, a], [, b]) => rank(a) - rank(b));
    for (const [path, waiting] of inOrder) if (!tryOne(path, waiting) && rank(waiting) > 1) break;
    end();
  }

  return {
    held: () =>
      begun === null ? null : { since: begun.since, why: begun.why, bytes: Math.max(0, bytes), droppedLines },
    settle,
    at: (path) => all.get(path),
    names(folder) {
      const here = [...all].filter(([path]) => dirname(path) === folder);
      const nameOf = ([path]: [string, Waiting]) => path.slice(path.lastIndexOf("/") + 1);
      return {
        added: here.filter(([, { kind }]) => kind !== "gone").map(nameOf),
        gone: new Set(here.filter(([, { kind }]) => kind === "gone").map(nameOf)),
      };
    },
    write(path, act, waiting) {
      let lacking: unknown = null;
      if (all.size === 0) {
        try {
          return act();
        } catch (error) {
          if (!isNoRoom(error)) throw error;
          lacking = error;
        }
      }
      const next = waiting();
      // What is only in memory leaves nothing behind.
      const isNothing = next.kind === "gone" && disk.stat(path) === null;
      if (isNothing && !all.has(path)) return;
      if (next.kind === "whole" && wholeBytes() + sizeOf(next) - sizeOf(all.get(path)) > mostBytes)
        throw lacking ?? begun?.error;
      begin(lacking);
      put(path, isNothing ? null : next);
      end();
    },
    append(path, text, durable) {
      const before = all.get(path);
      if (before?.kind === "whole") return put(path, { ...before, text: before.text + text });
      if (before?.kind === "gone") return put(path, { kind: "whole", text, mode: undefined });
      if (before === undefined) {
        try {
          return appendToDisk(path, text, durable);
        } catch (error) {
          if (!isNoRoom(error) && !folderWaits(path)) throw error;
          begin(error);
        }
      }
      put(path, { kind: "tail", text: (before?.kind === "tail" ? before.text : "") + text });
    },
  };
}

/** Folders first, then lines, which are what must not be lost, then the rest in its order. */
const rank = ({ kind }: Waiting): number => (kind === "folder" ? 0 : kind === "tail" ? 1 : 2);

/** Of what is in memory alone. */
export const heldStatus = (
  sizeBytes: number,
  uid: number,
  gid: number,
  kind: FileStatus["kind"],
): FileStatus => ({
  ...{ kind, sizeBytes, uid, gid },
  ...{ modifiedMs: Date.now(), changedMs: Date.now() },
  inode: 0,
  mode: kind === "directory" ? 0o700 : 0o600,
});
