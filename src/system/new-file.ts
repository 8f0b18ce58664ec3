/** A file that is made anew and only grows: nobody else's file is opened, no link is followed, only its owner reads it. */
import { closeSync, constants, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import type { Files } from "./system.ts";

export interface NewFile {
  /** All of it or, when that fails (ENOSPC), nothing. */
  append(text: string): void;
  /** On disk when it returns. */
  sync(): void;
  close(): void;
}

const flags =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND | constants.O_NOFOLLOW;

/** @throws EEXIST, ENOSPC, EACCES, ... */
export function createNewFile(files: Files, path: string): NewFile {
  const descriptor = openSync(files.realPath(path), flags, 0o600);
  let size = 0;
  return {
    append(text) {
      const length = Buffer.byteLength(text);
      try {
        // write(2) may take only a part, and on a disk that is filling up it does.
        let written = writeSync(descriptor, text);
        if (written < length) {
          const bytes = Buffer.from(text, "utf8");
          while (written < length) written += writeSync(descriptor, bytes, written);
        }
      } catch (error) {
        ftruncateSync(descriptor, size);
        throw error;
      }
      size += length;
    },
    sync: () => fsyncSync(descriptor),
    close: () => closeSync(descriptor),
  };
}
