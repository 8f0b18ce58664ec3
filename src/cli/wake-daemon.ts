/** The daemon that holds the state folder, and the signal that starts a cycle of its own. */
import { type LockHolder, readHolder } from "../record/lock.ts";
import { effectiveUser } from "../system/proc.ts";
import type { Config } from "../types/settings.ts";
import type { Context } from "./context.ts";

export const runningDaemon = ({ system }: Context, { stateDir }: Config): LockHolder | null =>
  readHolder(system.files, stateDir, system.clock.now().bootId);

/** @returns false: no daemon runs, or this user may not signal it. */
export function wakeDaemon(context: Context, config: Config): boolean {
  const { files, signal } = context.system;
  const daemon = runningDaemon(context, config);
  if (daemon === null || daemon.what !== "argus run") return false;
  // The lock is written by the user of the daemon, and most programs end by this signal: root sends it to no process
  // of another user, whatever stands in there.
  const uid = effectiveUser(files, daemon.pid);
  if (uid === null || uid !== files.stat(config.stateDir)?.uid) return false;
  return signal(daemon.pid, "SIGUSR1");
}
