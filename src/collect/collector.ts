/** What every collector is: a function that looks at one source, with a memory of its own between cycles. */
import type { Self } from "../types/facts.ts";
import type { CollectorReport, Facts } from "../types/snapshot.ts";
import type { UnitsLook } from "./unit-look.ts";

/** What a collector is told about the cycle it runs in. */
export interface Cycle {
  /** Argus's own state, known to the caller. */
  readonly self: Self;
  /** Aborts when the collector's time is up: what it started must end then. */
  readonly signal: AbortSignal;
  /** The configured units and the failed ones; null without systemd. Asked for once a cycle, whoever is first. */
  readonly units: () => Promise<UnitsLook | null>;
}

export interface Observation {
  /** What it looks at does not exist here. */
  readonly absent?: true;
  /** Only facts that were observed. */
  readonly facts: Facts;
  /** One sentence, without a full stop: what was seen, or why there is nothing to see. */
  readonly detail: string;
  /** Sources that it asked besides, and that did not answer. */
  readonly also?: readonly Omit<CollectorReport, "duration_ms">[];
}

/** Throws an Error with one sentence when the source should have answered and did not. */
export type Collect = (cycle: Cycle) => Promise<Observation>;
