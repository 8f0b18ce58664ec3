/** A copy of a file, byte for byte. */
import { constants, copyFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** Makes the folder. Throws node's errors; EEXIST when something stands there. Follows links of the source. */
export function copyPlainly(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  copyFileSync(from, to, constants.COPYFILE_EXCL);
}
