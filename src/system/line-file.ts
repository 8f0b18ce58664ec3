/**
 * A file of JSON lines that only grows at its end, is rotated by size (`x`, `x.1`, ... `x.N`) and survives a
 * torn last line: a crash in the middle of an append costs that line and no other. One process writes it.
 */
import type { Files } from "./system.ts";

export interface LineFileOptions {
  readonly files: Files;
  readonly path: string;
  readonly maxBytes: number;
  /** Rotated files that are kept besides the present one. */
  readonly keep: number;
  /** On disk when append returns. */
  readonly durable: boolean;
  /**
   * What the new file must begin with after a rotation, so that nothing still open is forgotten. When it is more
   * than half of maxBytes, the last ones stay: put what matters most at the end.
   */
  readonly carryOver?: () => readonly string[];
}

export interface LineFile {
  /**
   * Throws when not all of it could be written; the file then is as it was before. What somebody put in its place is
   * not written to: RefusedFile.
   */
  append(...lines: string[]): void;
  /** Newest line last. With `rotated`, those of the rotated files come first. */
  readLines(options?: { rotated?: boolean }): string[];
}

const joined = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");

export function createLineFile(options: LineFileOptions): LineFile {
  const { files, path, maxBytes, keep, durable } = options;
  const next = `${path}.next`;
  let sizeBytes: number | null = null;

  /** Size of the file, after mending what a crash in a rotation or in an append left behind. */
  function open(): number {
    const status = files.stat(path);
    if (status === null) {
      if (files.stat(next) === null) return 0;
      files.rename(next, path);
      return files.stat(path)?.sizeBytes ?? 0;
    }
    files.remove(next);
    // Ends a torn last line, so that the next one does not become part of it.
    if (status.sizeBytes === 0 || files.tryReadTail(path, 1) === "\n") return status.sizeBytes;
    files.append(path, "\n", { durable });
    return status.sizeBytes + 1;
  }

  function carried(): string {
    const lines = options.carryOver?.() ?? [];
    let first = lines.length;
    let length = 0;
    while (first > 0) {
      length += Buffer.byteLength(lines[first - 1] ?? "") + 1;
      if (length > maxBytes / 2) break;
      first -= 1;
    }
    return joined(lines.slice(first));
  }

  function rotate(): void {
    files.remove(`${path}.${keep}`);
    for (let number = keep - 1; number >= 1; number -= 1) {
      if (files.stat(`${path}.${number}`) !== null)
        files.rename(`${path}.${number}`, `${path}.${number + 1}`);
    }
    // What is carried over stands complete before the old file moves away: a crash here forgets nothing.
    const text = carried();
    if (text !== "") files.writeAtomic(next, text, { durable });
    if (keep > 0) files.rename(path, `${path}.1`);
    else files.remove(path);
    if (text !== "") files.rename(next, path);
    sizeBytes = Buffer.byteLength(text);
  }

  return {
    append(...lines) {
      if (lines.length === 0) return;
      const text = joined(lines);
      const length = Buffer.byteLength(text);
      // Another process (`argus run --once` beside a stopped daemon, a person with an editor) may have changed it.
      if (sizeBytes === null || files.stat(path)?.sizeBytes !== sizeBytes) sizeBytes = open();
      // What waits in memory for room waits for its rotation too: it would bring the whole file into memory.
      const mayRotate = (files.holding?.held() ?? null) === null;
      if (sizeBytes > 0 && sizeBytes + length > maxBytes && mayRotate) rotate();
      const before = sizeBytes;
      sizeBytes = null;
      try {
        files.append(path, text, { durable });
      } catch (error) {
        const left = files.stat(path);
        if (left?.kind === "file" && left.sizeBytes > before) files.truncate(path, before);
        throw error;
      }
      sizeBytes = before + length;
    },
    readLines({ rotated = false } = {}) {
      const paths = [path];
      if (rotated) for (let number = 1; number <= keep; number += 1) paths.unshift(`${path}.${number}`);
      return paths.flatMap((each) =>
        (files.tryRead(each, "own") ?? "").split("\n").filter((line) => line !== ""),
      );
    },
  };
}

/** Lines from the newest to the oldest, one file in memory at a time: whoever needs the newest reads one file. */
export function* linesNewestFirst(files: Files, path: string, keep: number): Generator<string> {
  for (let number = 0; number <= keep; number += 1) {
    const text = files.tryRead(number === 0 ? path : `${path}.${number}`, "own") ?? "";
    let end = text.length;
    while (end > 0) {
      const start = text.lastIndexOf("\n", end - 1) + 1;
      if (start < end) yield text.slice(start, end);
      end = start - 1;
    }
  }
}
