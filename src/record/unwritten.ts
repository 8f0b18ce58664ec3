/** Whether what is read here is older than what a daemon knows, because it cannot write. For commands. */
import { mountOf, parseMountInfo } from "../system/mounts.ts";
import { processAlive } from "../system/process-start.ts";
import type { Files } from "../system/system.ts";
import { readCycleState } from "./cycle-state.ts";

/** @returns one sentence without its end; null: it writes, or nobody runs. Throws a WorkError as readCycleState does. */
export function unwrittenSentence(
  files: Files,
  { stateDir, logDir }: { readonly stateDir: string; readonly logDir: string },
  bootId: string,
): string | null {
  const state = readCycleState(files, logDir);
  if (state?.unwritten && state.pid !== null && state.pidStartTime !== null && state.bootId === bootId) {
    const { since, why } = state.unwritten;
    if (processAlive(files, state.pid, state.pidStartTime))
      return `${why} since ${since}: Argus goes on in memory, and what is shown here is as it was then`;
  }
  const mounts = parseMountInfo(files.tryRead("/proc/self/mountinfo") ?? "");
  const frozen = [stateDir, logDir].find((folder) => mountOf(mounts, folder)?.readOnly === true);
  if (frozen === undefined) return null;
  return `${frozen} lies on a file system that is read-only: a daemon goes on in memory, and what is shown here is older (systemctl status argus says whether it runs)`;
}
