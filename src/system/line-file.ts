/**
 * A file of JSON lines that only grows at its end, is rotated by size (`x`, `x.1`, ... `x.N`) and survives a
 * torn last line: a crash in the middle of an append costs that line and no other.
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
  /** What the new file must begin with after a rotation, so that nothing still open is forgotten. */
  readonly carryOver?: () => readonly string[];
}

export interface LineFile {
  append(...lines: string[]): void;
  /** Newest file last; a torn or foreign line is passed over and counted. */
  readLines(options?: { rotated?: boolean }): string[];
}

export function createLineFile(options: LineFileOptions): LineFile {
  const { files, path, maxBytes, keep, durable } = options;
  let sizeBytes: number | null = null;

  /** Ends a torn last line, so that the next one does not become part of it. */
  function open(): number {
    const status = files.stat(path);
    if (status === null) return 0;
    if (status.sizeBytes === 0 || files.read(path).endsWith("\n")) return status.sizeBytes;
    files.append(path, "\n", { durable });
    return status.sizeBytes + 1;
  }

  function rotate(): void {
    const carried = options.carryOver?.() ?? [];
    files.remove(`${path}.${keep}`);
    for (let number = keep - 1; number >= 1; number -= 1) {
      if (files.stat(`${path}.${number}`) !== null) files.rename(`${path}.${number}`, `${path}.${number + 1}`);
    }
    if (keep > 0) files.rename(path, `${path}.1`);
    else files.remove(path);
    const text = carried.map((line) => `${line}\n`).join("");
    if (text !== "") files.append(path, text, { durable });
    sizeBytes = Buffer.byteLength(text);
  }

  return {
    append(...lines) {
      const text = lines.map((line) => `${line}\n`).join("");
      const length = Buffer.byteLength(text);
      // Another process (`argus run --once` beside a stopped daemon, a log viewer) may have moved the file.
      if (sizeBytes === null || files.stat(path)?.sizeBytes !== sizeBytes) sizeBytes = open();
      if (sizeBytes > 0 && sizeBytes + length > maxBytes) rotate();
      files.append(path, text, { durable });
      sizeBytes += length;
    },
    readLines({ rotated = false } = {}) {
      const paths = [path];
      if (rotated) for (let number = 1; number <= keep; number += 1) paths.unshift(`${path}.${number}`);
      return paths.flatMap((each) => (files.tryRead(each) ?? "").split("\n").filter((line) => line !== ""));
    },
  };
}
