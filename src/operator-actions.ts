/** What people asked for on the command line enters problem history and decision log, each exactly once. */
import type { Parts } from "./cycle.ts";
import { reasonOf } from "./execute/reason.ts";
import { readTrail } from "./record/trail.ts";
import type { OperatorAction } from "./types/operator-action.ts";
import type { TrailCycle } from "./types/trail.ts";

export async function recordOperatorActions(
  {
    system,
    config,
    registry,
    trail,
    executor,
    notes,
  }: Pick<Parts, "system" | "config" | "registry" | "trail" | "executor" | "notes">,
  unrecorded: readonly OperatorAction[],
): Promise<void> {
  if (unrecorded.length === 0) return;
  const written = readTrail(system.files, config.stateDir);
  for (const each of unrecorded) {
    // Killed between the entry and the executor's note of it, the last time?
    if (written.byCycle(each.id).kind === "one") continue;
    registry.recordActions([each.action], each);
    trail.append(entryOf(each));
  }
  try {
    await executor.recorded(unrecorded.map(({ id }) => id));
  } catch (error) {
    // They stand in the log; the next cycle says so to the executor again.
    notes.push(`the executor did not take that its actions by hand are recorded: ${reasonOf(error)}`);
  }
}

function entryOf({ id, ts, host, action }: OperatorAction): TrailCycle {
  return {
    version: 1,
    kind: "cycle",
    cycle: {
      id,
      ts,
      trigger: "command",
      duration_ms: Math.round(action.duration_ms),
      dry_run: false,
      host,
      model: { asked: false, why: "nothing_found", detail: "a command asks no model" },
    },
    collectors: [],
    findings: [],
    consultation: null,
    actions: [action],
    rules: { total: 0, quiet: 0, verdicts: [] },
    problems: { opened: [], resolved: [], open: [] },
    notes: [],
  };
}
