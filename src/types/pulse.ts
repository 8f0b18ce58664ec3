/** What the pulse sees between two cycles: facts of the snapshot, or parts of them. */
import type { Disk, Memory, Pressure, Swap } from "./facts.ts";

export const pulseFacts = ["memory", "swap", "pressure", "disk"] as const;
export type PulseFact = (typeof pulseFacts)[number];

/** A fact is missing when nobody asked for it, and where it cannot be had: no pressure figures, disks without an answer. */
export interface PulseFacts {
  readonly memory?: Memory;
  /**
   * Without rates: over five seconds they are other figures than a cycle's over its interval, and a burst that passes
   * a threshold here would be nothing when the cycle looks.
   */
  readonly swap?: Pick<Swap, "totalBytes" | "usedBytes" | "usedPercent">;
  readonly pressure?: Pressure;
  readonly disk?: readonly Disk[];
}
