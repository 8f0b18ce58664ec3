/** Text from the machine, made harmless, and measured in terminal columns. */
import { printable } from "../system/printable.ts";
import type { Style } from "./style.ts";

const glyphs: Readonly<Record<string, string>> = { "→": "->", "·": "-", "…": "..." };

export function clean(text: string, style: Style): string {
  const shown = printable(text);
  return style.unicode ? shown : shown.replace(/[→·…]/g, (glyph) => glyphs[glyph] ?? glyph);
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const ascii = /^[\u0020-\u007e]*$/;

/** Columns that a cleaned text takes (Unicode Standard Annex 11, as far as terminals agree on it). */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (/\p{M}/u.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** The longest beginning that fits, and the rest; marks stay with what they stand on. */
export function cut(text: string, columns: number): [head: string, rest: string] {
  let width = 0;
  let end = 0;
  for (const character of text) {
    width += characterWidth(character);
    if (width > columns) break;
    end += character.length;
  }
  return [text.slice(0, end), text.slice(end)];
}

/** At most so many columns, the last of them saying that there is more. */
export function clip(text: string, columns: number, style: Style): string {
  if (displayWidth(text) <= columns) return text;
  const more = style.unicode ? "…" : "...";
  return `${cut(text, Math.max(0, columns - displayWidth(more)))[0].trimEnd()}${more}`;
}

/** Several lines of a message as one, for a place that has room for one. */
export function oneLine(text: string): string {
  return text
    .split(/\s*\n\s*/)
    .filter(Boolean)
    .join(" · ");
}
