/** Lines of any number -> problems, within a bound of memory: what stays is what is open, is worst, and is newest. */
import { type Problem, type RegistryRecord, severities } from "../types/problem.ts";
import { applyRecord, isOpen } from "./problems.ts";

/** Together some 30 MB, and more than a new file takes over: the daemon may use 256 MB for all that it does. */
const most: FoldLimits = { problems: 12_000, characters: 16_000_000 };

export interface FoldLimits {
  readonly problems: number;
  /** Of all texts of all problems, about. */
  readonly characters: number;
}

export interface Folded {
  /** By key. */
  readonly problems: Map<string, Problem>;
  /**
   * How many were left out that were open, or ended after `recentMs`, when their turn came. One of them may have ended,
   * or begun anew, in a later line.
   */
  readonly leftOut: number;
}

export interface FoldOptions {
  /** Only these. */
  readonly keys?: ReadonlySet<string> | undefined;
  /** Of what ended before, nobody misses anything. Default: of all that has ended. */
  readonly recentMs?: number;
  /** For tests. */
  readonly limits?: FoldLimits;
}

/** Takes the records oldest first. */
export function createFold({ keys, recentMs = Number.POSITIVE_INFINITY, limits = most }: FoldOptions = {}) {
  const problems = new Map<string, Problem>();
  let characters = 0;
  let leftOut = 0;

  /** Half as much again may gather before, so that it is not sorted for every line. */
  function isOver(share: number): boolean {
    return problems.size > limits.problems * share || characters > limits.characters * share;
  }

  function prune(): void {
    for (const problem of [...problems.values()].sort((a, b) => mostFirst(b, a))) {
      if (!isOver(1)) return;
      problems.delete(problem.key);
      characters -= charactersOf(problem);
      const isRecent = Date.parse(problem.lastSeen) >= recentMs;
      if (isRecent || isOpen(problem)) leftOut += 1;
    }
  }

  return {
    take(record: RegistryRecord): void {
      if (keys !== undefined && !keys.has(record.key)) return;
      const before = problems.get(record.key);
      const after = applyRecord(before, record);
      if (after === undefined || after === before) return;
      problems.set(after.key, after);
      characters += charactersOf(after) - (before === undefined ? 0 : charactersOf(before));
      if (isOver(1.5)) prune();
    },
    result(): Folded {
      if (isOver(1)) prune();
      return { problems, leftOut };
    },
  };
}

/** What must stay when not all can: open before over, worse before better, newer before older. */
export const mostFirst = (a: Problem, b: Problem): number =>
  worth(b) - worth(a) || (a.lastSeen > b.lastSeen ? -1 : 1);

const worth = (problem: Problem): number =>
  (isOpen(problem) ? 2 : 1) * severities.length - severities.indexOf(problem.severity);

function charactersOf({ key, description, subject, was, openings, actions, rules }: Problem): number {
  let length = 400 + key.length + description.length + subject.length + (was?.length ?? 0);
  for (const rule of rules) length += rule.length;
  for (const { action, reason } of actions) length += 150 + action.length + reason.length;
  return length + openings.length * 32;
}
