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
  const { folder, root, homeOwner, inUse, bootId, ownUid, ownIdentities, isExcluded } = facts;
  const mount = inUse.mounts.find((each) => each.id === root.mountId) ?? null;
  const heldPaths = pathsBelow(root.path, mount, facts);
  // /proc gives the super block's device for mappings and locks. Where st_dev is another number (btrfs, overlay) the
  // inode alone has to do: it can only keep too much.
  const byDevice = mount !== null && BigInt(mount.deviceNumber) === root.entry.device;
  const mapped = byDevice ? inUse.mapped : inodesOf(inUse.mapped);
  const locked = byDevice ? inUse.locked : inodesOf(inUse.locked);
  const mayTouchAny = ownUid === 0 && inUse.unseenProcesses === 0;

  const isLocked = (entry: Entry, key: string) => locked.has(byDevice ? key : String(entry.inode));
  const isInUse = (entry: Entry, key: string) =>
    inUse.open.has(key) || inUse.inodes.has(entry.inode) || mapped.has(byDevice ? key : String(entry.inode));

  return {
    locked: isLocked(root.entry, keyOf(root.entry)),
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
      if (isLocked(entry, key)) return "locked";
      if (isInUse(entry, key)) return "in_use";
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
  const keep = (path: string, reason: KeptReason) => {
    if (path !== rootPath && isWithin(path, rootPath)) held.set(path, reason);
  };
  // A directory that is mounted somewhere, be it in a container or as the private /tmp of a service, belongs to whoever
  // sees it there, although nobody need have anything open in it.
  for (const other of mount === null ? [] : inUse.allMounts) {
    if (other.deviceNumber !== mount?.deviceNumber || !isWithin(other.root, mount.root)) continue;
    const inside = mount.root === "/" ? other.root : other.root.slice(mount.root.length);
    keep(mount.mount === "/" ? inside : `${mount.mount}${inside}`, "in_use");
  }
  for (const layer of inUse.allMounts.flatMap(overlayLayers)) keep(layer, "in_use");
  for (const each of inUse.mounts) keep(each.mount, "mount_point");
  for (const path of ownPaths) keep(toLatin1(path), "own");
  return held;
}

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
