/** What a cycle knows about Argus itself: before it looks, and once it has looked. */
import type { Parts, Trigger } from "./cycle.ts";
import type { ExecutorLook } from "./execute/look.ts";
import { failingChannels } from "./notify/view.ts";
import { brokenBriefly, brokenSentence } from "./report/broken.ts";
import type { Held } from "./system/system.ts";
import type { Self } from "./types/facts.ts";
import type { Snapshot } from "./types/snapshot.ts";

/** As long as a value may be in the summary of a rule. */
const mostCharacters = 200;

export function selfOf(
  { state, book, system, config }: Parts,
  executor: Pick<ExecutorLook, "error" | "settingsFault" | "unwritten">,
): Self {
  const files = new Set(book.faults().map((fault) => fault.file));
  const rules = book.broken();
  const settings = config.broken === undefined ? executor.settingsFault : brokenSentence(config.broken);
  const before = state.selfFact({
    brokenFiles: files.size,
    brokenDetail: rules === null ? null : brokenBriefly(brokenSentence(rules), mostCharacters),
    settingsFault: settings === null ? null : brokenBriefly(settings, mostCharacters),
    executorError: executor.error,
  });
  const channels = failingChannels(system.files, config.stateDir, {
    names: config.channels.map(({ name }) => name),
    intervalSeconds: config.intervalSeconds,
    nowMs: system.clock.now().wallMs,
  });
  const writing = writingOf(system.files.holding?.held() ?? null, executor.unwritten);
  return { ...before, ...writing, failedCollectors: [], failedCollectorDetail: null, ...channels };
}

function writingOf(
  own: Held | null,
  ofExecutor: Held | null,
): Pick<Self, "writes" | "unwrittenSince" | "unwrittenDetail"> {
  const both = [own, ofExecutor].flatMap((held) => held ?? []);
  if (both.length === 0) return { writes: true, unwrittenSince: null, unwrittenDetail: null };
  const dropped = both.reduce((sum, { droppedLines }) => sum + droppedLines, 0);
  const lost = dropped === 0 ? [] : [`${dropped} of the oldest lines were too much and are lost`];
  return {
    writes: false,
    unwrittenSince: both.map(({ since }) => since).sort()[0] ?? null,
    unwrittenDetail: [...new Set(both.map(({ why }) => why)), ...lost].join("; "),
  };
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
