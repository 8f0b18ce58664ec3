/** A known secret that somebody spelled out: each character escaped in any way, apart from the next, or only a part of it. */

/** What may stand between two characters: what is not seen, a line that goes on, a line break. */
const between = String.raw`(?:[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]|=?\\?\r?\n)*`;
const hint = /%[0-9a-f]{2}|\\[ux0-7]|&#|[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\n]/i;
/** `48 6e 37`, `48:6e`, `[72,110,55]`, `<Buffer 48 6e>` */
const hintOfBytes = /(?:[0-9a-f]{2,3}(?:, ?|[ :-])){5}/i;
/** What stands for the rest: `sk-ant-abc…`, `abc***xyz`. */
const masked = String.raw`(?:…|\.{2,}|[*•#]{2,}|[xX]{3,}|\[redacted)`;
const fewestMasked = 8;
/** Without a mask beside it. Longer than the beginning that all keys of a provider have in common. */
const fewestPlain = 16;

/** A longer one is a certificate: each character is a hundred of the expression. */
const mostSpelled = 256;

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** In small and capital letters alike only where these are digits of a number: the secret's own are told apart. */
const anyCase = (hex: string): string =>
  hex.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);

function spelled(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = anyCase(code.toString(16).padStart(2, "0"));
  const bytes = [...Buffer.from(character)].map((byte) => anyCase(byte.toString(16).padStart(2, "0")));
  return [
    escaped(character),
    `%(?:25)?${bytes.join("%(?:25)?")}`,
    String.raw`\\{1,4}u\{?0{0,4}${hex}\}?`,
    `(?:${bytes.map((byte) => String.raw`\\{1,4}x${byte}`).join("")})`,
    String.raw`\\{1,4}0?${code.toString(8)}`,
    `&#0{0,4}${code};?`,
    `&#[xX]0{0,4}${hex};?`,
  ].join("|");
}

/** @returns what takes these secrets out of a text in all such spellings. */
export function spellingsOf(values: readonly string[]): (text: string, mark: string) => string {
  const each = values
    .filter(({ length }) => length <= mostSpelled)
    .map((value) => ({
      value,
      asCharacters: new RegExp([...value].map((one) => `(?:${spelled(one)})`).join(between), "gu"),
      asBytes: new RegExp(
        [16, 10]
          .map((base) =>
            [...Buffer.from(value)]
              .map((byte) => (base === 16 ? anyCase(byte.toString(16).padStart(2, "0")) : String(byte)))
              .join("(?:, ?|[ :-])"),
          )
          .map((numbers) => `(?<![0-9A-Fa-f])${numbers}(?![0-9A-Fa-f])`)
          .join("|"),
        "g",
      ),
    }));
  return (text, mark) => {
    let result = text;
    const characters = hint.test(text);
    const bytes = hintOfBytes.test(text);
    for (const { value, asCharacters, asBytes } of each) {
      if (characters) result = result.replace(asCharacters, mark);
      if (bytes) result = result.replace(asBytes, mark);
      if (!/\s/.test(value)) result = withoutPart(result, value, mark);
    }
    return result;
  };
}

const maskAfter = new RegExp(`^${masked}`);
const maskBefore = /(?:…|\.{2,}|[*•#]{2,}|[xX]{3,}|redacted\])$/;

/** Gateways say which key was wrong by its beginning and its end, in the middle of a sentence. */
function withoutPart(text: string, value: string, mark: string): string {
  if (value.length <= fewestMasked) return text;
  let result = "";
  let kept = 0;
  for (const { from, until } of [...beginningsOf(text, value), ...endsOf(text, value)].sort(
    (a, b) => a.from - b.from,
  )) {
    if (from < kept) continue;
    result += text.slice(kept, from) + mark;
    kept = until;
  }
  return kept === 0 ? text : result + text.slice(kept);
}

interface Span {
  readonly from: number;
  readonly until: number;
}

function beginningsOf(text: string, value: string): Span[] {
  const spans: Span[] = [];
  const beginning = value.slice(0, fewestMasked);
  for (let from = text.indexOf(beginning); from >= 0; from = text.indexOf(beginning, from + 1)) {
    let until = from + fewestMasked;
    while (until - from < value.length && text[until] === value[until - from]) until += 1;
    if (until - from >= fewestPlain || maskAfter.test(text.slice(until, until + 12)))
      spans.push({ from, until });
  }
  return spans;
}

function endsOf(text: string, value: string): Span[] {
  const spans: Span[] = [];
  const end = value.slice(-fewestMasked);
  for (let at = text.indexOf(end); at >= 0; at = text.indexOf(end, at + 1)) {
    const until = at + fewestMasked;
    let from = at;
    while (
      from > 0 &&
      until - from < value.length &&
      text[from - 1] === value[value.length - 1 - (until - from)]
    )
      from -= 1;
    if (until - from >= fewestPlain || maskBefore.test(text.slice(Math.max(0, from - 12), from)))
      spans.push({ from, until });
  }
  return spans;
}
