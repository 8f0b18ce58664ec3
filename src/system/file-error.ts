/** What a failed file operation means to a person, and what to do about it. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { WorkError } from "../types/errors.ts";
import { errorCode } from "./error-code.ts";

const sentences: Readonly<Record<string, readonly [what: string, mend: string]>> = {
  EACCES: ["permission denied", ""],
  EPERM: ["operation not permitted", ""],
  EROFS: [
    "the file system is read-only",
    "mount it writable, or move the folder with ARGUS_STATE_DIR and ARGUS_LOG_DIR",
  ],
  ENOSPC: [
    "no space left on the file system",
    "free some space there (argus clean --dry-run shows what may go)",
  ],
  EDQUOT: ["the disk quota is used up", "free some space, or raise the quota"],
  EFBIG: ["the file would become larger than allowed", "raise the file size limit (ulimit -f)"],
  ENOTDIR: ["a part of the path is not a folder", "move what stands there out of the way"],
  // Put there in the very moment: otherwise it was refused before.
  ELOOP: ["a symbolic link stands there", "remove it, and put the file itself there"],
  ENXIO: ["a named pipe, a socket or a device stands there", "move it out of the way"],
  EISDIR: ["a folder stands there", "move it out of the way"],
  ENOENT: ["the folder does not exist", "make it, or restart Argus, which makes it"],
  EMFILE: ["too many open files", "raise the limit of open files (ulimit -n)"],
  EIO: ["the disk reported an error", "look into dmesg: the disk may be failing"],
};

/** A clear error in place of a failed operation's; anything that is not about a file passes unchanged. */
export function fileError(doing: string, path: string, error: unknown): Error {
  const known = sentences[errorCode(error)];
  if (known === undefined) return error instanceof Error ? error : new Error(String(error));
  return new WorkError(`cannot ${doing} ${path}: ${known[0]}; ${known[1] || wayIn(path)}`, { cause: error });
}

/** Only who owns the folder is told to take the file back: to anybody else it would be advice to break an installation. */
function wayIn(path: string): string {
  const uid = process.geteuid?.() ?? 0;
  let owner: number | null = null;
  try {
    owner = statSync(dirname(path)).uid;
  } catch {
    // Closed, or no path: somebody else's.
  }
  return owner === uid
    ? "give it back to this user with chown, and its rights with chmod"
    : "run this with sudo, or as the user that owns it";
}
