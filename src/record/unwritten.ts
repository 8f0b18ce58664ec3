/** Whether what is read here is older than what a daemon knows, because it cannot write. For commands. */
import { mountOf, parseMountInfo } from "../system/mounts.ts";
import { processAlive } from "../system/process-start.ts";
import type { Files } from "../system/system.ts";
import { utc } from "../types/quantities.ts";
import { readCycleState } from "./cycle-state.ts";

/** @returns one sentence without its end; null: it writes, or nobody runs. Throws a WorkError as readCycleState does. */
export function unwrittenSentence(
  files: Files,
  { stateDir, logDir }: { readonly stateDir: string; readonly logDir: string },
  bootId: string,
): string | null {
  // The daemon itself, asked from afar: it knows what it could not write.
  if (files.holding !== undefined) return null;
  const mounts = parseMountInfo(files.tryRead("/proc/self/mountinfo") ?? "");
  const frozen = [stateDir, logDir].find((folder) => mountOf(mounts, folder)?.readOnly === true);
  if (frozen !== undefined)
    return `${frozen} lies on a file system that is read-only: a daemon goes on in memory, and what is shown here is older (systemctl status argus says whether it runs)`;
  const state = readCycleState(files, logDir);
  if (state === null || state.unwritten === null || state.pid === null || state.pidStartTime === null)
    return null;
  if (state.bootId !== bootId || !processAlive(files, state.pid, state.pidStartTime)) return null;
  const { since, why } = state.unwritten;
  return `${why} since ${utc(since)}: Argus goes on in memory, and what is shown here is as it was then`;
}
