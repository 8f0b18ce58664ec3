/** What the pulse sees between two cycles: facts of the snapshot, or parts of them. */
import type { Disk, Memory, Pressure, Swap } from "./facts.ts";

export interface PulseFacts {
  readonly memory: Memory;
  /**
   * Without rates: over five seconds they are other figures than a cycle's over its interval, and a burst that passes
   * a threshold here would be nothing when the cycle looks.
   */
  readonly swap: Pick<Swap, "totalBytes" | "usedBytes" | "usedPercent">;
  /** Missing where the kernel has no such figures. */
  readonly pressure?: Pressure;
  /** Missing: not all of them have answered in time. */
  readonly disk?: readonly Disk[];
}
