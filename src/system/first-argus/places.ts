/** Reading below folders of another user, as root: no link is followed, and nothing is opened that is not theirs. */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { errorCode } from "../error-code.ts";

/** A folder that is open, so that it stays the same whoever moves it. */
export interface Place {
  readonly path: string;
  readonly descriptor: number;
  /** Regular files, by name. Others, and files of strangers, are in `refused` as clauses. */
  readonly files: readonly string[];
  readonly refused: readonly string[];
}

/** @param owners who may have written what is taken. null: no folder, a link, or another user's. */
export function openPlace(path: string, owners: ReadonlySet<number>): Place | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "EACCES"].includes(errorCode(error))) return null;
    throw error;
  }
  // A link on the way would lead to a folder of another name.
  if (readlinkSync(`/proc/self/fd/${descriptor}`) !== path || !owners.has(fstatSync(descriptor).uid)) {
    closeSync(descriptor);
    return null;
  }
  const files: string[] = [];
  const refused: string[] = [];
  for (const name of readdirSync(`/proc/self/fd/${descriptor}`).sort()) {
    const why = refusal(lstatSync(`/proc/self/fd/${descriptor}/${name}`, { throwIfNoEntry: false }), owners);
    if (why === null) files.push(name);
    else if (why !== "") refused.push(`${join(path, name)} ${why}`);
  }
  return { path, descriptor, files, refused };
}

/** A clause; empty: a folder, or gone. */
function refusal(status: Stats | undefined, owners: ReadonlySet<number>): string | null {
  if (status === undefined || status.isDirectory()) return "";
  if (status.isSymbolicLink()) return "is a link";
  if (!status.isFile()) return "is no regular file";
  if (!owners.has(status.uid)) return `belongs to another user (uid ${status.uid})`;
  // A second name may be that of somebody else's file.
  return status.nlink === 1 ? null : "has a second name";
}

function openFile({ descriptor }: Place, name: string, owners: ReadonlySet<number>): number {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = openSync(`/proc/self/fd/${descriptor}/${name}`, flags);
  if (refusal(fstatSync(file), owners) === null) return file;
  closeSync(file);
  throw new Error(`${name} was replaced while it was read`);
}

const chunkBytes = 1 << 20;

/** Makes the folder of `to`, which must not exist. Throws node's errors (ENOSPC). */
export function copyFrom(
  place: Place,
  name: string,
  owners: ReadonlySet<number>,
  to: string,
  mode: number,
): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o750 });
  const from = openFile(place, name, owners);
  try {
    const into = openSync(to, "wx", 0o600);
    try {
      const buffer = Buffer.alloc(chunkBytes);
      for (let got = readSync(from, buffer); got > 0; got = readSync(from, buffer))
        for (let put = 0; put < got; ) put += writeSync(into, buffer, put, got - put);
      fchmodSync(into, mode);
    } finally {
      closeSync(into);
    }
  } finally {
    closeSync(from);
  }
}

/** With secrets in it. Fails with EEXIST when the path exists. */
export function writeNew(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { flag: "wx", mode: 0o600 });
}

/** Of a small file. null: larger than that. */
export function readFrom(
  place: Place,
  name: string,
  owners: ReadonlySet<number>,
  mostBytes: number,
): string | null {
  const file = openFile(place, name, owners);
  try {
    if (fstatSync(file).size > mostBytes) return null;
    const buffer = Buffer.alloc(mostBytes);
    return buffer.toString("utf8", 0, readSync(file, buffer, 0, mostBytes, 0));
  } finally {
    closeSync(file);
  }
}

/** The first of its bytes. */
export function headFrom(place: Place, name: string, owners: ReadonlySet<number>, bytes: number): string {
  const file = openFile(place, name, owners);
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.toString("utf8", 0, readSync(file, buffer, 0, bytes, 0));
  } finally {
    closeSync(file);
  }
}

/** @returns the folder with its links followed, and its owner; null: there is none. */
export function folderAt(path: string): { readonly path: string; readonly uid: number } | null {
  try {
    const real = realpathSync(path);
    const status = lstatSync(real);
    return status.isDirectory() ? { path: real, uid: status.uid } : null;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "EACCES"].includes(errorCode(error))) return null;
    throw error;
  }
}
