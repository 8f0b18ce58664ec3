/**
 * A file of people's, with other content: the same owner, group and mode, and never half of it. Where a link stands,
 * what it leads to is rewritten.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { temporaryName } from "./remains.ts";
import type { Files } from "./system.ts";

const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * One that is not there is made, for its owner alone to read.
 * @throws what the system says: EACCES, ENOSPC, ... The file is then as it was.
 */
export function rewriteFile(files: Files, path: string, text: string): void {
  const named = files.realPath(path);
  const standing = statSync(named, { throwIfNoEntry: false });
  const place = standing === undefined ? named : realpathSync(named);
  const beside = join(dirname(place), temporaryName(basename(place), process.pid));
  const descriptor = openSync(beside, flags, 0o600);
  try {
    try {
      const bytes = Buffer.from(text, "utf8");
      for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
      if (standing !== undefined) {
        fchownSync(descriptor, standing.uid, standing.gid);
        fchmodSync(descriptor, standing.mode & 0o7777);
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, place);
  } catch (error) {
    unlinkSync(beside);
    throw error;
  }
}
