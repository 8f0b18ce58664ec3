/** An acknowledgement ends with the outage that it is about. */
import type { Parts } from "./cycle.ts";
import { reasonOf } from "./execute/reason.ts";
import { type Ack, ackOf } from "./types/ack.ts";

export async function forgetEndedAcks(
  { config, registry, executor, notes }: Pick<Parts, "config" | "registry" | "executor" | "notes">,
  acks: readonly Ack[],
): Promise<void> {
  if (config.dryRun) return;
  const problems = registry.problems();
  const ended = acks.filter((ack) => {
    const problem = problems.get(ack.key);
    return problem === undefined || ackOf([ack], problem) === undefined;
  });
  if (ended.length === 0) return;
  try {
    await executor.forgetAcks(ended.map(({ key, openedAt }) => ({ key, openedAt })));
  } catch (error) {
    // It holds back nothing any more; the next cycle says so to the executor again.
    notes.push(`an acknowledgement that has ended is still in the executor's file: ${reasonOf(error)}`);
  }
}
