/** The daemon: cycles on a schedule that neither drifts nor overlaps, until it is told to stop. */
import { type Parts, runCycle, type Trigger } from "./cycle.ts";
import type { Log } from "./system/log.ts";
import { problemKey } from "./system/problem-key.ts";
import type { Proposal } from "./types/action.ts";
import type { TrailCycle } from "./types/trail.ts";

export interface DaemonOptions {
  /** The parts as they are now; SIGHUP may have replaced them since the last cycle. */
  readonly parts: () => Parts;
  readonly log: Log;
  /** Ends the daemon: cuts off what is waited for and lets the present cycle end. */
  readonly signal: AbortSignal;
  /** After each cycle, failed or not: sends what waits in the outbox. Must not delay the next cycle. */
  readonly afterCycle: () => void;
}

export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { log, signal, parts } = options;
  const { clock } = parts().system;
  let nextMs = clock.monotonicMs();
  while (!signal.aborted) {
    await runGuarded(options, "schedule");
    options.afterCycle();
    // Counted from the slot before, not from now, so that the schedule does not drift; a cycle that took longer than
    // the interval skips slots instead of making up for them in a burst.
    const intervalMs = parts().config.intervalSeconds * 1000;
    nextMs += intervalMs;
    const lateMs = clock.monotonicMs() - nextMs;
    if (lateMs > 0) {
      const skipped = Math.ceil(lateMs / intervalMs);
      log.warn({ skipped }, "a cycle took longer than the interval");
      nextMs += skipped * intervalMs;
    }
    await clock.sleep(Math.max(0, nextMs - clock.monotonicMs()), signal);
  }
}

/** One cycle whose failure is counted, logged with its stack, and told to people at every third in a row. */
export async function runGuarded(
  options: DaemonOptions,
  trigger: Trigger,
): Promise<{ readonly cycle: TrailCycle } | { readonly error: unknown }> {
  const { log, signal } = options;
  const parts = options.parts();
  try {
    const cycle = await runCycle(parts, trigger, signal);
    logCycle(log, cycle);
    return { cycle };
  } catch (error) {
    log.error({ err: error }, "the cycle failed");
    await recordFailure(parts, log, error, signal);
    return { error };
  }
}

async function recordFailure(parts: Parts, log: Log, error: unknown, signal: AbortSignal): Promise<void> {
  try {
    parts.state.fail(error);
  } catch (unwritten) {
    log.error({ err: unwritten }, "the failure could not be recorded");
  }
  const { failuresInARow } = parts.state.state();
  if (failuresInARow === 0 || failuresInARow % 3 !== 0) return;
  const reason = error instanceof Error ? error.message : String(error);
  const proposal: Proposal = {
    type: "alert",
    message: `Argus: ${failuresInARow} cycles in a row failed: ${reason}`.slice(0, 8192),
    source: "self",
    problem: problemKey("argus", "argus", "failing"),
    problemType: "argus",
    severity: "critical",
    subject: "argus",
  };
  const host = parts.system.files.tryRead("/proc/sys/kernel/hostname")?.trim() ?? "unknown host";
  const request = {
    cycle: parts.state.state().cycle ?? "none",
    host,
    dryRun: parts.config.dryRun,
    proposals: [proposal],
  };
  const { actions } = await parts.executor.execute(request, signal);
  for (const action of actions) log.warn({ result: action.result, refusal: action.refusal }, action.detail);
}

/** One line for a quiet cycle; one more for each finding and action otherwise. */
function logCycle(log: Log, { cycle, collectors, findings, actions, problems, notes }: TrailCycle): void {
  const failed = collectors.filter(({ status }) => status === "failed").map(({ name }) => name);
  const { id, trigger, duration_ms, model } = cycle;
  log.info(
    {
      cycle: id,
      trigger,
      duration_ms,
      findings: findings.length,
      actions: actions.length,
      failed,
      model: model.why,
    },
    "cycle",
  );
  for (const { rule, key, severity, resolved, summary } of findings)
    log.info({ cycle: id, rule, key, severity, resolved }, summary);
  for (const { type, target, source, problem, result, refusal, verified, detail } of actions) {
    log.info({ cycle: id, action: type, target, source, problem, result, refusal, verified }, detail);
  }
  for (const key of problems.resolved) log.info({ cycle: id, key }, "resolved");
  for (const note of notes) log.warn({ cycle: id }, note);
}
