import { uptime } from "node:os";
import type { Clock } from "./system.ts";

/** @param bootId of the running kernel: an uptime means nothing without it. */
export function createClock(bootId: string): Clock {
  return {
    // os.uptime() reads CLOCK_BOOTTIME, which goes on during suspend and which nobody can set.
    now: () => ({ wallMs: Date.now(), uptimeSeconds: uptime(), bootId }),
    monotonicMs: () => performance.now(),
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const done = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, milliseconds);
        signal?.addEventListener("abort", done, { once: true });
      }),
  };
}
