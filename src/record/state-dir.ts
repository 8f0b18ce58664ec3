/** The folders of Argus: made, and refused when somebody else could write what a root daemon then believes. */
import { isNoRoom } from "../system/error-code.ts";
import { fileError } from "../system/file-error.ts";
import { errorCode } from "../system/files.ts";
import { type Way, wayTo, weakSpot } from "../system/folder-path.ts";
import { temporaryName } from "../system/remains.ts";
import type { FileStatus, Files, System } from "../system/system.ts";
import { UserError } from "../types/errors.ts";

/** What people call a folder, and the setting that names it. */
interface Name {
  readonly noun: string;
  readonly variable: string;
}

export const folderNames = {
  state: { noun: "state folder", variable: "ARGUS_STATE_DIR" },
  logs: { noun: "log folder", variable: "ARGUS_LOG_DIR" },
  executor: { noun: "state folder of the executor", variable: "ARGUS_EXECUTOR_STATE_DIR" },
} satisfies Record<string, Name>;

const writableByAll = 0o002;
const writableByGroup = 0o020;

/**
 * Makes the directory (mode 0700) where there is none, and claims it.
 * @param mayBeReadOnly for whoever goes on in memory.
 * @returns its path with links followed. Throws a UserError, one sentence with the mend, when it must not be used.
 */
export function openStateDir(
  system: System,
  dir: string,
  name: Name = folderNames.state,
  mayBeReadOnly = false,
): string {
  try {
    return open(system, dir, name, mayBeReadOnly);
  } catch (error) {
    if (errorCode(error) !== "EACCES") throw fileError(`use the ${name.noun}`, dir, error);
    const sentence = `this user may not write the ${name.noun} ${dir}; run Argus with sudo, or set ${name.variable} to a folder of your own`;
    throw new UserError(sentence, { cause: error });
  }
}

/**
 * For commands that only read: the folder may be another user's, as the daemon's is for root. Does nothing while it is
 * not there, or where this user may not look. Throws as openStateDir does.
 */
export function lookIntoStateDir(system: System, dir: string, name: Name): void {
  const { files, self } = system;
  try {
    const way = wayTo(files, dir);
    if (way.status === null && way.deadLink === null) return;
    const trusted = [0, self.uid, ...(way.status === null ? [] : [way.status.uid])];
    refuseOthersLinks(way, dir, trusted, name);
    refuseOpen(way.status, dir, name);
    refuseOthersPlace(way, dir, trusted, name);
    files.claim(dir, way.path);
  } catch (error) {
    if (errorCode(error) !== "EACCES") throw fileError(`read the ${name.noun}`, dir, error);
  }
}

function open(system: System, dir: string, name: Name, mayBeReadOnly: boolean): string {
  const { files, self } = system;
  const way = wayTo(files, dir);
  const { path } = way;
  refuseOthersLinks(way, dir, [0, self.uid], name);
  if (way.status !== null) refuseUnsafe(way.status, dir, self.uid, name);
  refuseOthersPlace(way, dir, [0, self.uid], name);
  if (way.status === null) files.makeDirectory(path);
  refuseUnsafe(files.stat(path), dir, self.uid, name);
  files.claim(dir, path);
  files.claim(path, path);
  tryOut(files, path, self.pid, mayBeReadOnly);
  return path;
}

/** A folder that may be used is a folder, ours, and nobody else may put files into it. */
function refuseUnsafe(status: FileStatus | null, dir: string, uid: number, name: Name): void {
  const { noun, variable } = name;
  if (status?.kind === "directory" && status.uid !== uid)
    throw new UserError(
      `the ${noun} ${dir} belongs to uid ${status.uid}, and Argus runs as uid ${uid}; run it as that user, or set ${variable} to a folder of your own`,
    );
  refuseOpen(status, dir, name);
}

function refuseOpen(status: FileStatus | null, dir: string, { noun, variable }: Name): void {
  if (status?.kind !== "directory")
    throw new UserError(`${dir} is not a folder; move it away, or set ${variable} to another place`);
  if ((status.mode & writableByAll) !== 0)
    throw new UserError(`the ${noun} ${dir} can be written by everybody; chmod 700 ${dir}`);
  if ((status.mode & writableByGroup) !== 0)
    throw new UserError(
      `the ${noun} ${dir} can be written by its group; chmod g-w ${dir}, or set ${variable} to a folder of its own`,
    );
}

/** Somebody else's link in /tmp could lead root into any folder of root's. */
function refuseOthersLinks(
  { links, deadLink }: Way,
  dir: string,
  trusted: readonly number[],
  { noun, variable }: Name,
): void {
  const mend = `remove it, or set ${variable} to another place`;
  const link = links.find(({ uid }) => !trusted.includes(uid));
  if (link !== undefined)
    throw new UserError(
      `the ${noun} ${dir} is reached through a symbolic link of uid ${link.uid} (${link.path}); ${mend}`,
    );
  if (deadLink !== null)
    throw new UserError(
      `the ${noun} ${dir} has a symbolic link in its path that leads nowhere (${deadLink}); ${mend}`,
    );
}

function refuseOthersPlace(
  way: Way,
  dir: string,
  trusted: readonly number[],
  { noun, variable }: Name,
): void {
  const weak = weakSpot(way, trusted);
  if (weak === null) return;
  const { path, uid } = weak;
  throw new UserError(
    weak.why === "mode"
      ? `the ${noun} ${dir} lies in ${path}, which everybody can write; chmod o-w ${path}, or set ${variable} to another place`
      : `the ${noun} ${dir} lies below ${path}, which belongs to uid ${uid}, who could put another folder in its place; set ${variable} to another place`,
  );
}

/** A read-only file system says so only when asked. A full one is no reason to stop: Argus may be what frees it. */
function tryOut(files: Files, path: string, pid: number, mayBeReadOnly: boolean): void {
  const trial = `${path}/${temporaryName(".writable", pid)}`;
  try {
    files.writeExclusive(trial, "");
    files.remove(trial);
  } catch (error) {
    if (isNoRoom(error) && (mayBeReadOnly || errorCode(error) !== "EROFS")) return;
    throw error;
  }
}
