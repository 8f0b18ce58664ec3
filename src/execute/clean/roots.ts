/** Where the cleaning begins: opening the folders of the safelist, and what must survive in them. */
import { errorCode } from "../../system/files.ts";
import { liesBehindNetwork, type Mount, mountOf } from "../../system/mounts.ts";
import { modeOf } from "../../system/proc-bytes.ts";
import { close, type Directory, fromLatin1, identify, openFolder, toLatin1 } from "../../system/safe-tree.ts";
import type { Files } from "../../system/system.ts";
import type { RootState } from "../../types/clean.ts";
import { keyOf } from "./guard.ts";

/** @returns the folder, to be closed, or why it cannot be looked through. */
export function openRoot(files: Files, path: string, mounts: readonly Mount[]): Directory | RootState {
  // Asked before anything is touched: opening a folder of a server that is gone never returns. Nor could the processes
  // of other hosts be asked what they have open there.
  if (liesBehindNetwork(mounts, toLatin1(files.realPath(path)))) return "network";
  try {
    return openFolder(files.realPath("/"), path);
  } catch (error) {
    switch (errorCode(error)) {
      case "ENOENT":
        return "absent";
      case "ENOTDIR":
      case "ELOOP":
        return "not_a_folder";
      case "EACCES":
      case "EPERM":
        return "unreadable";
      default:
        throw error;
    }
  }
}

/**
 * The file system that an open folder lies on, by the name that people know.
 * @param outside mounts of the machine: in a sandbox every folder that may be written is a mount of its own.
 */
export function placeOf(
  root: Directory,
  path: string,
  mounts: readonly Mount[],
  outside: readonly Mount[],
): { mount: string; path: string; device: bigint } {
  const own = mounts.find((each) => each.id === root.mountId);
  const known = mountOf(outside, toLatin1(path));
  const mount = known?.deviceNumber === own?.deviceNumber ? known : own;
  return { mount: fromLatin1(mount?.mount ?? root.path), path, device: root.entry.device };
}

/** Whether others than the owners of the folders above it may come as far as an open folder. */
export function isReachable(root: Directory): boolean {
  const parts = root.path.split("/");
  return parts.every((_, index) => {
    const above = modeOf(parts.slice(0, index + 1).join("/") || "/");
    return above === null || (above & 0o011) !== 0;
  });
}

/** Owner of a home; null when it is not there. */
export function ownerOf(files: Files, path: string, mounts: readonly Mount[]): number | null {
  const home = openRoot(files, path, mounts);
  if (typeof home === "string") return null;
  close(home);
  return home.entry.uid;
}

/** `device:inode` of what the paths lead to, for a path may be written in another way than the walk meets it. */
export function identitiesOf(files: Files, paths: readonly string[], mounts: readonly Mount[]): Set<string> {
  const identities = new Set<string>();
  for (const path of paths.map((each) => files.realPath(each))) {
    const identity = liesBehindNetwork(mounts, toLatin1(path)) ? null : identify(path);
    if (identity !== null) identities.add(keyOf(identity));
  }
  return identities;
}
