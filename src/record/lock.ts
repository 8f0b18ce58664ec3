/**
 * One Argus per state directory: `daemon.lock`. Node has no flock(2), so the lock is a file that names its holder by
 * pid, start time and boot: when that process is gone, the lock is stale and may be taken over.
 *
 * Two who see the same stale lock must not both get it, and whoever is slow must not remove the lock of whoever was
 * quick. Every lock carries a random nonce, and a stale one may be replaced only by whoever holds the lock
 * `daemon.lock.<nonce>`, after having looked once more that the stale one still stands. That inner lock is taken in
 * the same way; should its holder die in the middle, it is itself a stale lock like any other. A lock is created with
 * link(2), which fails when the name exists and never shows a half-written file, and replaced with rename(2).
 *
 * A disk without room takes no such file: then it is locked as lock-without-room.ts says, until there is room. Whoever
 * took one lock looks at the other one afterwards, so that of two who are there at once not both go on.
 */
import { createHash, randomUUID } from "node:crypto";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { isNoRoom } from "../system/error-code.ts";
import { fileError } from "../system/file-error.ts";
import { errorCode } from "../system/files.ts";
import { processAlive, processStart } from "../system/process-start.ts";
import { RefusedFile } from "../system/refused.ts";
import type { Files, System } from "../system/system.ts";
import { WorkError } from "../types/errors.ts";
import { isoTime } from "../types/moment.ts";
import { utc } from "../types/quantities.ts";
import {
  holderWithoutRoom,
  isLockedWithoutRoom,
  lockWithoutRoom,
  withRoomOrNot,
} from "./lock-without-room.ts";

export const LockHolder = z.object({
  version: z.literal(1),
  pid: z.number().int().positive(),
  startTime: z.number().int().nonnegative(),
  bootId: z.string(),
  /** ISO 8601, UTC. */
  since: z.string(),
  /** The command, for people: `argus run`. */
  what: z.string(),
  nonce: z.string(),
});
export type LockHolder = z.infer<typeof LockHolder>;

export interface Lock {
  /** No error when it was removed by hand. */
  release(): void;
  /**
   * Writes `daemon.lock` where there was no room for it and is now. Throws a WorkError when an Argus that knows no other
   * lock took it meanwhile: this one must end.
   */
  settle(): void;
}

export const lockPath = (stateDir: string): string => join(stateDir, "daemon.lock");

/** Waiting for somebody who is taking over a stale lock: milliseconds of work, unless the machine is overloaded. */
const pauseMs = 20;
const mostPauses = 250;

/** @throws UserError that names the holder. */
export async function acquireLock(system: System, stateDir: string, what: string): Promise<Lock> {
  const { files, clock, self } = system;
  const path = lockPath(stateDir);
  const { bootId } = clock.now();
  const startTime = processStart(files, self.pid);
  if (startTime === null)
    throw new WorkError(`cannot read /proc/${self.pid}/stat; mount /proc, Argus needs it`);
  /** A lock that is written later, when there is room, still says since when this process runs. */
  const since = isoTime(clock.now());
  const me = (): LockHolder => ({
    version: 1,
    pid: self.pid,
    startTime,
    bootId,
    since,
    what,
    nonce: randomUUID(),
  });

  try {
    for (let pauses = 0; ; pauses += 1) {
      const taken = take(files, path, me, bootId);
      if (taken.kind === "mine") {
        sweep(files, path, bootId);
        if (isLockedWithoutRoom(files, stateDir)) {
          release(files, path, taken.text);
          throw alreadyRunning(stateDir, holderWithoutRoom(files, stateDir, bootId));
        }
        return { release: () => release(files, path, taken.text), settle: () => undefined };
      }
      if (taken.kind === "held") throw alreadyRunning(stateDir, taken.holder);
      if (pauses >= mostPauses)
        throw new WorkError(`${path} is being taken over by others again and again; try once more`);
      await clock.sleep(pauseMs);
    }
  } catch (error) {
    const lock = isNoRoom(error) ? lockedWithoutRoom(files, stateDir, me, bootId) : null;
    if (lock !== null) return lock;
    throw fileError("lock", path, error);
  }
}

/** Somebody else has the lock. */
export class AlreadyRunning extends WorkError {
  /** null: nobody knows who. */
  readonly holder: LockHolder | null;
  constructor(message: string, holder: LockHolder | null) {
    super(message);
    this.holder = holder;
  }
}

function alreadyRunning(stateDir: string, holder: LockHolder | null): AlreadyRunning {
  const who = holder === null ? "" : `: pid ${holder.pid} (${holder.what}) since ${utc(holder.since)}`;
  return new AlreadyRunning(`Argus is already running on ${stateDir}${who}`, holder);
}

/** @returns null: that cannot be done here. Throws a WorkError that names the holder. */
function lockedWithoutRoom(
  files: Files,
  stateDir: string,
  me: () => LockHolder,
  bootId: string,
): Lock | null {
  const path = lockPath(stateDir);
  const locked = lockWithoutRoom(files, stateDir, me());
  if (locked.kind === "unknown") return null;
  if (locked.kind === "held") throw alreadyRunning(stateDir, readHolder(files, stateDir, bootId));
  const before = parse(files.tryRead(path, "own"));
  if (before !== null && isAlive(files, before, bootId)) {
    locked.release();
    throw alreadyRunning(stateDir, before);
  }
  let text: string | null = null;
  withRoomOrNot(() => sweep(files, path, bootId));
  return {
    release: () => (text === null ? locked.release() : release(files, path, text)),
    settle: () =>
      withRoomOrNot(() => {
        if (text !== null) return;
        const taken = take(files, path, me, bootId);
        if (taken.kind === "held") throw alreadyRunning(stateDir, taken.holder);
        if (taken.kind !== "mine") return;
        text = taken.text;
        locked.release();
      }),
  };
}

/** Who runs on this state directory now; null when nobody does. Throws a WorkError when the lock cannot be read. */
export function readHolder(files: Files, stateDir: string, bootId: string): LockHolder | null {
  const holder = parse(files.tryRead(lockPath(stateDir), "own"));
  if (holder !== null && isAlive(files, holder, bootId)) return holder;
  return holderWithoutRoom(files, stateDir, bootId);
}

type Taken =
  | { readonly kind: "mine"; readonly text: string }
  | { readonly kind: "held"; readonly holder: LockHolder }
  /** Somebody else was quicker, and it is not yet decided for whom. */
  | { readonly kind: "again" };

function take(files: Files, path: string, me: () => LockHolder, bootId: string): Taken {
  const text = `${JSON.stringify(me())}\n`;
  const temporary = `${path}.new-${randomUUID()}`;
  files.writeExclusive(temporary, text);
  try {
    const answer = linked(files, temporary, path);
    if (answer === "yes") return { kind: "mine", text };
    if (answer === "swept") return { kind: "again" };
    const stale = files.tryRead(path, "own");
    if (stale === null) return { kind: "again" };
    const holder = parse(stale);
    if (holder !== null && isAlive(files, holder, bootId)) return { kind: "held", holder };

    const inner = `${path}.${holder?.nonce ?? createHash("sha256").update(stale).digest("hex").slice(0, 16)}`;
    const right = take(files, inner, me, bootId);
    if (right.kind !== "mine") return { kind: "again" };
    try {
      if (files.tryRead(path, "own") !== stale) return { kind: "again" };
      files.rename(temporary, path);
      return { kind: "mine", text };
    } finally {
      release(files, inner, right.text);
    }
  } finally {
    files.remove(temporary);
  }
}

/** `swept`: whoever got the lock in the meantime took our file for remains. */
function linked(files: Files, existing: string, path: string): "yes" | "exists" | "swept" {
  try {
    files.link(existing, path);
    return "yes";
  } catch (error) {
    if (errorCode(error) === "EEXIST") return "exists";
    if (errorCode(error) === "ENOENT") return "swept";
    throw error;
  }
}

function release(files: Files, path: string, text: string): void {
  try {
    if (files.tryRead(path, "own") === text) files.remove(path);
  } catch (error) {
    // What somebody put in its place is not this process's to remove; the next one who wants the lock says so.
    if (!(error instanceof RefusedFile)) throw error;
  }
}

function parse(text: string | null): LockHolder | null {
  try {
    return LockHolder.safeParse(JSON.parse(text ?? "")).data ?? null;
  } catch {
    return null;
  }
}

function isAlive(files: Files, holder: LockHolder, bootId: string): boolean {
  return holder.bootId === bootId && processAlive(files, holder.pid, holder.startTime);
}

/** What the dead left beside the lock. Whoever lives removes its own. */
function sweep(files: Files, path: string, bootId: string): void {
  const start = `${basename(path)}.`;
  for (const name of files.list(dirname(path), "own")) {
    if (!name.startsWith(start)) continue;
    const remains = join(dirname(path), name);
    try {
      const holder = parse(files.tryRead(remains, "own"));
      if (holder === null || !isAlive(files, holder, bootId)) files.remove(remains);
    } catch (error) {
      // Nobody of us made it, and it is in nobody's way.
      if (!(error instanceof RefusedFile)) throw error;
    }
  }
}
