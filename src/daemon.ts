/** The daemon: cycles on a schedule that neither drifts nor overlaps, and when the bell rings, until it is told to stop. */
import { type Bell, createBell } from "./bell.ts";
import { type Parts, runCycle, type Trigger } from "./cycle.ts";
import { count } from "./report/values.ts";
import type { SelfAlert } from "./self-alert.ts";
import type { Log } from "./system/log.ts";
import type { ServiceManager } from "./system/service-manager.ts";
import type { Clock } from "./system/system.ts";
import type { TrailCycle } from "./types/trail.ts";

export interface DaemonOptions extends CycleOptions {
  readonly manager: ServiceManager;
  readonly beforeCycle: () => void;
  /** After each cycle, failed or not: sends what waits in the outbox. Must not delay the next cycle. */
  readonly afterCycle: (isGood: boolean) => void;
  /** Begins to ring the bell for what happens between two cycles; goes on until the signal aborts. */
  readonly watch: (ring: (reason: string) => void) => { cycleBegins(scheduled: boolean): void };
}

interface CycleOptions {
  /** The parts as they are now; SIGHUP may have replaced them since the last cycle. */
  readonly parts: () => Parts;
  readonly log: Log;
  readonly selfAlert: SelfAlert;
  /** Ends the daemon: cuts off what is waited for and lets the present cycle end. */
  readonly signal: AbortSignal;
}

/** Ten restarts of two minutes each, and the model's minute: no cycle takes longer unless it hangs. */
const longestCycleMs = 25 * 60_000;
const overdueMs = 60_000;

/** What the loop is at, for the watchdog. */
interface Progress {
  /** When the present cycle began; null between two. */
  begunMs: number | null;
  nextMs: number;
  status: string;
}

export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { log, signal, parts, manager } = options;
  const { clock } = parts().system;
  const nap = createNap(clock, signal);
  const bell = createBell(nap.end);
  const progress: Progress = { begunMs: null, nextMs: clock.monotonicMs(), status: "the first cycle runs" };
  void feedWatchdog(manager, progress, clock, signal);
  const watch = options.watch((reason) => bell.ring(reason, clock.monotonicMs()));
  let isReady = false;
  while (!signal.aborted) {
    const turn = takeTurn(bell, progress.nextMs, clock.monotonicMs(), parts().timers.next());
    if (turn.trigger === null) {
      await nap.until(turn.dueMs);
      continue;
    }
    progress.begunMs = clock.monotonicMs();
    parts().timers.clear();
    watch.cycleBegins(turn.trigger === "schedule");
    options.beforeCycle();
    const outcome = await runGuarded(options, turn.trigger, turn.wokenBy);
    progress.begunMs = null;
    progress.status = statusOf(outcome);
    if (!isReady && "cycle" in outcome) {
      isReady = true;
      await manager.ready(progress.status);
    }
    options.afterCycle("cycle" in outcome);
    if (turn.trigger === "wake") continue;
    // Counted from the slot before, not from now, so that the schedule does not drift; a cycle that took longer than
    // the interval skips slots instead of making up for them in a burst.
    const intervalMs = parts().config.intervalSeconds * 1000;
    progress.nextMs += intervalMs;
    const lateMs = clock.monotonicMs() - progress.nextMs;
    if (lateMs > 0) {
      const skipped = Math.ceil(lateMs / intervalMs);
      log.warn({ skipped }, "a cycle took longer than the interval");
      progress.nextMs += skipped * intervalMs;
    }
  }
  await manager.stopping();
}

type Turn =
  | { readonly trigger: Trigger; readonly wokenBy: readonly string[] }
  | { readonly trigger: null; readonly dueMs: number };

/** The schedule goes first: its cycle sees what the bell rang for as well. @param due what is not rationed. */
export function takeTurn(
  bell: Bell,
  slotMs: number,
  nowMs: number,
  due: { readonly atMs: number; readonly why: string } | null = null,
): Turn {
  if (nowMs >= slotMs) return { trigger: "schedule", wokenBy: bell.answer() };
  const wakeMs = bell.dueMs(nowMs);
  if (wakeMs !== null && nowMs >= wakeMs) return { trigger: "wake", wokenBy: bell.answerAwake(nowMs) };
  if (due !== null && nowMs >= due.atMs) return { trigger: "wake", wokenBy: [due.why, ...bell.answer()] };
  return { trigger: null, dueMs: Math.min(slotMs, wakeMs ?? slotMs, due?.atMs ?? slotMs) };
}

/** A sleep that the bell ends early. */
function createNap(clock: Clock, signal: AbortSignal) {
  let waking: AbortController | null = null;
  const end = (): void => waking?.abort();
  signal.addEventListener("abort", end, { once: true });
  return {
    end,
    async until(dueMs: number): Promise<void> {
      waking = new AbortController();
      await clock.sleep(Math.max(0, dueMs - clock.monotonicMs()), waking.signal);
      waking = null;
    },
  };
}

/** Silence where no progress is: systemd then ends this process and starts another one. */
async function feedWatchdog(
  manager: ServiceManager,
  progress: Progress,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (manager.feedEveryMs === null) return;
  while (!signal.aborted) {
    await clock.sleep(manager.feedEveryMs, signal);
    if (!signal.aborted && isMoving(progress, clock.monotonicMs())) await manager.feed(progress.status);
  }
}

export function isMoving({ begunMs, nextMs }: Pick<Progress, "begunMs" | "nextMs">, nowMs: number): boolean {
  return begunMs === null ? nowMs - nextMs < overdueMs : nowMs - begunMs < longestCycleMs;
}

function statusOf(outcome: Awaited<ReturnType<typeof runGuarded>>): string {
  if ("error" in outcome) return "the last cycle failed: see argus status";
  const { cycle, problems, actions } = outcome.cycle;
  return `cycle of ${cycle.ts}: ${count(problems.open.length, "open problem")}, ${count(actions.length, "action")}`;
}

/** One cycle whose failure is counted, logged with its stack, and told to people at every third in a row. */
export async function runGuarded(
  options: CycleOptions,
  trigger: Trigger,
  wokenBy: readonly string[] = [],
): Promise<{ readonly cycle: TrailCycle } | { readonly error: unknown }> {
  const { log, selfAlert, signal } = options;
  const parts = options.parts();
  const ended = new AbortController();
  try {
    if (parts.state.countCutOff())
      await selfAlert.failed(parts, parts.state.state().lastError ?? "it was cut off", signal);
    const sentence = await parts.reserve.tend();
    if (sentence !== null) parts.notes.push(sentence);
    void tellWhenItHangs(options, parts, ended.signal);
    const cycle = await runCycle(parts, trigger, signal, wokenBy);
    logCycle(log, cycle);
    ended.abort();
    await selfAlert
      .good(parts, signal)
      .then(() => selfAlert.files(parts, signal))
      .catch((error: unknown) =>
        log.error({ err: error }, "nobody could be notified that cycles end again, or of broken files"),
      );
    return { cycle };
  } catch (error) {
    log.error({ err: error }, "the cycle failed");
    await recordFailure(options, parts, error);
    return { error };
  } finally {
    ended.abort();
  }
}

async function tellWhenItHangs(
  { selfAlert, signal, log }: CycleOptions,
  parts: Parts,
  ended: AbortSignal,
): Promise<void> {
  await parts.system.clock.sleep(longestCycleMs, ended);
  if (ended.aborted || signal.aborted) return;
  await selfAlert
    .hangs(parts, longestCycleMs / 1000, signal)
    .catch((error: unknown) => log.error({ err: error }, "nobody could be notified that the cycle hangs"));
}

async function recordFailure(options: CycleOptions, parts: Parts, error: unknown): Promise<void> {
  const { log, selfAlert, signal } = options;
  try {
    parts.state.fail(error);
  } catch (unwritten) {
    log.error({ err: unwritten }, "the failure could not be recorded");
  }
  const reason = error instanceof Error ? error.message : String(error);
  await selfAlert
    .failed(parts, reason, signal)
    .catch((bug: unknown) => log.error({ err: bug }, "nobody could be notified of the failure"));
}

/** One line for a quiet cycle; one more for each finding and action otherwise. */
function logCycle(log: Log, { cycle, collectors, findings, actions, problems, notes }: TrailCycle): void {
  const failed = collectors.filter(({ status }) => status === "failed").map(({ name }) => name);
  const { id, trigger, woken_by, duration_ms, model } = cycle;
  log.info(
    {
      cycle: id,
      trigger,
      woken_by,
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
  for (const key of problems.resolved)
    log.info({ cycle: id, key }, problems.closed?.includes(key) ? "closed" : "resolved");
  for (const note of notes) log.warn({ cycle: id }, note);
}
