/** Rows under each other, aligned by display width. */
import {
  cleaned,
  type Line,
  markedSpaces,
  markWidth,
  type Span,
  spaces,
  spansOf,
  type Text,
  widthOf,
  wrap,
} from "./layout.ts";
import type { Style } from "./style.ts";
import { clip, displayWidth } from "./text.ts";

export interface Column {
  readonly align?: "left" | "right";
  /** What does not fit goes on below, marked on its left, instead of being cut off; the widest such column gives way first. */
  readonly wraps?: true;
}

const gapBetween = 2;
/** Below this a column of words is a column of syllables. */
const narrowestWrapping = 14;
const narrowest = 4;

/** Rows under each other, aligned by display width. A row may leave out columns at its end; empty ones take no room. */
export function table(
  rows: readonly (readonly Text[])[],
  columns: readonly Column[],
  { style, indent = 0 }: { style: Style; indent?: number },
): Line[] {
  const widths = columns.map((_, index) =>
    Math.max(0, ...rows.map((row) => widthOf(row[index] ?? "", style))),
  );
  const gaps = gapBetween * Math.max(0, widths.filter((width) => width > 0).length - 1);
  let excess = widths.reduce((sum, width) => sum + width, 0) - (style.width - indent - gaps);
  const wraps = (index: number) => columns[index]?.wraps === true;
  // A key or a path that breaks in two cannot be copied: columns that have words to break at give way before.
  const leftmost = widths.findIndex((width) => width > 0);
  const longestWords = columns.map(
    (_, index) =>
      Math.max(0, ...rows.map((row) => longestWord(row[index] ?? ""))) +
      // The mark of its further lines stands in it.
      (index === leftmost && indent < markWidth ? markWidth : 0),
  );
  while (excess > 0) {
    const index =
      widest(
        widths,
        (at, width) => wraps(at) && width > Math.max(narrowestWrapping, longestWords[at] ?? 0),
      ) ??
      widest(widths, (at, width) => wraps(at) && width > narrowestWrapping) ??
      widest(widths, (_, width) => width > narrowest);
    if (index === null) break;
    widths[index] = (widths[index] ?? 0) - 1;
    excess -= 1;
  }
  return rows.flatMap((row) => rowLines(row, columns, widths, style, indent));
}

const longestWord = (text: Text): number =>
  Math.max(
    0,
    ...spansOf(text)
      .map((span) => span.text)
      .join("")
      .split(" ")
      .map(displayWidth),
  );

function widest(widths: readonly number[], may: (index: number, width: number) => boolean): number | null {
  let best: number | null = null;
  for (const [index, width] of widths.entries()) {
    if (may(index, width) && (best === null || width > (widths[best] ?? 0))) best = index;
  }
  return best;
}

function rowLines(
  row: readonly Text[],
  columns: readonly Column[],
  widths: readonly number[],
  style: Style,
  indent: number,
): Line[] {
  const leftmost = widths.findIndex((width) => width > 0);
  const cells = columns.map((column, index) => {
    const width = widths[index] ?? 0;
    const text = row[index] ?? "";
    // The mark stands in the space between the columns; where there is none on the left, in the column itself.
    const marked = index === leftmost && indent < markWidth ? "continued" : "none";
    return column.wraps ? wrap(text, { style, width, marked }) : [clipped(text, width, style)];
  });
  const height = Math.max(1, ...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, number) => {
    const line: Span[] = [];
    let gap = indent;
    for (const [index, cell] of cells.entries()) {
      const width = widths[index] ?? 0;
      if (width === 0) continue;
      const spans = cell[number] ?? [];
      const free = width - spans.reduce((sum, span) => sum + displayWidth(span.text), 0);
      const right = columns[index]?.align === "right";
      const goesOn = number > 0 && spans.length > 0 && gap >= markWidth;
      line.push(...(goesOn ? markedSpaces(gap) : [spaces(gap)]));
      line.push(spaces(right ? free : 0), ...spans, spaces(right ? 0 : free));
      gap = gapBetween;
    }
    return line;
  });
}

function clipped(text: Text, width: number, style: Style): Line {
  const line: Span[] = [];
  let left = width;
  const spans = cleaned(text, style);
  for (const [index, span] of spans.entries()) {
    const rest = spans.slice(index).reduce((sum, each) => sum + displayWidth(each.text), 0);
    // The mark that something is missing belongs to the first span that does not fit with all that follows it.
    const shown = rest <= left ? span.text : clip(span.text, left, style);
    line.push({ ...span, text: shown });
    left -= displayWidth(shown);
    if (shown !== span.text) break;
  }
  return line;
}
