/**
 * The lock of a state directory whose disk takes no new byte, where `daemon.lock` cannot be written: flock(2) on the
 * empty file `daemon.flock`, and the holder in the name of another empty file. Where no file can be made either, the
 * folder itself is locked, and nobody can read who holds it.
 */
import { join } from "node:path";
import { isNoRoom } from "../system/error-code.ts";
import { type Flocked, flock } from "../system/flock.ts";
import { processAlive } from "../system/process-start.ts";
import type { Files } from "../system/system.ts";
import { isoTime } from "../types/moment.ts";
import type { LockHolder } from "./lock.ts";

const flockPath = (stateDir: string): string => join(stateDir, "daemon.flock");
const marker = /^daemon\.running\.(\d+)\.(\d+)\.(\d+)\.([\w-]+)\.([\w-]+)$/;

function markerOf({ pid, startTime, since, what, bootId }: LockHolder): string {
  const seconds = Math.floor(Date.parse(since) / 1000);
  return `daemon.running.${pid}.${startTime}.${seconds}.${what.replaceAll(" ", "_")}.${bootId}`;
}

export function lockWithoutRoom(files: Files, stateDir: string, me: LockHolder): Flocked {
  const locked = flock(files, flockPath(stateDir), stateDir);
  if (locked.kind !== "mine") return locked;
  withRoomOrNot(() => sweepMarkers(files, stateDir));
  const path = join(stateDir, markerOf(me));
  withRoomOrNot(() => files.writeExclusive(path, ""));
  return {
    kind: "mine",
    release() {
      withRoomOrNot(() => files.remove(path));
      locked.release();
    },
  };
}

/** Whether somebody has the lock in that way; takes away what one who was killed left of it. */
export function isLockedWithoutRoom(files: Files, stateDir: string): boolean {
  if (files.stat(flockPath(stateDir)) === null) return false;
  const probe = flock(files, flockPath(stateDir), stateDir);
  if (probe.kind !== "mine") return probe.kind === "held";
  withRoomOrNot(() => sweepMarkers(files, stateDir));
  probe.release();
  return false;
}

export function holderWithoutRoom(files: Files, stateDir: string, bootId: string): LockHolder | null {
  for (const name of files.list(stateDir, "own")) {
    const [, pid, startTime, seconds, what = "", boot = ""] = marker.exec(name) ?? [];
    if (pid === undefined) continue;
    const holder: LockHolder = {
      version: 1,
      pid: Number(pid),
      startTime: Number(startTime),
      bootId: boot,
      since: isoTime({ wallMs: Number(seconds) * 1000, uptimeSeconds: 0, bootId: boot }),
      what: what.replaceAll("_", " "),
      nonce: "",
    };
    if (boot === bootId && processAlive(files, holder.pid, holder.startTime)) return holder;
  }
  return null;
}

/** For whoever has the lock: all that stand there are of the dead. */
function sweepMarkers(files: Files, stateDir: string): void {
  for (const name of files.list(stateDir, "own")) if (marker.test(name)) files.remove(join(stateDir, name));
}

export function withRoomOrNot(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!isNoRoom(error)) throw error;
  }
}
