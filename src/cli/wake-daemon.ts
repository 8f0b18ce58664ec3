/** The daemon that holds the state folder, and the signals that start a cycle of its own. */
import { type LockHolder, readHolder } from "../record/lock.ts";
import { effectiveUser } from "../system/proc.ts";
import type { Config } from "../types/settings.ts";
import type { Context } from "./context.ts";

export const runningDaemon = ({ system }: Context, { stateDir }: Config): LockHolder | null =>
  readHolder(system.files, stateDir, system.clock.now().bootId);

/**
 * The daemon, when it runs as the user of the state. The lock is written by that user, and may name any process: of one of
 * another user nothing is expected.
 */
export function ownDaemon(context: Context, config: Config): LockHolder | null {
  const { files } = context.system;
  const daemon = runningDaemon(context, config);
  if (daemon === null || daemon.what !== "argus run") return null;
  const uid = effectiveUser(files, daemon.pid);
  return uid === null || uid !== files.stat(config.stateDir)?.uid ? null : daemon;
}

/** @returns false: no daemon runs, or this user may not signal it. */
export const wakeDaemon = (context: Context, config: Config): boolean =>
  signalDaemon(context, config, "SIGUSR1");

/** It reads its settings again before its next cycle, which begins at once. @returns as wakeDaemon. */
export const reloadDaemon = (context: Context, config: Config): boolean =>
  signalDaemon(context, config, "SIGHUP") && wakeDaemon(context, config);

function signalDaemon(context: Context, config: Config, name: "SIGUSR1" | "SIGHUP"): boolean {
  // Most programs end by these signals: root sends them to no process of another user, whatever stands in the lock.
  const daemon = ownDaemon(context, config);
  return daemon !== null && context.system.signal(daemon.pid, name);
}
