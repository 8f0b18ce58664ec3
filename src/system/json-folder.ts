/** A folder with one JSON document a file, written by us and read by us. */
import { join } from "node:path";
import type * as z from "zod";
import { UserError } from "../types/errors.ts";
import { errorCode } from "./error-code.ts";
import type { FileStatus, Files } from "./system.ts";

export interface Found<T> {
  readonly path: string;
  /** Name of the file. */
  readonly file: string;
  readonly value: T;
}

/** At one look: what is more waits for the next, when these are gone. */
const mostFiles = 5000;
const mostBytesTogether = 16 * 1024 * 1024;

/**
 * By name; none while there is no folder. What cannot be understood, is larger than may be or is not Argus's alone is
 * left where it is, and is in `broken`. Of very many the first ones are read; `unread` has the names of the others. Throws a WorkError when the folder itself cannot be read.
 */
export function readJsonFolder<T>(
  files: Files,
  folder: string,
  schema: z.ZodType<T>,
  mostBytes: number,
): { found: Found<T>[]; broken: string[]; unread: string[] } {
  const found: Found<T>[] = [];
  const broken: string[] = [];
  const names = files
    .list(folder, "own")
    .filter((file) => file.endsWith(".json"))
    .sort();
  let bytes = 0;
  let looked = 0;
  for (const file of names) {
    if (looked >= mostFiles || bytes >= mostBytesTogether) break;
    looked += 1;
    const path = join(folder, file);
    const sizeBytes = fittingSize(files, path, mostBytes);
    bytes += sizeBytes ?? 0;
    const value = sizeBytes === null ? null : read(files, path, schema);
    if (value === null) broken.push(path);
    else found.push({ path, file, value });
  }
  return { found, broken, unread: names.slice(looked) };
}

function fittingSize(files: Files, path: string, mostBytes: number): number | null {
  const status = files.stat(path);
  return status?.kind === "file" && status.sizeBytes <= mostBytes ? status.sizeBytes : null;
}

function read<T>(files: Files, path: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.safeParse(JSON.parse(files.tryRead(path, "own") ?? "")).data ?? null;
  } catch {
    return null;
  }
}

/** As files are called that were set aside: what they are was said, and nobody reads them. */
const setAside = /\.(corrupt|refused)(-\d+)?$/;

/** What Argus keeps to its own user, such as its copy of argus.env, is as it should be for whoever else looks. */
const isKeptPrivate = ({ cause }: UserError, file: FileStatus | null, folder: FileStatus | null): boolean =>
  errorCode(cause) === "EACCES" &&
  file !== null &&
  (file.kind === "file" || file.kind === "directory") &&
  file.uid === folder?.uid &&
  (file.mode & 0o400) !== 0;

/** Sentences about what stands in a folder of Argus and is not Argus's; folders below it are looked into as well. */
export function refusalsIn(files: Pick<Files, "list" | "stat" | "tryReadHead">, folder: string): string[] {
  if (files.stat(folder) === null) return [];
  const names = files.list(folder, "own").filter((name) => !setAside.test(name));
  return names.flatMap((name) => {
    const path = join(folder, name);
    try {
      // Argus's folders have no dot in their names, and its files have one.
      const isFolder = !name.includes(".") && files.stat(path)?.kind === "directory";
      if (isFolder) return refusalsIn(files, path);
      files.tryReadHead(path, 0, "own");
      return [];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return isKeptPrivate(error, files.stat(path), files.stat(folder)) ? [] : [error.message];
    }
  });
}
