/** What a nearly full disk leaves out: what is left belongs to the registry and the trail. */
import type { History } from "./record/history.ts";
import type { System } from "./system/system.ts";
import type { Snapshot } from "./types/snapshot.ts";
import type { TrailCycle } from "./types/trail.ts";

const guardBytes = 100_000_000;

/** What `unkeptNote` knows the two by. */
const guarded = ": history is not written";
const failed = "the history could not be written";

/** Below 100 MB: no model, no history. */
export async function spaceIsShort({ files }: System, stateDir: string, notes: string[]): Promise<boolean> {
  const { availableBytes } = await files.statfs(stateDir);
  const short = availableBytes < guardBytes;
  if (short) notes.push(`less than 100 MB are free for ${stateDir}${guarded}, and the model is not asked`);
  return short;
}

/** What the newest cycle says of a snapshot that it did not keep, one sentence; null: it kept it. */
export const unkeptNote = ({ notes }: Pick<TrailCycle, "notes">): string | null =>
  notes.find((note) => note.includes(guarded) || note.startsWith(failed)) ?? null;

/** History is a help, not a duty: a cycle that could act and record must not fail for it. */
export function remember(history: History, snapshot: Snapshot, notes: string[]): void {
  try {
    history.save(snapshot);
  } catch (error) {
    notes.push(`${failed}: ${error instanceof Error ? error.message : error}`);
  }
}
