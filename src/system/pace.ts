/** Long work inside a daemon: rests for other work every few milliseconds, and ends where it rests. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "./system.ts";

export interface Pace {
  /** Whether it is time to rest. Cheap enough to ask for every entry. */
  due(): boolean;
  /** Lets other work run. Throws the signal's reason when it was aborted. */
  rest(): Promise<void>;
}

/** @param sliceMs work between two rests; the daemon's other timers are late by as much. */
export function createPace(clock: Clock, signal: AbortSignal, sliceMs = 10): Pace {
  let until = clock.monotonicMs() + sliceMs;
  return {
    due: () => clock.monotonicMs() >= until,
    async rest() {
      await setImmediate();
      signal.throwIfAborted();
      until = clock.monotonicMs() + sliceMs;
    },
  };
}
