/** Files of people that cannot be used: what is wrong, and what is in force meanwhile. */
import { shortened } from "../system/printable.ts";
import type { Broken } from "../types/settings.ts";

/** All in one sentence: the first fault, how many more there are, and what is in force. */
export function brokenSentence({ faults, inForce }: Broken): string {
  const more = faults.length - 1;
  const others = more <= 0 ? "" : ` (and ${more} more: argus check)`;
  return `${faults[0] ?? "a file cannot be used"}${others}; ${inForce}`;
}

/** The same where there is room for so many characters: what is in force is said whole, of the fault the beginning. */
export function brokenBriefly(sentence: string, mostCharacters: number): string {
  const end = sentence.lastIndexOf("; ");
  if (sentence.length <= mostCharacters || end === -1) return sentence;
  const inForce = sentence.slice(end);
  return `${shortened(sentence.slice(0, end), Math.max(20, mostCharacters - inForce.length))}${inForce}`;
}
