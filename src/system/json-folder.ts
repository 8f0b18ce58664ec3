/** A folder with one JSON document a file, written by us and read by us. */
import { join } from "node:path";
import type * as z from "zod";
import type { Files } from "./system.ts";

export interface Found<T> {
  readonly path: string;
  /** Name of the file. */
  readonly file: string;
  readonly value: T;
}

/** By name. What cannot be understood, or is larger than may be, is left where it is; none while there is no folder. */
export function readJsonFolder<T>(
  files: Files,
  folder: string,
  schema: z.ZodType<T>,
  mostBytes: number,
): { found: Found<T>[]; broken: string[] } {
  const found: Found<T>[] = [];
  const broken: string[] = [];
  if (files.stat(folder) === null) return { found, broken };
  for (const file of files.list(folder).sort()) {
    if (!file.endsWith(".json")) continue;
    const path = join(folder, file);
    const value = read(files, path, schema, mostBytes);
    if (value === null) broken.push(path);
    else found.push({ path, file, value });
  }
  return { found, broken };
}

function read<T>(files: Files, path: string, schema: z.ZodType<T>, mostBytes: number): T | null {
  const status = files.stat(path);
  if (status?.kind !== "file" || status.sizeBytes > mostBytes) return null;
  try {
    return schema.safeParse(JSON.parse(files.tryRead(path) ?? "")).data ?? null;
  } catch {
    return null;
  }
}
