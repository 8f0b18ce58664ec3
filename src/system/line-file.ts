/**
 * A file of JSON lines that only grows at its end, is rotated by size (`x`, `x.1`, ... `x.N`) and survives a
 * torn last line: a crash in the middle of an append costs that line and no other. One process writes it.
 */
import { isNoRoom } from "./error-code.ts";
import { linesOldestFirst } from "./lines.ts";
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
   * What the new file must begin with after a rotation, so that nothing still open is forgotten: what matters most
   * first. It is read until it is more than `mostCarriedBytes`, and stands in the file in the reverse order.
   */
  readonly carryOver?: () => Iterable<string>;
  /** Default: half of maxBytes. */
  readonly mostCarriedBytes?: number;
  /** What the present file begins with already; it does not count towards maxBytes. Default 0. */
  readonly carriedBytes?: number;
}

export interface LineFile {
  /**
   * Throws when not all of it could be written; the file then is as it was before. What somebody put in its place is
   * not written to: RefusedFile.
   */
  append(...lines: string[]): void;
  /** Rotates a file that is larger than may be already, as one of an earlier version is. Errors as for append. */
  rotateIfFull(): void;
  /** Newest line last. With `rotated`, those of the rotated files come first. */
  readLines(options?: { rotated?: boolean }): string[];
}

const joined = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");

export function createLineFile(options: LineFileOptions): LineFile {
  const { files, path, maxBytes, keep, durable } = options;
  const next = `${path}.next`;
  let sizeBytes: number | null = null;
  let headBytes = options.carriedBytes ?? 0;

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
    const lines: string[] = [];
    let length = 0;
    for (const line of options.carryOver?.() ?? []) {
      length += Buffer.byteLength(line) + 1;
      if (length > (options.mostCarriedBytes ?? maxBytes / 2)) break;
      lines.push(line);
    }
    return joined(lines.reverse());
  }

  /** Waits while there is no room: what is in memory alone would bring the whole file there. */
  function rotate(): void {
    if ((files.holding?.held() ?? null) !== null) return;
    try {
      rotateOn(files.holding?.disk ?? files);
    } catch (error) {
      if (!isNoRoom(error)) throw error;
      sizeBytes = null;
    }
  }

  function rotateOn(disk: Files): void {
    // What is carried over stands complete before the old file moves away: a crash here forgets nothing.
    const text = carried();
    if (text !== "") disk.writeAtomic(next, text, { durable });
    // Up to the first name that is free: a rotation that was cut off has left one, and pushes nothing out twice.
    let free = 1;
    while (free < keep && disk.stat(`${path}.${free}`) !== null) free += 1;
    if (free === keep) disk.remove(`${path}.${keep}`);
    for (let number = free - 1; number >= 1; number -= 1)
      disk.rename(`${path}.${number}`, `${path}.${number + 1}`);
    if (keep > 0) disk.rename(path, `${path}.1`);
    else disk.remove(path);
    if (text !== "") disk.rename(next, path);
    sizeBytes = Buffer.byteLength(text);
    headBytes = sizeBytes;
  }

  const isFull = (size: number): boolean => size > maxBytes + headBytes;

  /** Another process (`argus run --once` beside a stopped daemon, a person with an editor) may have changed it. */
  function known(): number {
    if (sizeBytes === null || files.stat(path)?.sizeBytes !== sizeBytes) sizeBytes = open();
    return sizeBytes;
  }

  return {
    append(...lines) {
      if (lines.length === 0) return;
      const text = joined(lines);
      const length = Buffer.byteLength(text);
      const present = known();
      if (present > headBytes && isFull(present + length)) rotate();
      const before = known();
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
    rotateIfFull() {
      if (isFull(known())) rotate();
    },
    readLines({ rotated = false } = {}) {
      const paths = [path];
      if (rotated) for (let number = 1; number <= keep; number += 1) paths.unshift(`${path}.${number}`);
      return paths.flatMap((each) => [...linesOldestFirst(files, [each])]);
    },
  };
}
