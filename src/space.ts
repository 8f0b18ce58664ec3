/** What a nearly full disk leaves out: what is left belongs to the registry and the trail. */
import type { History } from "./record/history.ts";
import type { System } from "./system/system.ts";
import type { Snapshot } from "./types/snapshot.ts";

const guardBytes = 100_000_000;

/** Below 100 MB: no model, no history. */
export async function spaceIsShort({ files }: System, stateDir: string, notes: string[]): Promise<boolean> {
  const { availableBytes } = await files.statfs(stateDir);
  const short = availableBytes < guardBytes;
  if (short)
    notes.push(
      `less than 100 MB are free for ${stateDir}: history is not written, and the model is not asked`,
    );
  return short;
}

/** History is a help, not a duty: a cycle that could act and record must not fail for it. */
export function remember(history: History, snapshot: Snapshot, notes: string[]): void {
  try {
    history.save(snapshot);
  } catch (error) {
    notes.push(`the history could not be written: ${error instanceof Error ? error.message : error}`);
  }
}
