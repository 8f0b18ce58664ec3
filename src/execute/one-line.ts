/**
 * Text that came from the machine, made fit for a message, a log line or a record: process names may hold newlines,
 * escape sequences that repaint a terminal, and marks that turn the direction of writing.
 */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu;

export function oneLine(text: string, maxCharacters: number): string {
  const clean = text.replace(unprintable, " ").replace(/ {2,}/g, " ").trim();
  const characters = [...clean];
  return characters.length <= maxCharacters
    ? clean
    : `${characters
        .slice(0, maxCharacters - 1)
        .join("")
        .trimEnd()}…`;
}

/** The same for a message whose lines mean something. */
export function severalLines(text: string, maxLines: number, maxCharactersEach: number): string {
  const lines = text.split("\n").map((line) => oneLine(line, maxCharactersEach));
  return lines
    .filter((line) => line !== "")
    .slice(0, maxLines)
    .join("\n");
}

/** The sentence of an error, for a person. */
export function reasonOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error), 500);
}
