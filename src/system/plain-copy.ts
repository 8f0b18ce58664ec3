/** A copy of a file, byte for byte. */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Makes the folder. The copy may be read by nobody who may not read the file; only root may read one of another user.
 * Throws node's errors; EEXIST when something stands there, ELOOP when the source is a link.
 */
export function copyPlainly(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  const source = openSync(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const { mode, uid } = fstatSync(source);
    const isOwn = uid === 0 || uid === process.getuid?.();
    writeFileSync(to, readFileSync(source), { flag: "wx", mode: isOwn ? mode & 0o644 : 0o600 });
  } finally {
    closeSync(source);
  }
}
