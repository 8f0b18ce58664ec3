/** Where argus.env is read: the copy that systemd hands to a service that may not read the file itself, else the file. */
import { dirname, join } from "node:path";
import type { EnvFile } from "./env-file.ts";
import type { Fault } from "./json-source.ts";
import { reach } from "./reach.ts";
import { RefusedFile } from "./refused.ts";
import type { Files } from "./system.ts";

export interface EnvPlace {
  readonly path: string;
  /** systemd found no file at the start of the service, and handed over a word in its place. */
  readonly isLeftOut: boolean;
  /** What is changed in the file counts after a restart only. */
  readonly isHandedOver: boolean;
}

/** SetCredential= of the units: with a file that is not there, LoadCredential= alone would keep them from starting. */
const leftOut = "#not-found";

/** @param folder CREDENTIALS_DIRECTORY of systemd.exec(5), empty where there is none. */
export function envPlace(files: Files, settingsFile: string, folder: string): EnvPlace {
  const beside = { path: join(dirname(settingsFile), "argus.env"), isLeftOut: false, isHandedOver: false };
  if (folder === "") return beside;
  const path = join(folder, "argus.env");
  // systemd 252 does not show it to what it runs for a reload.
  if (["nothing", "forbidden"].includes(reach(files, path).kind)) return beside;
  if (holdsWord(files, path)) return { ...beside, isLeftOut: true, isHandedOver: true };
  return { path, isLeftOut: false, isHandedOver: true };
}

function holdsWord(files: Files, path: string): boolean {
  try {
    return files.tryReadHead(path, leftOut.length + 2)?.trim() === leftOut;
  } catch (error) {
    // What else may be there is said where it is read.
    if (error instanceof RefusedFile) return false;
    throw error;
  }
}

/** A file that is there again, and not handed over yet, or none. What else stands there has a fault of its own. */
export function leftOutFile(files: Files, path: string): EnvFile | null {
  if (!["file", "nothing", "forbidden"].includes(reach(files, path).kind)) return null;
  const message = `${path} was missing when Argus was started; put it there (it may be empty), then: sudo systemctl restart argus`;
  const fault: Fault = { file: path, line: 0, path: "", message };
  return { path, state: "absent", text: null, values: new Map(), faults: [fault], notes: [] };
}
