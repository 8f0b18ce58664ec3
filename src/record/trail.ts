/** `trail.jsonl`: every decision of every cycle. `argus explain` renders it and computes nothing of its own. */
import { join } from "node:path";
import { fileError } from "../system/file-error.ts";
import { createLineFile } from "../system/line-file.ts";
import { holdsTooMuch, linesNewestFirst } from "../system/lines.ts";
import { stringify } from "../system/printable.ts";
import { redactDeep } from "../system/redact/redact.ts";
import type { Files } from "../system/system.ts";
import { UserError } from "../types/errors.ts";
import { TrailCycle } from "../types/trail.ts";

const maxBytes = 10_000_000;
const keep = 2;

export const trailPath = (stateDir: string): string => join(stateDir, "trail.jsonl");

export interface Trail {
  /** @returns what is on disk then: the same without secrets, for whoever shows it. Throws a UserError that names the file and the mend. */
  append(cycle: TrailCycle): TrailCycle;
}

/**
 * Rotates at once a file that is larger than may be.
 * @param note told in one sentence when that failed.
 * @param limits for tests of the rotation.
 */
export function createTrail(
  files: Files,
  stateDir: string,
  note: (sentence: string) => void = () => {},
  limits = { maxBytes, keep },
): Trail {
  const path = trailPath(stateDir);
  const lines = createLineFile({ files, path, ...limits, durable: true });
  try {
    lines.rotateIfFull();
  } catch (error) {
    const told = fileError("rotate", path, error);
    if (!(told instanceof UserError)) throw told;
    note(told.message);
  }
  return {
    append(cycle) {
      const safe = redactDeep(cycle);
      try {
        lines.append(line(safe));
        return safe;
      } catch (error) {
        throw fileError("write the trail", path, error);
      }
    },
  };
}

export type Found =
  | { readonly kind: "one"; readonly cycle: TrailCycle }
  | { readonly kind: "none" }
  /** The beginning fits several cycles: the ids, newest first. */
  | { readonly kind: "several"; readonly ids: readonly string[] };

/** Reads no further back than each question needs. */
export interface TrailReader {
  cycles(): Generator<TrailCycle>;
  /** The newest look at the machine: an action by a command is none. */
  newest(): TrailCycle | null;
  newestWithFindings(): TrailCycle | null;
  /** @param id the whole id, or enough of its beginning. */
  byCycle(id: string): Found;
  /** Newest first: cycles in which the problem was found, acted upon, opened or resolved. */
  byProblem(key: string): Generator<TrailCycle>;
  /** Lines passed over so far, as a sentence; null when there were none. */
  passedOver(): string | null;
}

export function readTrail(files: Files, stateDir: string): TrailReader {
  const path = trailPath(stateDir);
  /** The most of any question: each begins at the newest line, so that a second one does not count it again. */
  let unreadable = 0;

  /** @param mayMatch a test of the text, so that a trail of megabytes is searched without parsing every line. */
  function* parsed(mayMatch: (line: string) => boolean): Generator<TrailCycle> {
    let count = 0;
    const onUnreadable = () => {
      count += 1;
      unreadable = Math.max(unreadable, count);
    };
    for (const line of linesNewestFirst(files, path, keep, { onTooLong: onUnreadable })) {
      if (line.startsWith(head) && !mayMatch(line)) continue;
      const cycle = parse(line);
      if (cycle === null) onUnreadable();
      else if (mayMatch(line)) yield cycle;
    }
  }

  const first = (cycles: Generator<TrailCycle>): TrailCycle | null => cycles.next().value ?? null;

  return {
    cycles: () => parsed(() => true),
    newest: () => first(parsed((line) => !line.includes('"trigger":"command"'))),
    // Inside a JSON string the quotes would be escaped, so this stands nowhere but in the field itself.
    newestWithFindings: () => first(parsed((line) => !line.includes('"findings":[]'))),
    byCycle(id) {
      const start = stringify(id).slice(0, -1);
      const ids: string[] = [];
      let match: TrailCycle | null = null;
      for (const cycle of parsed((line) => line.includes(`"id":${start}`))) {
        if (cycle.cycle.id === id) return { kind: "one", cycle };
        if (!cycle.cycle.id.startsWith(id)) continue;
        match ??= cycle;
        ids.push(cycle.cycle.id);
      }
      if (match === null) return { kind: "none" };
      return ids.length === 1 ? { kind: "one", cycle: match } : { kind: "several", ids };
    },
    *byProblem(key) {
      for (const cycle of parsed((line) => line.includes(`"${key}"`))) {
        const { findings, actions, problems, hand_offs: agents = [] } = cycle;
        const named = [
          ...findings.map((each) => each.key),
          ...[...actions, ...agents].map((each) => each.problem),
        ];
        if ([...named, ...problems.opened, ...problems.resolved, ...problems.open].includes(key)) yield cycle;
      }
    },
    passedOver() {
      const count = unreadable;
      if (count === 0) return null;
      return count === 1
        ? `1 line of ${path} could not be read (cut off by a crash, or not Argus's) and was passed over`
        : `${count} lines of ${path} could not be read (cut off by a crash, or not Argus's) and were passed over`;
    },
  };
}

/** How every line that Argus wrote begins: what a reader may rely on before it parses. */
const head = '{"version":1,"kind":"cycle","cycle":{"id":';

function line({ version, kind, cycle, ...rest }: TrailCycle): string {
  const { id, ...about } = cycle;
  return stringify({ version, kind, cycle: { id, ...about }, ...rest });
}

function parse(line: string): TrailCycle | null {
  if (holdsTooMuch(line)) return null;
  try {
    return TrailCycle.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
