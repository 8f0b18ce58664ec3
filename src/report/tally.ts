/** What the counting of days is made of. */
import { pastSource } from "../types/problem.ts";

/** Who asked for an action; `agent` is the coding agent of a hand-off. */
export type Asker = "rule" | "model" | "agent" | "operator" | "self" | typeof pastSource;

/** @param source `rule:NAME`, `llm:MODEL`, `operator`, `self` or `first-argus`, as it stands in the records. */
export function askerOf(source: string): Asker {
  if (source.startsWith("rule:")) return "rule";
  if (source === "llm:hand-off") return "agent";
  if (source.startsWith("llm:")) return "model";
  return source === "operator" || source === pastSource ? source : "self";
}

/** The nearest rank: one of the values themselves. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

export class Counts<T extends string> {
  readonly #counts = new Map<T, number>();

  add(what: T): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** Most first. */
  rows(): [T, number][] {
    return [...this.#counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  }

  all(): Record<T, number> {
    return Object.fromEntries(this.rows()) as Record<T, number>;
  }
}
