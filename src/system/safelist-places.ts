/** On which file system each folder of the safelist lies: what an ordinary user can tell without opening anything. */
import { errorCode } from "./files.ts";
import { liesBehindNetwork, type Mount, mountOf } from "./mounts.ts";
import type { SafelistFolder } from "./safelist.ts";
import type { Files } from "./system.ts";

/**
 * @param mounts of the machine.
 * @returns paths by the number of their file system. A folder that is not there, that is reached through a link, or
 * that lies on a network file system is left out; one that this user may not look at is not, for root may.
 */
export function foldersByFileSystem(
  files: Files,
  folders: readonly SafelistFolder[],
  mounts: readonly Mount[],
): Map<number, string[]> {
  const known = new Map<string, Seen>([["", "folder"]]);
  const byFileSystem = new Map<number, string[]>();
  for (const { path } of folders) {
    const mount = mountOf(mounts, path);
    if (mount === null || liesBehindNetwork(mounts, path) || seen(files, path, known) === "other") continue;
    byFileSystem.set(mount.deviceNumber, [...(byFileSystem.get(mount.deviceNumber) ?? []), path]);
  }
  return byFileSystem;
}

type Seen = "folder" | "other" | "hidden";

/** From the top down, so that no link is followed: it could lead to a server that is gone. */
function seen(files: Files, path: string, known: Map<string, Seen>): Seen {
  const before = known.get(path);
  if (before !== undefined) return before;
  const above = seen(files, path.slice(0, path.lastIndexOf("/")), known);
  const answer = above === "folder" ? look(files, path) : above;
  known.set(path, answer);
  return answer;
}

function look(files: Files, path: string): Seen {
  try {
    return files.stat(path)?.kind === "directory" ? "folder" : "other";
  } catch (error) {
    if (errorCode(error) === "EACCES") return "hidden";
    throw error;
  }
}
