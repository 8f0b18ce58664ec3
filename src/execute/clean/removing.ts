/** The end of an entry: listed, then removed. */
import { type Directory, type Entry, remove } from "../../system/safe-tree.ts";
import type { KeptReason } from "../../types/clean.ts";
import { newestStamp } from "./age.ts";
import { rawPath } from "./guard.ts";
import type { Listed, Whole } from "./manifest.ts";
import type { Walk } from "./walk.ts";

type Removal = Pick<Walk, "folder" | "root" | "manifest" | "dryRun" | "tally">;

/** What a visit does with an entry once all below it was visited. */
export type Strike = (parent: Directory, name: string, entry: Entry) => KeptReason | null;

export function listedOf(
  walk: Removal,
  parent: Directory,
  name: string,
  entry: Entry,
  newestNs: bigint,
  sizeBytes: number,
): Listed {
  const { folder, root } = walk;
  return { entry, sizeBytes, path: rawPath(folder, root, parent, name), newestNs, root: folder.path };
}

/** The one place where a forecast and the deed part. Nothing goes before it is listed. */
export function removing(
  walk: Removal,
  unit: { bytes: number; entries: number },
  whole: Whole | null,
): Strike {
  return (parent, name, entry) => {
    if (!walk.dryRun && !removeListed(walk, parent, name, entry, whole)) return "changed";
    unit.bytes += walk.tally.freedBy(entry);
    unit.entries += 1;
    return null;
  };
}

function removeListed(
  walk: Removal,
  parent: Directory,
  name: string,
  entry: Entry,
  whole: Whole | null,
): boolean {
  const { manifest } = walk;
  if (manifest === null) return remove(parent, name, entry);
  let listed: Listed | null = null;
  let gone = false;
  try {
    gone = remove(parent, name, entry, (sizeBytes) => {
      listed = listedOf(walk, parent, name, entry, newestStamp(entry, true), sizeBytes);
      manifest.list(listed, whole);
    });
  } finally {
    if (gone && whole !== null) whole.gone += 1;
    else if (!gone && listed !== null) manifest.stayed(listed);
  }
  return gone;
}
