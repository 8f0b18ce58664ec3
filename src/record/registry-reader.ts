/** `problems.jsonl`, read: by lines, within a bound of memory, however large it is. */
import { join } from "node:path";
import { withoutMark } from "../system/byte-order-mark.ts";
import { fileError } from "../system/file-error.ts";
import { readFirstLine } from "../system/first-argus/line.ts";
import { linesNewestFirst, linesOldestFirst, longestRegistryLineBytes } from "../system/lines.ts";
import type { Files } from "../system/system.ts";
import { RegistryRecord } from "../types/problem.ts";
import { createFold, type Folded, type FoldOptions } from "./folding.ts";

/** Rotated files besides the present one. */
export const keep = 4;

export const registryPath = (stateDir: string): string => join(stateDir, "problems.jsonl");

const longestBytes = longestRegistryLineBytes;

/** Counts what it cannot read instead of stopping at it: a torn line, or one of a later version. */
export function parseRecord(line: string): RegistryRecord | null {
  try {
    const value: unknown = JSON.parse(withoutMark(line));
    return RegistryRecord.safeParse(value).data ?? readFirstLine(value);
  } catch {
    return null;
  }
}

/** Somebody who edited it left nothing out there. */
const isBlank = (line: string): boolean => !/\S/.test(line);

const passedOver = (path: string, count: number): string =>
  count === 1
    ? `1 line of ${path} could not be read (cut off by a crash, or not Argus's) and was passed over`
    : `${count} lines of ${path} could not be read (cut off by a crash, or not Argus's) and were passed over`;

/** What of the history is not in what was read, a sentence for each kind. */
export function registryNotes(
  path: string,
  { passedOver: lines, leftOut = 0 }: { readonly passedOver: number; readonly leftOut?: number },
): string[] {
  return [
    ...(lines > 0 ? [passedOver(path, lines)] : []),
    ...(leftOut > 0
      ? [
          `${path} holds more problems than Argus keeps in memory: up to ${leftOut} are left out, the milder and older ones first`,
        ]
      : []),
  ];
}

export interface ReadProblems extends Folded {
  readonly passedOver: number;
  /** Of the lines that repeat what the file before left open. */
  readonly carriedBytes: number;
}

/** The problems as the newest file tells them; each file begins with what the one before left open. */
export function readProblems(files: Files, stateDir: string, options: FoldOptions = {}): ReadProblems {
  const path = registryPath(stateDir);
  // Between the two renames of a rotation there is no file of that name, but what it will begin with stands ready.
  const names = [path, `${path}.next`, path];
  const fold = createFold(options);
  let passedOver = 0;
  let carriedBytes = 0;
  const onTooLong = () => {
    passedOver += 1;
  };
  try {
    for (const line of linesOldestFirst(files, names, { onTooLong, longestBytes })) {
      if (isBlank(line)) continue;
      const record = parseRecord(line);
      if (record === null) passedOver += 1;
      else fold.take(record);
      if (record?.event === "carried") carriedBytes += Buffer.byteLength(line) + 1;
    }
  } catch (error) {
    throw fileError("read", path, error);
  }
  return { ...fold.result(), passedOver, carriedBytes };
}

export interface RegistryHistory {
  /** Newest first, through the rotated files as far as they are asked for. */
  records(): Generator<RegistryRecord>;
  /** The same, those not older than this moment (ISO 8601, UTC). */
  since(from: string): Generator<RegistryRecord>;
  /** Lines passed over so far. */
  passedOver(): number;
}

/** A clock that was set back leaves some that seem too old between the others: after so many in a row there are no others. */
const olderInARow = 1000;

export function readHistory(files: Files, stateDir: string): RegistryHistory {
  let passedOver = 0;
  const onTooLong = () => {
    passedOver += 1;
  };

  function* records(): Generator<RegistryRecord> {
    for (const line of linesNewestFirst(files, registryPath(stateDir), keep, { onTooLong, longestBytes })) {
      if (isBlank(line)) continue;
      const record = parseRecord(line);
      if (record === null) passedOver += 1;
      else if (record.event !== "carried") yield record;
    }
  }

  return {
    records,
    *since(from) {
      let older = 0;
      for (const record of records()) {
        older = record.ts < from ? older + 1 : 0;
        if (older === 0) yield record;
        else if (older >= olderInARow) return;
      }
    },
    passedOver: () => passedOver,
  };
}
