/** The daemon that holds the state folder, and the signals that start a cycle of its own. */
import { type LockHolder, readHolder } from "../record/lock.ts";
import { effectiveUser } from "../system/proc.ts";
import type { Config } from "../types/settings.ts";
import type { Context } from "./context.ts";

export const runningDaemon = ({ system }: Context, { stateDir }: Config): LockHolder | null =>
  readHolder(system.files, stateDir, system.clock.now().bootId);

/** @returns false: no daemon runs, or this user may not signal it. */
export const wakeDaemon = (context: Context, config: Config): boolean =>
  signalDaemon(context, config, "SIGUSR1");

/** It reads its settings again before its next cycle, which begins at once. @returns as wakeDaemon. */
export const reloadDaemon = (context: Context, config: Config): boolean =>
  signalDaemon(context, config, "SIGHUP") && wakeDaemon(context, config);

function signalDaemon(context: Context, config: Config, name: "SIGUSR1" | "SIGHUP"): boolean {
  const { files, signal } = context.system;
  const daemon = runningDaemon(context, config);
  if (daemon === null || daemon.what !== "argus run") return false;
  // The lock is written by the user of the daemon, and most programs end by this signal: root sends it to no process
  // of another user, whatever stands in there.
  const uid = effectiveUser(files, daemon.pid);
  if (uid === null || uid !== files.stat(config.stateDir)?.uid) return false;
  return signal(daemon.pid, name);
}
