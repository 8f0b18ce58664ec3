/** Which folders of the safelist lie on a file system: what a cleaning of that file system may look through. */
import { readMountInfo } from "../../system/file-systems.ts";
import { type Mount, mountAt, parseMountInfo } from "../../system/mounts.ts";
import { ownMountInfo } from "../../system/proc-bytes.ts";
import { close, type Directory } from "../../system/safe-tree.ts";
import type { SafelistFolder } from "../../system/safelist.ts";
import type { Files } from "../../system/system.ts";
import { openRoot } from "./roots.ts";

/**
 * What is mounted at a path of the machine. In the executor's sandbox every folder that may be written is a mount of
 * its own; so process 1 is asked, and what is compared is the number of the file system, which is the same for all of
 * its mounts, its bind mounts and its btrfs subvolumes.
 */
export function fileSystemAt(files: Files, mount: string): Mount | null {
  if (ownMountInfo(files) === null) return null;
  return mountAt(parseMountInfo(readMountInfo(files)), mount);
}

/** The number of the file system that an open folder lies on; null when its mount is in no list. */
export function fileSystemOf(root: Directory, mounts: readonly Mount[]): number | null {
  return mounts.find(({ id }) => id === root.mountId)?.deviceNumber ?? null;
}

/** @param mounts of this process's own namespace. */
export function foldersOn(
  files: Files,
  folders: readonly SafelistFolder[],
  fileSystem: Mount,
  mounts: readonly Mount[],
): SafelistFolder[] {
  return folders.filter(({ path }) => {
    const root = openRoot(files, path, mounts);
    if (typeof root === "string") return false;
    close(root);
    return fileSystemOf(root, mounts) === fileSystem.deviceNumber;
  });
}
