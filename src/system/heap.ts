/** How roomy this process's heap is. */
import { setFlagsFromString } from "node:v8";

/**
 * Whoever types a command gives Node no options: without these two, the waste of reading a long history lies in memory
 * until it is several times as much as what is needed. The units set them and more on their command lines.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--heap-growing-percent=10");
}
