/**
 * The one place that says which characters may leave Argus, and how the others are shown. A program may call itself
 * anything, and a model may answer anything: neither moves a cursor, turns the direction of writing, hides a word, or
 * begins a line. Lines are made by Argus alone, out of texts that have gone through here.
 */

/**
 * Control, format (direction, zero width, tags), private, unassigned and half characters, separators of lines, and
 * what else has no shape of its own. A single variation selector belongs to ordinary emoji. The zero-width joiner does
 * too, but joins anything to anything, so that two names look alike: such an emoji is shown in its parts.
 */
const formless = String.raw`(?![\ufe00-\ufe0f])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`;
/** Marks (the selectors among them) pile up on the character before them without end: two are read, more paint over others. */
const unprintable = new RegExp(String.raw`${formless}|(?<=\p{M}{2})\p{M}`, "gu");

/** Nearly all text is plain, and a snapshot of 5,000 processes is megabytes of it: only the rest is looked at. */
const notPlain = /[^\x20-\x7e]+/g;
const notPlainInLines = /[^\n\x20-\x7e]+/g;

const names: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u001b": "\\e" };

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return (
    names[character] ??
    (code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`)
  );
}

const visible = (run: string): string => run.replace(unprintable, shown);

/** A name or a value as it is, on one line: `app\n\nhost: RECOVERED`. Doing it twice changes nothing. */
export const printable = (text: string): string => text.replace(notPlain, visible);

/** Lines that Argus made: newlines stay, and nothing else that is no character to read. */
export const printableLines = (text: string): string => text.replace(notPlainInLines, visible);

/** At most so many characters, the last of them saying that there is more. */
export function shortened(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const characters = [...text];
  if (characters.length <= maxCharacters) return text;
  return `${characters
    .slice(0, maxCharacters - 1)
    .join("")
    .trimEnd()}…`;
}

/** The same as `printable` for a name that stands in a sentence: Argus's own words after it must still be read. */
export const shortName = (text: string, maxCharacters: number): string =>
  shortened(printable(text), maxCharacters);

/** Prose on one line: what was broken into lines, or set with tabs, goes on after a space. */
export const oneLine = (text: string, maxCharacters = Number.POSITIVE_INFINITY): string =>
  shortened(printable(text.replace(/\s+/g, " ").trim()), maxCharacters);

/** A message out of lines, each of them one: what is broken inside is no line of its own. Empty ones are left out. */
export function joinLines(lines: readonly string[], maxLines: number, maxCharactersEach: number): string {
  return lines
    .map((line) => oneLine(line, maxCharactersEach))
    .filter((line) => line !== "")
    .slice(0, maxLines)
    .join("\n");
}

const lineEnds = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

/** A longer text of somebody else, as a block: each of its lines says that it is one. */
export const quotedBlock = (text: string): string[] =>
  text.split(lineEnds).map((line) => `> ${printable(line)}`.trimEnd());

/** Without all that: for a model, which need not see an invisible character, and for secrets that are looked for in words. */
export const withoutUnprintable = (text: string): string =>
  text.replace(notPlain, (run) =>
    run.replace(unprintable, (character) => (character === "\n" || character === "\t" ? character : "")),
  );

const asJson = (character: string): string =>
  character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");

/** A text that is JSON already: the same value, in printable characters. */
export const escapeJson = (json: string): string =>
  json.replace(notPlainInLines, (run) => run.replace(unprintable, asJson));

/** JSON for whoever reads it: a file, a stream, another server. The value is the same, `null` for what JSON has no form of. */
export const stringify = (value: unknown, indent?: number): string =>
  escapeJson(JSON.stringify(value, null, indent) ?? "null");

/** Whether there is anything to read in it. */
export const isReadable = (text: string): boolean => withoutUnprintable(text).trim() !== "";
