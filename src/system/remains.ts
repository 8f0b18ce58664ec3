/** Files that a process began to write beside their place and was killed before it could put them there. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Files } from "./system.ts";

/** For a file that is written beside its place: in a folder that others can write too, nobody can be there before us. */
export const temporaryName = (file: string, pid: number): string =>
  `${file}.${pid}-${randomBytes(6).toString("hex")}.tmp`;

/** As `temporaryName` names them: the file, the process, what nobody can guess. */
const pattern = /^(.+)\.(\d+)-[0-9a-f]+\.tmp$/;

/** Removes those of processes that are gone. @param of of this file alone; left out: of every file in the folder. */
export function removeRemains(files: Files, folder: string, of?: string): void {
  try {
    for (const name of files.list(folder, "own")) {
      const [, file, pid] = pattern.exec(name) ?? [];
      if (pid === undefined || (of !== undefined && file !== of)) continue;
      if (files.stat(`/proc/${pid}`) === null) files.remove(join(folder, name));
    }
  } catch {
    // Not there, or not ours to tidy: they are in nobody's way.
  }
}
