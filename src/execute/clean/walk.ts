/**
 * The walk through one folder of the safelist. What goes as a whole is visited twice: first to see whether anything
 * in it has to stay, then to remove it, each entry being judged once more right before. A forecast makes the same two
 * visits and leaves out the one call that removes; so what it says is what would happen.
 */
import { isSocketAlive } from "../../system/live-socket.ts";
import type { Pace } from "../../system/pace.ts";
import { isRotatedArchive } from "../../system/rotated-logs.ts";
import { close, type Directory, type Entry, look, names, openDirectory } from "../../system/safe-tree.ts";
import { holdsOtherThanLogs, type SafelistFolder } from "../../system/safelist.ts";
import type { KeptReason } from "../../types/clean.ts";
import { newestStamp, wholeDaysSince } from "./age.ts";
import { type Guard, shownPath } from "./guard.ts";
import type { Manifest } from "./manifest.ts";
import { listedOf, removing, type Strike } from "./removing.ts";
import type { Tally } from "./tally.ts";

/** Levels below a folder of the safelist. Two descriptors each, and 1024 is the usual limit of a process. */
const maxLevels = 64;

export interface Walk {
  readonly folder: SafelistFolder;
  readonly root: Directory;
  /** Made anew when what it knows of the machine is old. */
  readonly guard: () => Guard;
  /** Rests, and reads again what is in use when that was long ago. Throws when the cleaning is to end. */
  readonly rest: () => Promise<void>;
  readonly pace: Pace;
  readonly cutoffNs: bigint;
  readonly nowMs: number;
  /** null: a forecast, or a cleaning that nobody has to account for. */
  readonly manifest: Manifest | null;
  readonly dryRun: boolean;
  readonly tally: Tally;
}

interface Obstacle {
  readonly path: string;
  readonly reason: KeptReason;
}

/** @returns whether all that was in the folder is gone, or would be. */
export async function cleanShelf(walk: Walk, shelf: Directory, level: number): Promise<boolean> {
  let empty = true;
  for (const name of names(shelf)) {
    if (walk.pace.due()) await walk.rest();
    if (!(await cleanEntry(walk, shelf, name, level))) empty = false;
  }
  return empty;
}

async function cleanEntry(walk: Walk, parent: Directory, name: string, level: number): Promise<boolean> {
  const { folder, tally } = walk;
  if (folder.holds instanceof RegExp && !folder.holds.test(name)) return false;
  try {
    const entry = look(parent, name);
    if (entry === null) return true;
    if (folder.holds instanceof RegExp && entry.kind !== "file") return false;
    if (folder.holds === "rotated archives" && !holdsLogs(name, entry, level)) return false;
    if (entry.kind === "directory" && level < folder.unitLevel) {
      return await cleanInnerShelf(walk, parent, name, entry, level);
    }
    const obstacle = await cleanUnit(walk, parent, name, entry, level);
    if (obstacle !== null) tally.kept(obstacle.path, obstacle.reason);
    return obstacle === null;
  } catch (error) {
    const path = shownPath(folder, walk.root, parent, name);
    tally.kept(path, failureOf(walk, path, error));
    return false;
  }
}

/** A log that was put away, or a folder that may hold such. */
function holdsLogs(name: string, entry: Entry, level: number): boolean {
  if (entry.kind === "directory") return !holdsOtherThanLogs(name, level);
  return entry.kind === "file" && isRotatedArchive(name);
}

async function cleanInnerShelf(
  walk: Walk,
  parent: Directory,
  name: string,
  entry: Entry,
  level: number,
): Promise<boolean> {
  const path = shownPath(walk.folder, walk.root, parent, name);
  const stays = (reason: KeptReason) => {
    walk.tally.kept(path, reason);
    return false;
  };
  const reason = walk.guard().obstacle(parent, name, entry, level) ?? tooDeep(level);
  if (reason !== null) return stays(reason);
  const directory = enter(parent, name, entry);
  if (typeof directory === "string") return stays(directory);
  let empty: boolean;
  try {
    empty = await cleanShelf(walk, directory, level + 1);
  } finally {
    close(directory);
  }
  if (!empty || walk.folder.holds !== "tree") return false;
  const newest = newestStamp(entry);
  if (newest >= walk.cutoffNs) return stays("young");
  const unit = { path, bytes: 0, entries: 0, untouchedDays: wholeDaysSince(newest, walk.nowMs) };
  const failure = removing(walk, unit, null)(parent, name, entry);
  if (failure !== null) return stays(failure);
  walk.tally.removed(unit, entry.device);
  return true;
}

async function cleanUnit(
  walk: Walk,
  parent: Directory,
  name: string,
  entry: Entry,
  level: number,
): Promise<Obstacle | null> {
  let newest = newestStamp(entry);
  let entries = 0;
  let bytes = 0;
  if (entry.kind === "directory") {
    const obstacle = await visit(walk, parent, name, level, false, (_parent, _name, each) => {
      entries += 1;
      bytes += each.allocatedBytes;
      const stamp = newestStamp(each);
      if (stamp > newest) newest = stamp;
      return null;
    });
    if (obstacle !== null) return obstacle;
  }
  const path = shownPath(walk.folder, walk.root, parent, name);
  const unit = { path, bytes: 0, entries: 0, untouchedDays: wholeDaysSince(newest, walk.nowMs) };
  const whole = {
    listed: listedOf(walk, parent, name, entry, newest, bytes),
    entries,
    bytes,
    gone: 0,
    hasLine: false,
  };
  try {
    return await visit(walk, parent, name, level, true, removing(walk, unit, whole));
  } finally {
    if (unit.entries > 0) walk.tally.removed(unit, entry.device);
  }
}

/** Depth first. @returns the first thing that has to stay; null when every entry was struck. */
async function visit(
  walk: Walk,
  parent: Directory,
  name: string,
  level: number,
  again: boolean,
  strike: Strike,
): Promise<Obstacle | null> {
  if (walk.pace.due()) await walk.rest();
  const path = () => shownPath(walk.folder, walk.root, parent, name);
  try {
    const entry = look(parent, name);
    if (entry === null) return null;
    const young = newestStamp(entry, again) >= walk.cutoffNs;
    const reason = young ? "young" : walk.guard().obstacle(parent, name, entry, level);
    if (reason !== null) return { path: path(), reason };
    if (entry.kind === "socket" && (await isSocketAlive(parent, name, entry))) {
      return { path: path(), reason: "live_socket" };
    }
    if (entry.kind === "directory") {
      const deep = tooDeep(level);
      if (deep !== null) return { path: path(), reason: deep };
      const directory = enter(parent, name, entry);
      if (typeof directory === "string") return { path: path(), reason: directory };
      try {
        for (const below of names(directory)) {
          const inside = await visit(walk, directory, below, level + 1, again, strike);
          if (inside !== null) return inside;
        }
      } finally {
        close(directory);
      }
    }
    const failure = strike(parent, name, entry);
    return failure === null ? null : { path: path(), reason: failure };
  } catch (error) {
    return { path: path(), reason: failureOf(walk, path(), error) };
  }
}

/** Opens the directory that was judged, unless something is mounted there. */
function enter(parent: Directory, name: string, entry: Entry): Directory | KeptReason {
  const directory = openDirectory(parent, name, entry);
  if (directory === null) return "changed";
  if (directory.mountId === parent.mountId) return directory;
  close(directory);
  return "mount_point";
}

function tooDeep(level: number): KeptReason | null {
  return level >= maxLevels ? "too_deep" : null;
}

/** What the system's answer means. What is no answer of the system is a bug, or the end: thrown on. */
function failureOf(walk: Walk, path: string, error: unknown): KeptReason {
  if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
  const code = String(error.code);
  // Gone, not a directory any more, a link now, something new in it: somebody is at work there.
  if (["ENOENT", "ENOTDIR", "ELOOP", "ENOTEMPTY", "EEXIST"].includes(code)) return "changed";
  if (code === "EBUSY") return "mount_point";
  const removal = error.syscall === "unlink" || error.syscall === "rmdir";
  walk.tally.error(`${path} could not be ${removal ? "removed" : "looked at"} (${code})`);
  return removal ? "failed" : "unreadable";
}
