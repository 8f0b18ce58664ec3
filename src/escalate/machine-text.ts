/**
 * Text from the machine on its way to the model, and from the model on its way back: without escape sequences and
 * invisible characters (which hide words from people that a model reads), without secrets, and not too long.
 */
import { withoutUnprintable } from "../system/printable.ts";
import { redact } from "../system/redact/redact.ts";

const escapes = /\u001b(?:\[[0-?]{0,32}[ -/]{0,8}[@-~]|\][^\u0007\u001b]{0,256}(?:\u0007|\u001b\\)?)/g;
/** How much is read for so much that is shown: a secret that begins in what is shown must be seen whole. */
const readCharacters = (maxCharacters: number): number => 4 * maxCharacters + 4096;

/** @param maxCharacters what is longer ends in `… (+N)`. */
export function machineText(text: string, maxCharacters: number): string {
  const plain = text.slice(0, readCharacters(maxCharacters)).replace(escapes, "");
  // Before the cut: half a secret is not recognised as one.
  const safe = redact(withoutUnprintable(plain));
  if (safe.length <= maxCharacters) return safe;
  const rest = text.length - maxCharacters;
  // A pair of surrogates is cut whole.
  const end = /[\ud800-\udbff]/.test(safe.charAt(maxCharacters - 1)) ? maxCharacters - 1 : maxCharacters;
  return `${safe.slice(0, end)}… (+${rest})`;
}

/** The same on one line. */
export const machineLine = (text: string, maxCharacters: number): string =>
  machineText(
    text
      .slice(0, readCharacters(maxCharacters))
      .replace(/\s{1,64}/g, " ")
      .trim(),
    maxCharacters,
  );
