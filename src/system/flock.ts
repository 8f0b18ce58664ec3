/**
 * flock(2), which Node lacks. flock(1) locks the descriptor that it inherits, and the lock then belongs to the open file
 * that this process shares with it: it needs no byte on the disk, and the kernel takes it back however this process ends.
 */
import { spawnSync } from "node:child_process";
import { closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync } from "node:fs";
import { isNoRoom } from "./error-code.ts";
import type { Files } from "./system.ts";

export type Flocked =
  | {
      readonly kind: "mine";
      /** Takes the file away as well. */
      release(): void;
    }
  | { readonly kind: "held" }
  /** There is no flock(1), or the file system knows no locks. */
  | { readonly kind: "unknown"; readonly why: string };

const safely = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * @param path of an empty file, made where there is none. Where not even that can be (no inode is left, or the file
 * system is read-only), the folder itself is locked.
 * @throws what keeps both from being opened.
 */
export function flock(files: Files, path: string, folder: string): Flocked {
  for (;;) {
    const isFolder = !made(files, path);
    // With the dot a link to the folder is followed.
    const real = files.realPath(isFolder ? folder : path) + (isFolder ? "/." : "");
    const descriptor = openSync(real, isFolder ? safely | constants.O_DIRECTORY : safely);
    const answer = lockIt(descriptor);
    if (answer !== "mine") {
      closeSync(descriptor);
      return answer === "held" ? { kind: "held" } : { kind: "unknown", why: answer };
    }
    // Whoever had it before may have taken the file away, and another one has a new file of that name by now.
    const isSame = lstatSync(real, { throwIfNoEntry: false })?.ino === fstatSync(descriptor).ino;
    if (isSame)
      return {
        kind: "mine",
        release() {
          try {
            if (!isFolder) unlinkSync(real);
          } catch (error) {
            // Then it stays, empty and unlocked.
            if (!isNoRoom(error)) throw error;
          } finally {
            closeSync(descriptor);
          }
        },
      };
    closeSync(descriptor);
  }
}

/** Of its owner alone: whoever may read a file may lock it. @returns whether there is one. */
function made(files: Files, path: string): boolean {
  if (files.stat(path)?.kind === "file") return true;
  try {
    files.writeExclusive(path, "", 0o600);
    return true;
  } catch (error) {
    if (isNoRoom(error)) return false;
    if (files.stat(path)?.kind === "file") return true;
    throw error;
  }
}

function lockIt(descriptor: number): "mine" | "held" | string {
  const { status, stderr, error } = spawnSync("flock", ["-n", "3"], {
    stdio: ["ignore", "ignore", "pipe", descriptor],
    encoding: "utf8",
    timeout: 5_000,
  });
  if (error !== undefined) return error.message;
  if (status === 0) return "mine";
  return status === 1 && stderr.trim() === "" ? "held" : stderr.trim() || `status ${status}`;
}
