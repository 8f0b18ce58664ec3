/** What a cycle knows about Argus itself: before it looks, and once it has looked. */
import type { Parts, Trigger } from "./cycle.ts";
import { failingChannels } from "./notify/view.ts";
import { faultText } from "./system/json-source.ts";
import type { Self } from "./types/facts.ts";
import type { Snapshot } from "./types/snapshot.ts";

export function selfOf({ state, book, system, config }: Parts, executorError: string | null): Self {
  const faults = book.faults();
  const [first] = faults;
  const files = new Set(faults.map((fault) => fault.file));
  const before = state.selfFact({
    brokenFiles: files.size,
    brokenDetail: first === undefined ? null : faultText(first),
    executorError,
  });
  const channels = failingChannels(system.files, config.stateDir, {
    names: config.channels.map(({ name }) => name),
    intervalSeconds: config.intervalSeconds,
    nowMs: system.clock.now().wallMs,
  });
  return { ...before, failedCollectors: [], failedCollectorDetail: null, ...channels };
}

/** What this very cycle did not see is known only now. */
export function withFailures({ state }: Parts, snapshot: Snapshot, trigger: Trigger): Snapshot {
  const { self } = snapshot.facts;
  if (self === undefined) return snapshot;
  const failures = state.countCollectors(snapshot.collectors, trigger !== "wake");
  return { ...snapshot, facts: { ...snapshot.facts, self: { ...self, ...failures } } };
}

/** How the boot before this one ended. What is not known is left out: its rule is blind then. */
export async function withReboot(
  { reboots, state, notes }: Pick<Parts, "reboots" | "state" | "notes">,
  snapshot: Snapshot,
): Promise<Snapshot> {
  try {
    return { ...snapshot, facts: { ...snapshot.facts, reboot: await reboots.look(state.atStart()) } };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    notes.push(`how the last boot ended could not be noted: ${error.message}`);
    return snapshot;
  }
}
