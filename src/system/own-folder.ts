/**
 * Folders of Argus, opened so that whatever is done in them is done in the very folder that was judged. Node has no
 * openat(2), but `/proc/self/fd/N/name` is one: whoever swaps a folder for a link afterwards changes a path only.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from "node:fs";
import { dirname, join, relative } from "node:path";
import { errorCode } from "./error-code.ts";
import { wayTo, weakSpot } from "./folder-path.ts";
import { folderRefusal, RefusedFile } from "./refused.ts";
import type { Files } from "./system.ts";

export interface OwnFolder {
  readonly descriptor: number;
  readonly path: string;
  /** Whose files may stand in it, when they are read. */
  readonly readOwners: readonly number[];
  /** Whose files may be written. */
  readonly writeOwner: number;
  /** Its group may look into it, and others may not: what is made in it is as open to the group. */
  readonly isShared: boolean;
}

export type Use = "read" | "write";

/** O_NONBLOCK: nothing that could stand there makes the opening wait. */
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Only who is trusted can make a safe way unsafe, so it need not be looked at for each of many files. */
const safeMs = 1000;

export interface OwnFolders {
  /** What lies below `dir` must lie in folders of this one's owner. @param path the same with links followed. */
  claim(dir: string, path: string): void;
  /** The claimed folder that this path lies in; null: in none, or it is one. */
  claimedAbove(path: string): string | null;
  /**
   * Runs `act` in the folder that holds `path`.
   * @returns null when the folder does not exist. Throws RefusedFile when it may not be used.
   */
  inFolderOf<T>(path: string, use: Use, act: (folder: OwnFolder, name: string) => T): T | null;
  inFolder<T>(folder: string, use: Use, act: (folder: OwnFolder) => T): T | null;
}

export function createOwnFolders(
  files: Pick<Files, "stat" | "tryReadLink">,
  at: (path: string) => string,
): OwnFolders {
  const claimed = new Map<string, string>();
  let last = { folder: "", use: "read" as Use, path: "", untilMs: 0 };

  function claimedAbove(path: string): string | null {
    for (let above = dirname(path); above !== dirname(above); above = dirname(above))
      if (claimed.has(above)) return above;
    return null;
  }

  function open(folder: string, use: Use): OwnFolder | null {
    const base = claimed.has(folder) ? folder : claimedAbove(folder);
    try {
      if (base === null) return openUnclaimed(folder, use);
      let present = openOne(at(claimed.get(base) ?? base), base, use, { above: null, isOurs: true });
      for (const name of relative(base, folder).split("/").filter(Boolean)) {
        const above = present;
        try {
          present = openOne(below(above, name), join(above.path, name), use, { above, isOurs: true });
        } finally {
          closeSync(above.descriptor);
        }
      }
      return present;
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return null;
      throw error;
    }
  }

  /** A folder that the settings name for one file, or that no command has claimed: its way is looked at. */
  function openUnclaimed(folder: string, use: Use): OwnFolder | null {
    const path = wayIsSafe(folder, use);
    return path === null ? null : openOne(path, folder, use, { above: null, isOurs: false });
  }

  /** @returns its path with links followed; null: it does not exist. */
  function wayIsSafe(folder: string, use: Use): string | null {
    if (last.folder === folder && last.use === use && performance.now() < last.untilMs) return last.path;
    const way = wayTo(files, folder);
    if (way.deadLink !== null)
      throw new RefusedFile(`${folder} is reached through a link that leads nowhere (${way.deadLink})`);
    if (way.status === null) return null;
    const weak = weakSpot(way, use === "read" ? [0, ownUid(), way.status.uid] : [0, ownUid()]);
    if (weak !== null) throw new RefusedFile(weakSentence(folder, weak));
    last = { folder, use, path: at(way.path), untilMs: performance.now() + safeMs };
    return last.path;
  }

  function inFolder<T>(path: string, use: Use, act: (folder: OwnFolder) => T): T | null {
    const folder = open(path, use);
    if (folder === null) return null;
    try {
      return act(folder);
    } catch (error) {
      throw named(error, folder);
    } finally {
      closeSync(folder.descriptor);
    }
  }

  return {
    claim: (dir, path) => void claimed.set(dir, path),
    claimedAbove,
    inFolder,
    inFolderOf: (path, use, act) =>
      inFolder(dirname(path), use, (folder) => act(folder, path.slice(path.lastIndexOf("/") + 1))),
  };
}

const ownUid = (): number => process.geteuid?.() ?? 0;

/** A path of the entry that leads through the folder's descriptor. */
export const below = ({ descriptor }: OwnFolder, name: string): string =>
  `/proc/self/fd/${descriptor}/${name}`;

/** `above`: of whose owner it must be; null: it is the first one, which commands of another user may look into. */
function openOne(
  path: string,
  name: string,
  use: Use,
  { above, isOurs }: { readonly above: OwnFolder | null; readonly isOurs: boolean },
): OwnFolder {
  const owners = (status: Stats): readonly number[] => {
    if (use === "write") return [ownUid(), 0];
    return above === null ? [status.uid] : above.readOwners;
  };
  const refuse = (status: Stats): void => {
    const refusal = folderRefusal(name, status, owners(status), isOurs);
    if (refusal !== null) throw refusal;
  };
  refuse(lstatSync(path));
  const descriptor = openSync(path, folderFlags);
  try {
    const status = fstatSync(descriptor);
    refuse(status);
    const readOwners = above?.readOwners ?? [...new Set([status.uid, ownUid(), 0])];
    return { descriptor, path: name, readOwners, writeOwner: ownUid(), isShared: isOurs && isShared(status) };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Mode 0750, as the installer gives the folders of a service to the group argus. */
const isShared = ({ mode }: Stats): boolean => (mode & 0o057) === 0o050;

/** Node's errors name the path that was used; people know the other one. */
function named(error: unknown, { descriptor, path }: OwnFolder): unknown {
  if (!(error instanceof Error)) return error;
  const through = `/proc/self/fd/${descriptor}`;
  error.message = error.message.replaceAll(through, path);
  for (const key of ["path", "dest"] as const) {
    const value: unknown = Reflect.get(error, key);
    if (typeof value === "string") Reflect.set(error, key, value.replaceAll(through, path));
  }
  return error;
}

export function weakSentence(
  folder: string,
  { path, uid, why }: NonNullable<ReturnType<typeof weakSpot>>,
): string {
  if (why === "link")
    return `${folder} is reached through a symbolic link of uid ${uid} (${path}); remove it, or name another place in the settings`;
  if (why === "mode")
    return `${folder} lies in ${path}, which everybody can write; chmod o-w ${path}, or name another place in the settings`;
  return `${folder} lies below ${path}, which belongs to uid ${uid}, who could put something else in its place; name another place in the settings`;
}
