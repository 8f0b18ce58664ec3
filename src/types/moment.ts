/**
 * A point in time that survives a clock set back or forward and a reboot: wall time for people and across
 * boots, CLOCK_BOOTTIME for arithmetic within one boot.
 */
import { z } from "zod";

export const Moment = z.strictObject({
  /** Milliseconds since 1970. */
  wallMs: z.number(),
  /** Seconds since boot, suspend included. */
  uptimeSeconds: z.number(),
  bootId: z.string(),
});
export type Moment = z.infer<typeof Moment>;

/** Seconds from one moment to a later one; never negative. */
export function secondsBetween(from: Moment, to: Moment): number {
  const seconds =
    from.bootId === to.bootId ? to.uptimeSeconds - from.uptimeSeconds : (to.wallMs - from.wallMs) / 1000;
  return Math.max(0, seconds);
}

export function isoTime(moment: Moment): string {
  return new Date(moment.wallMs).toISOString().replace(/\.\d{3}Z$/, "Z");
}
