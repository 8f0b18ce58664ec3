/** Reading the newest manifest back. */
import { linesOldestFirst } from "../../system/lines.ts";
import type { Files } from "../../system/system.ts";
import { ManifestEnd, ManifestEntry, ManifestHead, ManifestStayed } from "../../types/manifest.ts";
import { endOf, listManifests, numberOf } from "./manifest-folder.ts";

export interface LastCleaning {
  readonly file: string;
  readonly head: ManifestHead;
  readonly entries: readonly ManifestEntry[];
  /** null: it was cut off, or there was no room for the end. */
  readonly end: ManifestEnd | null;
  /** Later cleanings, which removed nothing. */
  readonly laterEmpty: number;
}

/**
 * The last cleaning that removed something; where none did, the last one. null: there was none.
 * @throws EACCES for who may not read it.
 */
export function readLastCleaning(files: Files, stateDir: string): LastCleaning | null {
  const all = listManifests(files, stateDir);
  const full = all.findIndex((path) => endOf(files, path)?.entries !== 0);
  const [newest] = all;
  const file = all[full] ?? newest;
  if (file === undefined || newest === undefined) return null;
  const last = parse(file, linesOldestFirst(files, [file]), numberOf(newest) - numberOf(file));
  // Pushed out by the cleaning of this moment.
  if (last === null && files.stat(file) === null) return readLastCleaning(files, stateDir);
  return last;
}

/** A torn last line is left out: the entry that it was about was not removed. */
function parse(file: string, lines: Iterable<string>, laterEmpty: number): LastCleaning | null {
  let head: ManifestHead | null = null;
  let end: ManifestEnd | null = null;
  const entries: ManifestEntry[] = [];
  for (const line of lines) {
    const value = jsonOf(line);
    if (ManifestStayed.safeParse(value).success) entries.pop();
    else {
      head ??= ManifestHead.safeParse(value).data ?? null;
      end = ManifestEnd.safeParse(value).data ?? end;
      const entry = ManifestEntry.safeParse(value);
      if (entry.success) entries.push(entry.data);
    }
  }
  return head === null ? null : { file, head, entries, end, laterEmpty };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
