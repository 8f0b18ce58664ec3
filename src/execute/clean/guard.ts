/** Why an entry has to stay, whatever its age: everything but the stamps. */
import { isWithin, type Mount, unescapeOctal } from "../../system/mounts.ts";
import type { OpenFiles } from "../../system/open-files.ts";
import { type Directory, type Entry, fromLatin1, toLatin1 } from "../../system/safe-tree.ts";
import { isWellKnownName, type SafelistFolder } from "../../system/safelist.ts";
import type { KeptReason } from "../../types/clean.ts";
import type { Exclusions } from "./exclusions.ts";

export interface GuardFacts {
  readonly folder: SafelistFolder;
  /** The folder, open. */
  readonly root: Directory;
  /** Whether every user may come as far as the folder; may be taken for true. */
  readonly isReachable?: boolean;
  /** Owner of the home that the folder belongs to. */
  readonly homeOwner: number | null;
  readonly inUse: OpenFiles;
  readonly bootId: string;
  readonly ownUid: number;
  /** `device:inode` of folders that must not go with a tree around them. */
  readonly ownIdentities: ReadonlySet<string>;
  /** Paths on the machine of the same. */
  readonly ownPaths: readonly string[];
  /** Takes the path as the report shows it; null when there is nothing to exclude. */
  readonly isExcluded: Exclusions | null;
}

export interface Guard {
  /** Whether somebody holds a lock on the folder itself. */
  readonly locked: boolean;
  /** @param level 1 for what lies directly in the folder. */
  obstacle(parent: Directory, name: string, entry: Entry, level: number): KeptReason | null;
}

export function createGuard(facts: GuardFacts): Guard {
  const {
    folder,
    root,
    homeOwner,
    inUse,
    bootId,
    ownUid,
    ownIdentities,
    isExcluded,
    isReachable = true,
  } = facts;
  const mount = inUse.mounts.find((each) => each.id === root.mountId) ?? null;
  const heldPaths = pathsBelow(root.path, mount, facts);
  const keyInKernel = kernelKeys(mount, root);
  const mapped = keyInKernel === null ? inodesOf(inUse.mapped) : inUse.mapped;
  const locked = keyInKernel === null ? inodesOf(inUse.locked) : inUse.locked;
  const inKernel = (entry: Entry) => keyInKernel?.(entry) ?? String(entry.inode);
  const mayTouchAny = ownUid === 0 && inUse.unseenProcesses === 0;
  const doubtful = doubtfulUsers(inUse, mount, root);

  /** By device and inode: the number alone would keep a folder for a file on another disk. */
  const isOpenUnasked = (inode: bigint) =>
    inUse.inodes.has(inode) &&
    (mount === null || (inUse.inodeDevices?.get(inode)?.has(mount.deviceNumber) ?? true));
  const isLocked = (entry: Entry) => locked.has(inKernel(entry));
  const isInUse = (entry: Entry, key: string) =>
    inUse.open.has(key) || isOpenUnasked(entry.inode) || mapped.has(inKernel(entry));
  let waits: boolean | null = null;
  const pipesWait = () => {
    waits ??= inUse.waitsAtPipe?.() ?? false;
    return waits;
  };
  /** Root may have open what it likes, others what is theirs or open to them. */
  const isInDoubt = (parent: Directory, entry: Entry) =>
    doubtful.size > 0 &&
    (doubtful.has(0) ||
      doubtful.has(entry.uid) ||
      (isReachable && (entry.mode & 0o077) !== 0 && (parent.entry.mode & 0o011) !== 0));

  return {
    locked: isLocked(root.entry),
    obstacle(parent, name, entry, level) {
      if (entry.device !== root.entry.device) return "mount_point";
      const held = heldPaths.size === 0 ? undefined : heldPaths.get(`${parent.path}/${name}`);
      if (held !== undefined) return held;
      if (level === 1 && folder.hasWellKnownNames && isWellKnownName(name, bootId)) return "protected_name";
      const passing = folder.holds === "rotated archives" && entry.kind === "directory";
      if (isExcluded?.(shownPath(folder, root, parent, name), passing) === true) return "protected_name";
      const key = keyOf(entry);
      if (ownIdentities.has(key)) return "own";
      if (!mayTouchAny && entry.uid !== ownUid) return "other_owner";
      // A user may move somebody else's directory into the cache of a home, but must not have it deleted by it.
      if (homeOwner !== null && entry.uid !== homeOwner) return "other_owner";
      if (!parent.writable && !passing) return "not_writable";
      if (entry.kind === "special") return "special";
      if (entry.kind !== "directory" && (entry.mode & 0o1000) !== 0) return "sticky";
      if (isLocked(entry)) return "locked";
      if (isInUse(entry, key) || isInDoubt(parent, entry)) return "in_use";
      if (entry.kind === "pipe" && pipesWait()) return "in_use";
      // mysql.sock.lock has the number of the server that listens on mysql.sock.
      if (name.endsWith(".lock") && inUse.socketNames?.has(name.slice(0, -".lock".length)) === true)
        return "live_socket";
      if (entry.kind === "socket" && (inUse.socketNames?.has(name) ?? true)) return "live_socket";
      return null;
    },
  };
}

/** The path as people know it, not that of the descriptor, nor of the directory that stands for `/`. */
export function shownPath(folder: SafelistFolder, root: Directory, parent: Directory, name: string): string {
  return fromLatin1(rawPath(folder, root, parent, name));
}

/** The same in latin1: its bytes. */
export function rawPath(folder: SafelistFolder, root: Directory, parent: Directory, name: string): string {
  return `${toLatin1(folder.path)}${parent.path.slice(root.path.length)}/${name}`;
}

/** Paths below the folder that are something else than they look: mount points, what is mounted elsewhere, Argus's own. */
function pathsBelow(rootPath: string, mount: Mount | null, facts: GuardFacts): Map<string, KeptReason> {
  const { inUse, ownPaths } = facts;
  const held = new Map<string, KeptReason>();
  const mounts = new Map(inUse.allMounts.map((each) => [each.id, each]));
  const keep = (path: string, reason: KeptReason) => {
    if (path !== rootPath && isWithin(path, rootPath)) held.set(path, reason);
  };
  // A directory that is mounted somewhere, be it in a container or as the private /tmp of a service, belongs to whoever
  // sees it there, although nobody need have anything open in it.
  for (const other of mount === null ? [] : inUse.allMounts) {
    const shown = seenFrom(mount, other, other.root);
    if (shown !== null) keep(shown, "in_use");
    // Nor may the place go that another namespace has something mounted on: rmdir(2) would detach it there.
    const under = mounts.get(inUse.mountParents?.get(other.id) ?? -1);
    if (under === undefined || under === other || !isWithin(other.mount, under.mount)) continue;
    const place = seenFrom(mount, under, joined(under.root, below(under.mount, other.mount)));
    if (place !== null) keep(place, "mount_point");
  }
  for (const layer of inUse.allMounts.flatMap(overlayLayers)) keep(layer, "in_use");
  for (const each of inUse.mounts) keep(each.mount, "mount_point");
  for (const path of ownPaths) keep(toLatin1(path), "own");
  return held;
}

/** Users of processes that see the folder, and may have open in it what no process shows. */
function doubtfulUsers(inUse: OpenFiles, mount: Mount | null, root: Directory): Set<number> {
  const seers = (inUse.doubtful ?? []).filter(
    ({ mounts }) =>
      mount === null || mounts.some((theirs) => seenFrom(theirs, mount, insideOf(mount, root)) !== null),
  );
  return new Set(seers.flatMap(({ users }) => users));
}

/** Path of an open folder inside of its file system. */
const insideOf = (mount: Mount, root: Directory): string => joined(mount.root, below(mount.mount, root.path));

/** Where something inside the file system of another mount is seen through this one; null: nowhere. */
function seenFrom(mount: Mount | null, other: Mount, inside: string): string | null {
  if (mount === null || other.deviceNumber !== mount.deviceNumber || !isWithin(inside, mount.root))
    return null;
  return joined(mount.mount, below(mount.root, inside));
}

const below = (directory: string, path: string): string =>
  directory === "/" ? path : path.slice(directory.length);
const joined = (directory: string, path: string): string =>
  directory === "/" ? path || "/" : `${directory}${path}`;

/**
 * /proc gives the number of the super block for mappings, locks and watches. It is st_dev but on btrfs, where each
 * subvolume has a st_dev of its own; in an overlay it is that of a layer, so that the inode alone has to do (null),
 * which can only keep too much.
 */
function kernelKeys(mount: Mount | null, root: Directory): ((entry: Entry) => string) | null {
  if (mount === null || layered.has(mount.type)) return null;
  const { deviceNumber } = mount;
  if (BigInt(deviceNumber) !== root.entry.device && mount.type !== "btrfs" && mount.type !== "bcachefs")
    return null;
  return ({ inode }) => `${deviceNumber}:${inode}`;
}

const layered = new Set(["overlay", "aufs", "shiftfs", "fuse.fuse-overlayfs"]);

/** The directories that an overlay is made of: what is open in the overlay shows no trace on them. */
function overlayLayers(mount: Mount): string[] {
  if (mount.type !== "overlay") return [];
  return mount.options
    .flatMap(
      (option) => /^(?:lowerdir|upperdir|workdir|datadir)\+?=(.+)$/.exec(option)?.[1]?.split(":") ?? [],
    )
    .map(unescapeOctal);
}

export function keyOf(entry: { readonly device: bigint; readonly inode: bigint }): string {
  return `${entry.device}:${entry.inode}`;
}

function inodesOf(keys: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...keys].map((key) => key.slice(key.indexOf(":") + 1)));
}
