/** Files of people that cannot be used: what is wrong, and what is in force meanwhile. */
import type { Broken } from "../types/settings.ts";

/** All in one sentence: the first fault, how many more there are, and what is in force. */
export function brokenSentence({ faults, inForce }: Broken): string {
  const more = faults.length - 1;
  const others = more <= 0 ? "" : ` (and ${more} more: argus check)`;
  return `${faults[0] ?? "a file cannot be used"}${others}; ${inForce}`;
}
