/** The folder of the manifests: which there are, which is the next, which are old. */
import { basename, join } from "node:path";
import type { Files } from "../../system/system.ts";
import { ManifestEnd } from "../../types/manifest.ts";
import { isoTime, type Moment } from "../../types/moment.ts";

/** Those of cleanings that removed something, and of the others, which would push them out. */
const keptFull = 20;
const keptEmpty = 5;
const keptBytes = 64 * 1024 * 1024;
/** More than the longest end of one. */
const endBytes = 1024;
const name = /^(\d{6,12})-\d{8}T\d{6}Z\.jsonl$/;

export const manifestFolder = (stateDir: string): string => join(stateDir, "cleanings");

/**
 * @returns paths, newest first: by their number, because a clock may be set back.
 * @throws EACCES for who may not look.
 */
export function listManifests(files: Files, stateDir: string): string[] {
  const folder = manifestFolder(stateDir);
  return files
    .list(folder, "own")
    .filter((each) => name.test(each))
    .sort((a, b) => numberOf(b) - numberOf(a))
    .map((each) => join(folder, each));
}

export function nextManifest(files: Files, stateDir: string, now: Moment): string {
  const [newest] = listManifests(files, stateDir);
  const number = newest === undefined ? 1 : numberOf(newest) + 1;
  const time = isoTime(now).replace(/[-:]|\.\d+/g, "");
  return join(manifestFolder(stateDir), `${String(number).padStart(6, "0")}-${time}.jsonl`);
}

/** By which they are counted. */
export const numberOf = (path: string): number => Number(name.exec(basename(path))?.[1] ?? 0);

/** The newest one stays, however large it is. */
export function dropOldManifests(files: Files, stateDir: string): void {
  let full = 0;
  let empty = 0;
  let bytes = 0;
  for (const path of listManifests(files, stateDir)) {
    const isEmpty = endOf(files, path)?.entries === 0;
    const sizeBytes = files.stat(path)?.sizeBytes ?? 0;
    const fits = isEmpty
      ? empty < keptEmpty
      : full === 0 || (full < keptFull && bytes + sizeBytes <= keptBytes);
    if (!fits) {
      files.remove(path);
      continue;
    }
    if (isEmpty) empty += 1;
    else full += 1;
    bytes += sizeBytes;
  }
}

/** null when it has none: the cleaning was cut off, or there was no room. */
export function endOf(files: Files, path: string): ManifestEnd | null {
  const last = (files.tryReadTail(path, endBytes) ?? "").trimEnd().split("\n").at(-1) ?? "";
  try {
    return ManifestEnd.safeParse(JSON.parse(last)).data ?? null;
  } catch {
    return null;
  }
}
