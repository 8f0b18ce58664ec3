/** What may not stand in the place of a file or folder of Argus, and the sentence that says so. */
import type { Stats } from "node:fs";
import { WorkError } from "../types/errors.ts";

/** Nothing was read from it or written to it. The message is one sentence with the fix. */
export class RefusedFile extends WorkError {
  override name = "RefusedFile";
  /** A pipe, a socket, a device or a folder: nothing in it can be lost by moving it away. */
  readonly isNoFile: boolean;
  constructor(message: string, isNoFile = false, options?: ErrorOptions) {
    super(message, options);
    this.isNoFile = isNoFile;
  }
}

/** What is read as a whole is never so large; what grows is read by lines. */
export const mostWholeBytes = 32 * 1024 * 1024;

export const tooLarge = (path: string, sizeBytes: number): RefusedFile =>
  new RefusedFile(
    `${path} has ${Math.round(sizeBytes / 1e6)} MB, which is more than Argus ever writes there; move it away`,
  );

const writableByOthers = 0o022;
const writableByAll = 0o002;
const sticky = 0o1000;

type Kind = Pick<Stats, "isFIFO" | "isSocket" | "isDirectory" | "isFile" | "isSymbolicLink">;

export function kindName(status: Kind): string {
  if (status.isSymbolicLink()) return "a symbolic link";
  if (status.isDirectory()) return "a folder";
  if (status.isFIFO()) return "a named pipe";
  if (status.isSocket()) return "a socket";
  return status.isFile() ? "a file" : "a device";
}

/**
 * @param owners whose file it may be; the first one is named in the fix.
 * @param use `append` also refuses a file with a second name: what is written would change a file elsewhere.
 * @returns null: it is a file of Argus's own.
 */
export function fileRefusal(
  path: string,
  status: Stats,
  owners: readonly number[],
  use: "read" | "append",
): RefusedFile | null {
  if (status.isSymbolicLink())
    return new RefusedFile(
      `${path} is a symbolic link, and Argus follows none among its own files; put the file itself there, or remove the link`,
    );
  if (!status.isFile())
    return new RefusedFile(`${path} is ${kindName(status)}, not a regular file; move it away`, true, {
      // As the system says it: whoever knows what was to be done there makes a better sentence of it.
      cause: status.isDirectory() ? Object.assign(new Error("EISDIR"), { code: "EISDIR" }) : undefined,
    });
  if (!owners.includes(status.uid))
    return new RefusedFile(
      `${path} belongs to uid ${status.uid}, not to uid ${owners[0]}, so it is not Argus's; move it away, or chown ${owners[0]} ${path}`,
    );
  if ((status.mode & writableByOthers) !== 0)
    return new RefusedFile(
      `${path} can be written by others than its owner (mode ${modeText(status)}); look through it, then chmod 600 ${path}, or move it away`,
    );
  if (use === "append" && status.nlink > 1)
    return new RefusedFile(
      `${path} has ${status.nlink} names (hard links), and what is written to it would change a file elsewhere; cp -p ${path} ${path}.copy && mv ${path}.copy ${path}, or move it away`,
    );
  return null;
}

/**
 * @param owners whose folder it may be; the first one is named in the fix.
 * @param isOurs Argus's alone; otherwise one that the settings name, which a group may share, and /tmp.
 */
export function folderRefusal(
  path: string,
  status: Stats,
  owners: readonly number[],
  isOurs: boolean,
): RefusedFile | null {
  if (!status.isDirectory())
    return new RefusedFile(
      `${path} is ${kindName(status)}, where a folder of Argus must stand; move it away`,
    );
  if (!owners.includes(status.uid))
    return new RefusedFile(
      `the folder ${path} belongs to uid ${status.uid}, not to uid ${owners[0]}, so it is not Argus's; run Argus as that user, or move the folder away`,
    );
  return isOpenToAll(status) || (isOurs && (status.mode & writableByOthers) !== 0)
    ? new RefusedFile(
        `the folder ${path} can be written by others than its owner (mode ${modeText(status)}); chmod go-w ${path}`,
      )
    : null;
}

/** Whoever may write a folder can put something else in the place of what is in it, unless the sticky bit is set. */
export const isOpenToAll = ({ mode }: { readonly mode: number }): boolean =>
  (mode & writableByAll) !== 0 && (mode & sticky) === 0;

const modeText = ({ mode }: Stats): string => `0${(mode & 0o777).toString(8)}`;
