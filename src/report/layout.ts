/**
 * Lines out of spans. A span is text and what it means; colours come in only when a line is printed, after the text
 * was cleaned, so that no escape sequence in a report comes from anywhere else.
 */
import { paint, type Style, type Tone } from "./style.ts";
import { clean, clip, cut, displayWidth } from "./text.ts";

export interface Span {
  readonly text: string;
  readonly tone?: Tone | undefined;
}
export type Text = string | Span | readonly (string | Span)[];
export type Line = readonly Span[];

export const blank: Line = [];

export const toned = (tone: Tone | undefined, text: string): Span => ({ text, tone });

export function spansOf(text: Text): readonly Span[] {
  const parts = typeof text === "string" || "text" in text ? [text] : text;
  return parts.map((part) => (typeof part === "string" ? { text: part } : part));
}

export function widthOf(text: Text, style: Style): number {
  return spansOf(text).reduce((sum, span) => sum + displayWidth(clean(span.text, style)), 0);
}

/** Prints lines. Ends with a newline unless there are none. */
export function print(lines: readonly Line[], style: Style): string {
  return lines
    .map(
      (line) =>
        `${joined(line)
          .map(({ text, tone }) => paint(text, tone, style))
          .join("")}\n`,
    )
    .join("");
}

/** Neighbours of one tone as one span, without spaces at the end: they would only be there to be copied. */
function joined(line: Line): Line {
  const spans: { text: string; tone?: Tone | undefined }[] = [];
  let space = "";
  for (const { text, tone } of line) {
    if (text.trim() === "") {
      space += text;
      continue;
    }
    const last = spans.at(-1);
    if (last !== undefined && last.tone === tone) last.text += space + text;
    else if (last === undefined || tone !== undefined)
      spans.push(...(space === "" ? [] : [{ text: space }]), { text, tone });
    else spans.push({ text: space + text });
    space = "";
  }
  const last = spans.at(-1);
  if (last !== undefined) last.text = last.text.trimEnd();
  return spans;
}

interface Layout {
  readonly style: Style;
  /** Columns to the left of it. */
  readonly indent?: number;
  /** Columns to the left of what does not fit on the first line; as `indent` when left out. */
  readonly hang?: number;
  /** Right edge; the style's width when left out. */
  readonly width?: number;
  /** What is longer ends with `…`: a command line may have 4,096 characters. */
  readonly mostLines?: number;
  /**
   * Which lines say by a mark on their left that they begin with somebody else's words: those that go on from the one
   * above, all of them, or none, where nothing of the machine or a model is in the text. A name may be as long as it takes
   * for its end to stand at the beginning of a line, where it reads as Argus's own.
   */
  readonly marked?: Marked;
}

type Marked = "continued" | "all" | "none";

export const spaces = (count: number): Span => ({ text: " ".repeat(Math.max(0, count)) });

const mark: Span = { text: "| ", tone: "quiet" };
export const markWidth = 2;

/** So many columns, the last of them with the mark. */
export const markedSpaces = (columns: number): Span[] => [spaces(columns - markWidth), mark];

/** Breaks at spaces; a word that is longer than a line is cut. Newlines are text, and shown as such: split before. */
export function wrap(text: Text, layout: Layout): Line[] {
  const {
    style,
    indent = 0,
    hang = indent,
    width = style.width,
    mostLines = 6,
    marked = "continued",
  } = layout;
  const lines: Span[][] = [];
  let line: Span[] = [];
  let used = 0;
  let start = 0;
  const begin = (columns: number, isMarked: boolean) => {
    line = isMarked ? markedSpaces(columns) : [spaces(columns)];
    used = start = isMarked ? Math.max(markWidth, columns) : columns;
  };
  const next = () => {
    lines.push(line);
    begin(hang, marked !== "none");
  };
  begin(indent, marked === "all");
  for (const word of wordsOf(text, style)) {
    if (used > start && used + word.gap + word.width > width) next();
    else if (used > start) {
      line.push(spaces(word.gap));
      used += word.gap;
    }
    for (let { text: rest, tone } of word.spans) {
      while (used + displayWidth(rest) > width && width > start) {
        // At the start of a line at least one character is taken, however narrow it is.
        const [head, tail] = cut(rest, used > start ? width - used : Math.max(2, width - used));
        if (head === "" && used > start) {
          next();
          continue;
        }
        line.push({ text: head, tone });
        rest = tail;
        next();
      }
      line.push({ text: rest, tone });
      used += displayWidth(rest);
    }
  }
  lines.push(line);
  if (lines.length <= mostLines) return lines;
  const last = lines[mostLines - 1] ?? [];
  const room = width - last.reduce((sum, span) => sum + displayWidth(span.text), 0);
  const more = style.unicode ? "…" : "...";
  const end = last.at(-1);
  const ending =
    end === undefined
      ? []
      : [
          {
            ...end,
            text:
              room >= displayWidth(more)
                ? end.text + more
                : clip(`${end.text}${more}`, displayWidth(end.text), style),
          },
        ];
  return [...lines.slice(0, mostLines - 1), [...last.slice(0, -1), ...ending]];
}

interface Word {
  /** Spaces before it. */
  gap: number;
  width: number;
  readonly spans: Span[];
}

/** `7.12 GB` on two lines is read as 7.12 of something, and a GB of something else. */
const numberAndUnit = /(?<=\d) (?=(?:[kMGTP]?B(?:\/s)?|%|ms|s|min|h|d)(?![\p{L}\d]))/gu;

/** Neighbouring spans without a space between them are one word. */
function wordsOf(text: Text, style: Style): Word[] {
  const words: Word[] = [];
  let word: Word | null = null;
  let gap = 0;
  for (const span of spansOf(text)) {
    for (const part of clean(span.text, style).replace(numberAndUnit, "\u00a0").split(/( +)/)) {
      if (part === "") continue;
      if (part.startsWith(" ")) {
        gap += part.length;
        word = null;
        continue;
      }
      if (word === null) {
        word = { gap, width: 0, spans: [] };
        words.push(word);
        gap = 0;
      }
      word.spans.push({ text: part.replaceAll("\u00a0", " "), tone: span.tone });
      word.width += displayWidth(part);
    }
  }
  return words;
}

interface Labelled {
  readonly style: Style;
  /** Columns to the left of the label. */
  readonly indent: number;
  /** Columns from the label's start to the start of what stands beside it. */
  readonly labelWidth: number;
  readonly mostLines?: number;
  readonly marked?: Marked;
}

/** A label, and beside it what belongs to it, with its further lines below itself. */
export function labelled(label: Text, body: Text, layout: Labelled): Line[] {
  const { indent, labelWidth, ...rest } = layout;
  return beside(label, wrap(body, { ...rest, indent: indent + labelWidth }), layout);
}

/** The same for lines that are made already, with room for the label on their left. */
export function beside(label: Text, lines: readonly Line[], { style, indent, labelWidth }: Labelled): Line[] {
  const free = labelWidth - widthOf(label, style);
  if (free <= 0) return [...wrap(label, { style, indent }), ...lines];
  const [first = [], ...rest] = lines;
  return [[spaces(indent), ...cleaned(label, style), spaces(free), ...first.slice(1)], ...rest];
}

export const cleaned = (text: Text, style: Style): Span[] =>
  spansOf(text).map((span) => ({ ...span, text: clean(span.text, style) }));
