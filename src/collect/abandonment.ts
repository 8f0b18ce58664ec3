/** Which processes nobody waits for and nobody can learn the result of: asked of the part that may look into others. */
import { type Asked, type Judged, judgeAll } from "../system/abandoned.ts";
import { isOrphan } from "../system/orphans.ts";
import { lostOnes } from "../system/owner-chain.ts";
import { createReaderMemory, type ReaderMemory } from "../system/readers.ts";
import type { System } from "../system/system.ts";
import { isSystemUnit } from "../system/unit-main.ts";
import { maxAbandonments, type Witness } from "../system/witness.ts";
import type { Tracked } from "./tracked.ts";

export interface Abandonment {
  readonly abandoned: boolean | null;
  readonly because: string | null;
  /** Of one that lost its parent. */
  readonly whyNot: string | null;
}

const not: Abandonment = { abandoned: false, because: null, whyNot: null };
const notAsked: Abandonment = { abandoned: null, because: null, whyNot: null };
const ofScheduler: Abandonment = { ...not, whyNot: "cron or a CI system started it" };

export interface Abandonments {
  of(pid: number): Abandonment;
  /** A clause for the report when they could not be asked about. */
  readonly hidden: string;
}

/**
 * Clears `unitMain` of those of which systemd says so.
 * @param witness null: this process looks by itself, and what it may not see counts as live.
 */
export function createAbandonments(
  system: System,
  witness: Witness | null,
): (all: ReadonlyMap<number, Tracked>, signal: AbortSignal | undefined) => Promise<Abandonments> {
  const memory = createReaderMemory();
  return (all, signal) => observe(system, witness, memory, all, signal);
}

async function observe(
  system: System,
  witness: Witness | null,
  memory: ReaderMemory,
  all: ReadonlyMap<number, Tracked>,
  signal: AbortSignal | undefined,
): Promise<Abandonments> {
  // Of what leads a session in a user's unit, only that user's manager knows whether it is the main process.
  const orphans = [...all.values()].filter((one) =>
    isOrphan(one.unitMain && !isSystemUnit(one) ? { ...one, unitMain: false } : one, all),
  );
  // What cron or a CI system started is theirs, also when they have ended since.
  const allLost = lostOnes(orphans, relationsIn(all));
  const lost = allLost.filter(({ scheduled }) => !scheduled);
  const asked = lost.slice(0, maxAbandonments);
  const answers = new Map<number, Abandonment>(
    allLost.map(({ pid, scheduled }) => [pid, scheduled ? ofScheduler : notAsked]),
  );
  const of = (pid: number): Abandonment => answers.get(pid) ?? not;
  if (asked.length === 0) return { of, hidden: "" };
  try {
    const questions = asked.map(({ pid, startTime, agent }): Asked => ({ pid, startTime, agent }));
    const judged = await ask(system, witness, memory, questions, signal);
    for (const [index, one] of asked.entries()) {
      const answer = judged[index];
      if (answer === undefined) continue;
      const { abandoned, because, isOther } = answer;
      if (isOther) one.unitMain = false;
      answers.set(one.pid, abandoned ? { abandoned, because, whyNot: null } : { ...not, whyNot: because });
    }
    return { of, hidden: "" };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return { of, hidden: `; whether ${asked.length} are abandoned is not known: ${why}` };
  }
}

async function ask(
  system: System,
  witness: Witness | null,
  memory: ReaderMemory,
  questions: readonly Asked[],
  signal: AbortSignal | undefined,
): Promise<readonly Judged[]> {
  if (witness !== null) return await witness.abandonments(questions, signal);
  return (await judgeAll(system, questions, signal, { memory })).judged;
}

function relationsIn(all: ReadonlyMap<number, Tracked>) {
  let children: Map<number, number[]> | null = null;
  return {
    get: (pid: number) => all.get(pid),
    childrenOf(pid: number): readonly number[] {
      children ??= childrenIn(all);
      return children.get(pid) ?? [];
    },
  };
}

function childrenIn(all: ReadonlyMap<number, Tracked>): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const { pid, parentPid, state } of all.values()) {
    if (state === "Z" || state === "X") continue;
    const known = children.get(parentPid);
    if (known === undefined) children.set(parentPid, [pid]);
    else known.push(pid);
  }
  return children;
}
