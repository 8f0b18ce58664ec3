/**
 * A point in time that survives a clock set back or forward and a reboot: wall time for people and across
 * boots, CLOCK_BOOTTIME for arithmetic within one boot.
 */
import * as z from "zod";

export const Moment = z.strictObject({
  /** Milliseconds since 1970. */
  wallMs: z.number(),
  /** Seconds since boot, suspend included. */
  uptimeSeconds: z.number(),
  bootId: z.string(),
});
export type Moment = z.infer<typeof Moment>;

/** Seconds from one moment to a later one; never negative. Across a reboot it believes the wall clock. */
export function secondsBetween(from: Moment, to: Moment): number {
  if (from.bootId === to.bootId || kernelWentOn(from, to))
    return Math.max(0, to.uptimeSeconds - from.uptimeSeconds);
  // A moment of an earlier boot lies before this boot, whatever the wall clock said then.
  return Math.max(to.uptimeSeconds, (to.wallMs - from.wallMs) / 1000);
}

/**
 * Seconds that have surely passed from one moment to a later one, however the wall clock was set in between: across
 * a reboot only the time since that boot counts. For budgets and delays, which must never come out too short.
 */
export function secondsAtLeast(from: Moment, to: Moment): number {
  const sameBoot = from.bootId === to.bootId && to.uptimeSeconds >= from.uptimeSeconds;
  return sameBoot || kernelWentOn(from, to) ? to.uptimeSeconds - from.uptimeSeconds : to.uptimeSeconds;
}

/**
 * A container that is restarted has another boot id, while the uptime is that of its kernel, which went on: the time
 * since boot says nothing there. Wall clock and uptime then agree about what has passed. They do not after a reboot,
 * unless the earlier moment lies in the first minute of its boot, and then a minute at most is missing.
 */
function kernelWentOn(from: Moment, to: Moment): boolean {
  const passedSeconds = to.uptimeSeconds - from.uptimeSeconds;
  const disagreementSeconds = (to.wallMs - from.wallMs) / 1000 - passedSeconds;
  return passedSeconds >= 0 && Math.abs(disagreementSeconds) <= 60;
}

/**
 * Now, as if nobody had set the clock forward since `anchor`: whatever goes by age must not take a day for a month
 * because a time server was wrong. A clock set back is believed: things only look younger.
 */
export function withoutLeap(anchor: Moment, now: Moment): Moment {
  if (anchor.bootId !== now.bootId) return now;
  const steadyMs = anchor.wallMs + (now.uptimeSeconds - anchor.uptimeSeconds) * 1000;
  return steadyMs < now.wallMs ? { ...now, wallMs: steadyMs } : now;
}

export function isoTime(moment: Moment): string {
  return new Date(moment.wallMs).toISOString().replace(/\.\d{3}Z$/, "Z");
}
