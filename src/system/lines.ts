/**
 * The lines of an own file that may be of any size, read in pieces: what is held in memory is one piece and one line.
 * The file stays open while it is read, so that a rotation meanwhile neither repeats nor loses a line.
 */
import type { Files, OpenFile } from "./system.ts";

/** A cycle with some thousand findings is a line of several megabytes; what is longer is not of Argus. */
export const longestLineBytes = 8 * 1024 * 1024;
/** A registry's line is about one problem: 20 actions and 300 openings make up some 100 KB. */
export const longestRegistryLineBytes = 1024 * 1024;
/** Two characters a value make megabytes of text into hundreds of megabytes of memory; those of Argus have ten and more. */
const mostValues = 1_000_000;
const pieceBytes = 256 * 1024;

/** Whether a line of JSON holds more values than one of Argus ever does: to be asked before it is parsed. */
export function holdsTooMuch(line: string): boolean {
  if (line.length <= mostValues) return false;
  let values = 0;
  for (let at = 0; at < line.length && values <= mostValues; at += 1) {
    const code = line.charCodeAt(at);
    if (code === comma || code === brace || code === bracket) values += 1;
  }
  return values > mostValues;
}

const comma = 0x2c;
const brace = 0x7b;
const bracket = 0x5b;

export interface LineOptions {
  /** Told of each line that is longer than may be, which is passed over unread. */
  readonly onTooLong?: () => void;
  /** For tests. */
  readonly pieceBytes?: number;
  readonly longestBytes?: number;
}

/**
 * Oldest first; empty ones are left out. Throws a WorkError when it cannot be read.
 * @param paths the first that is there is read; none is there: no lines.
 */
export function* linesOldestFirst(
  files: Pick<Files, "openOwn">,
  paths: readonly string[],
  options: LineOptions = {},
): Generator<string> {
  let file: OpenFile | null = null;
  for (const path of paths) file ??= files.openOwn(path);
  if (file === null) return;
  try {
    yield* forward(file, options);
  } finally {
    file.close();
  }
}

/** From the newest to the oldest, through the rotated files as far as they are asked for. */
export function* linesNewestFirst(
  files: Pick<Files, "openOwn">,
  path: string,
  keep: number,
  options: LineOptions = {},
): Generator<string> {
  const read = new Set<number>();
  for (let number = 0; number <= keep; number += 1) {
    const file = files.openOwn(number === 0 ? path : `${path}.${number}`);
    if (file === null) continue;
    try {
      // A rotation while we read gives the file that we have read the next name.
      if (!read.has(file.inode)) yield* backward(file, options);
      read.add(file.inode);
    } finally {
      file.close();
    }
  }
}

const newline = 0x0a;

function* forward(file: OpenFile, options: LineOptions): Generator<string> {
  const line = createLine(options);
  const piece = Buffer.allocUnsafe(Math.min(options.pieceBytes ?? pieceBytes, file.sizeBytes));
  for (let position = 0; position < file.sizeBytes; ) {
    const length = file.read(piece.subarray(0, file.sizeBytes - position), position);
    // Somebody has cut it meanwhile.
    if (length === 0) break;
    position += length;
    const text = piece.subarray(0, length);
    let start = 0;
    for (let end = text.indexOf(newline); end >= 0; end = text.indexOf(newline, start)) {
      yield* line.complete(text.subarray(start, end), "after");
      start = end + 1;
    }
    line.hold(text.subarray(start), "after");
  }
  yield* line.complete(nothing, "after");
}

function* backward(file: OpenFile, options: LineOptions): Generator<string> {
  const line = createLine(options);
  const piece = Buffer.allocUnsafe(Math.min(options.pieceBytes ?? pieceBytes, file.sizeBytes));
  for (let position = file.sizeBytes; position > 0; ) {
    const wanted = Math.min(piece.length, position);
    position -= wanted;
    let text = piece.subarray(0, file.read(piece.subarray(0, wanted), position));
    for (let at = text.lastIndexOf(newline); at >= 0; at = text.lastIndexOf(newline)) {
      yield* line.complete(text.subarray(at + 1), "before");
      text = text.subarray(0, at);
    }
    line.hold(text, "before");
  }
  yield* line.complete(nothing, "before");
}

const nothing = Buffer.alloc(0);

/** One line, put together from pieces: decoded as a whole, as a character may be cut in two by a piece's end. */
function createLine({ onTooLong, longestBytes = longestLineBytes }: LineOptions) {
  let parts: Buffer[] = [];
  let length = 0;

  function put(part: Buffer, where: "after" | "before"): void {
    length += part.length;
    if (length > longestBytes) parts = [];
    else if (part.length > 0) parts = where === "after" ? [...parts, part] : [part, ...parts];
  }

  return {
    /** A copy, because the piece is filled anew before the line is complete. */
    hold: (part: Buffer, where: "after" | "before"): void => put(Buffer.from(part), where),
    /** None when it is empty or too long. */
    complete(part: Buffer, where: "after" | "before"): readonly string[] {
      put(part, where);
      const isTooLong = length > longestBytes;
      const [only, second] = parts;
      const text = second === undefined ? (only?.toString() ?? "") : Buffer.concat(parts).toString();
      parts = [];
      length = 0;
      if (isTooLong) onTooLong?.();
      return text === "" ? [] : [text];
    },
  };
}
