/** The state directory: made, and refused when somebody else could write what a root daemon then believes. */
import { dirname, join, resolve } from "node:path";
import { fileError } from "../system/file-error.ts";
import { errorCode } from "../system/files.ts";
import type { FileStatus, Files, System } from "../system/system.ts";
import { UserError } from "../types/errors.ts";

const writableByAll = 0o002;
const sticky = 0o1000;
/** As many as the kernel follows (path_resolution(7)). */
const mostLinks = 40;

/**
 * Makes the directory (mode 0700) where there is none.
 * @returns its path with links followed. Throws a UserError, one sentence with the mend, when it must not be used.
 */
export function openStateDir(system: System, dir: string): string {
  try {
    return open(system, dir);
  } catch (error) {
    if (errorCode(error) !== "EACCES") throw fileError("use the state folder", dir, error);
    const sentence = `this user may not write the state folder ${dir}; run Argus with sudo, or set ARGUS_STATE_DIR to a folder of your own`;
    throw new UserError(sentence, { cause: error });
  }
}

function open(system: System, dir: string): string {
  const { files, self } = system;
  const path = followed(system, dir);
  const above = nearestAbove(files, path);
  if (above !== null) refuseUnsafePlace(above.path, above.status, dir);
  if (files.stat(path) === null) files.makeDirectory(path);
  const status = files.stat(path);
  if (status?.kind !== "directory") {
    throw new UserError(`${dir} is not a folder; move it away, or set ARGUS_STATE_DIR to another place`);
  }
  if (status.uid !== self.uid) {
    throw new UserError(
      `the state folder ${dir} belongs to uid ${status.uid}, and Argus runs as uid ${self.uid}; run it as that user, or set ARGUS_STATE_DIR to a folder of your own`,
    );
  }
  if ((status.mode & writableByAll) !== 0) {
    throw new UserError(`the state folder ${dir} can be written by everybody; chmod 700 ${dir}`);
  }
  tryOut(files, path, self.pid);
  return path;
}

/** Whoever may write the folder above can put another one in this one's place, unless the sticky bit is set. */
function refuseUnsafePlace(above: string, status: FileStatus, dir: string): void {
  if ((status.mode & writableByAll) === 0 || (status.mode & sticky) !== 0) return;
  throw new UserError(
    `the state folder ${dir} lies in ${above}, which everybody can write; chmod o-w ${above}, or set ARGUS_STATE_DIR to another place`,
  );
}

function nearestAbove(files: Files, path: string): { path: string; status: FileStatus } | null {
  for (let above = dirname(path); ; above = dirname(above)) {
    const status = files.stat(above);
    if (status !== null) return { path: above, status };
    if (above === dirname(above)) return null;
  }
}

/** The path with every symbolic link in it followed; what does not exist yet stays as it is. */
function followed({ files, self }: System, dir: string): string {
  let links = 0;
  let rest = resolve(dir).split("/").filter(Boolean);
  let path = "/";
  while (rest.length > 0) {
    const next = join(path, rest[0] ?? "");
    rest = rest.slice(1);
    const status = files.stat(next);
    if (status?.kind !== "link") {
      path = next;
      continue;
    }
    // Somebody else's link in /tmp could lead root into any folder of root's.
    if (status.uid !== 0 && status.uid !== self.uid) {
      throw new UserError(
        `the state folder ${dir} is reached through a symbolic link of uid ${status.uid} (${next}); remove it, or set ARGUS_STATE_DIR to another place`,
      );
    }
    const target = files.tryReadLink(next);
    links += 1;
    if (target === null || links > mostLinks) {
      throw new UserError(
        `the state folder ${dir} has a symbolic link in its path that leads nowhere (${next}); remove it, or set ARGUS_STATE_DIR to another place`,
      );
    }
    rest = [...resolve(path, target).split("/").filter(Boolean), ...rest];
    path = "/";
  }
  return path;
}

/** A read-only file system says so only when asked. A full one is no reason to stop: Argus may be what frees it. */
function tryOut(files: Files, path: string, pid: number): void {
  const trial = `${path}/.writable-${pid}`;
  try {
    files.remove(trial);
    files.writeExclusive(trial, "");
    files.remove(trial);
  } catch (error) {
    if (errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT") return;
    throw error;
  }
}
