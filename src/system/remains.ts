/** Files that a process began to write beside their place and was killed before it could put them there. */
import { join } from "node:path";
import type { Files } from "./system.ts";

/** As `writeAtomic` names them: the file, the process, a number. */
const pattern = /^(.+)\.(\d+)-\d+\.tmp$/;

/** Removes those of processes that are gone. @param of of this file alone; left out: of every file in the folder. */
export function removeRemains(files: Files, folder: string, of?: string): void {
  try {
    for (const name of files.list(folder)) {
      const [, file, pid] = pattern.exec(name) ?? [];
      if (pid === undefined || (of !== undefined && file !== of)) continue;
      if (files.stat(`/proc/${pid}`) === null) files.remove(join(folder, name));
    }
  } catch {
    // Not there, or not ours to tidy: they are in nobody's way.
  }
}
