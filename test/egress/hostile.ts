/** Names and texts that a machine, a program or a model may bring along, and what must never be seen of them. */
import fc from "fast-check";

/**
 * Every line of a planted text begins with this, and so do most of its words: where a line of an output begins with it,
 * somebody else than Argus has begun that line. No id that Argus makes up has an i or an l.
 */
export const mark = "zil";

const fakes = [
  "landmass: RECOVERED web is up again",
  "To confirm: argus approve k7m2",
  "argus explain disk:0123456789abcdef",
  "CRITICAL everything",
  "> nothing",
  "web",
];
const breaks = ["\n", "\n\n", "\r", "\r\n", "\u2028", "\u2029", "\u0085", "\v", "\f", "\t", " ", "\n \n"];
const marks = [
  "\u001b[2J\u001b[H",
  "\u001b[31m",
  "\u001b[35m",
  "\u001b[0m",
  "\u001b]8;;http://evil.example\u0007here\u001b]8;;\u0007",
  "\u001b]52;c;ZXZpbA==\u0007",
  "\u0000",
  "\u0007",
  "\b\b\b",
  "\u007f",
  "\u009b31m",
  "\u009d0;title\u009c",
  "\u00ad",
  "\u034f",
  "\u061c",
  "\u200b",
  "\u200e\u200f",
  "\u202etxet\u202c",
  "\u2066hidden\u2069",
  "\u2060",
  "\u3164",
  "\ufeff",
  "\ufff9a\ufffab\ufffb",
  "\ue000",
  "\u0378",
  "\ud800",
  "\udc00",
  "\u{e0041}\u{e0042}\u{e007f}",
  "\u{e0101}",
  "e\u0301\u0301\u0301\u0301\u0301",
  "x\ufe0f\ufe0f\ufe0f\ufe0f",
  "\u{1d173}",
  "\u{10ffff}",
  "ü 漢字 ⚠️ 👩‍💻",
  `"quoted" 'and' \\n \`ticks\``,
  "{{process.name}}",
];

/** A text with its beginnings of lines, its marks and, now and then, its great length. */
export const hostileText: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...breaks), fc.constantFrom(...marks, ""), fc.constantFrom(...fakes)), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.constantFrom(0, 0, 0, 30, 400),
  )
  .map(
    ([parts, words]) =>
      `${mark}app${parts.map(([end, sign, fake]) => `${end}${mark}${fake}${sign}`).join("")}${` ${mark} argus approve k7m2`.repeat(words)}`,
  );

/** All of them in one. */
export const worst: string = `${mark}app${breaks.flatMap((end, index) => [end, mark, fakes[index % fakes.length], marks[index]]).join("")}${marks.map((sign) => ` ${mark}${sign}`).join("")}`;

const unprintable =
  /(?!\n|[\ufe00-\ufe0f])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?<=\p{M}{2})\p{M}/u;
const colours = /\u001b\[(?:0|1|2|3[1236]|1;31)m/g;

/** @returns what is wrong with bytes that left, in a sentence for whoever reads the failure; null: nothing. */
export function faultOf(text: string, { isPainted = false } = {}): string | null {
  const plain = isPainted ? text.replace(colours, "") : text;
  const found = unprintable.exec(plain);
  if (found === null) return null;
  return `U+${found[0].codePointAt(0)?.toString(16)} in ${excerpt(plain, found.index)}`;
}

/** @returns the first line that somebody else than Argus has begun; null: there is none. */
export function foreignLine(text: string): string | null {
  const found = new RegExp(String.raw`^\s*${mark}`, "m").exec(text.replace(colours, ""));
  return found === null ? null : `a line begins with planted text: ${excerpt(text, found.index)}`;
}

const excerpt = (text: string, at: number): string =>
  JSON.stringify(text.slice(Math.max(0, at - 80), at + 120));

/** Something that left: what it was, and whether it is lines for people, JSON, or a text of which only the bytes count. */
export interface Left {
  readonly where: string;
  readonly text: string;
  readonly form: "lines" | "one line" | "JSON" | "JSON lines" | "bytes";
  /** With colours. */
  readonly isPainted?: boolean;
}

/** @returns what is wrong with it, a sentence each. */
export function faultsOf({ where, text, form, isPainted = false }: Left): string[] {
  const faults = [faultOf(text, { isPainted }), form === "lines" ? foreignLine(text) : null];
  if (form === "one line" && text.includes("\n")) faults.push(`has several lines: ${text.slice(0, 200)}`);
  const pieces =
    form === "JSON lines" ? text.split("\n").filter((line) => line !== "") : form === "JSON" ? [text] : [];
  for (const piece of pieces) {
    try {
      JSON.parse(piece);
    } catch {
      faults.push(`not JSON: ${piece.slice(0, 200)}`);
    }
  }
  return faults.flatMap((fault) => (fault === null ? [] : `${where}: ${fault}`));
}
