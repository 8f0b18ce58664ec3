/** What Argus has systemd do with a unit: over the bus where there is one, else by systemctl(1). */
import { timeLimit } from "../types/quantities.ts";
import { hearSystemd } from "./bus/signals.ts";
import { managerCall, systemdName } from "./bus/systemd1.ts";
import type { BusConnection, System } from "./system.ts";
import { isRefused } from "./unit-state.ts";
import { askBus } from "./units-by-bus.ts";

export interface JobOptions {
  readonly timeoutMs: number;
  /** Ends the wait, not what was begun. */
  readonly signal?: AbortSignal;
}

export interface JobAnswer {
  readonly ok: boolean;
  /** systemd may still be at it. */
  readonly timedOut: boolean;
  /** One sentence, or systemctl's first line; empty when all is well. */
  readonly why: string;
}

const done: JobAnswer = { ok: true, timedOut: false, why: "" };
const refused = (why: string): JobAnswer => ({ ok: false, timedOut: false, why });

/** Returns when the job has ended. Does not throw for what goes wrong with it. */
export async function restartUnit(
  { bus, run }: Pick<System, "bus" | "run">,
  unit: string,
  options: JobOptions,
): Promise<JobAnswer> {
  const found = await bus.connect();
  if ("why" in found) return await systemctl(run, "restart", unit, options);
  try {
    return await restartByBus(found.connection, unit, options);
  } catch (error) {
    return failedToRestart(unit, error);
  }
}

const failedToRestart = (unit: string, error: unknown): JobAnswer =>
  refused(`Failed to restart ${unit}: ${error instanceof Error ? error.message : String(error)}`);

/** Forgets that a unit failed, and how often it was started. As restartUnit. */
export async function resetFailed(
  { bus, run }: Pick<System, "bus" | "run">,
  unit: string,
  options: JobOptions,
): Promise<JobAnswer> {
  const found = await bus.connect();
  if ("why" in found) return await systemctl(run, "reset-failed", unit, options);
  try {
    await found.connection.call(managerCall("ResetFailedUnit", "s", [unit]), options);
    return done;
  } catch (error) {
    return refused(`Failed to reset ${unit}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function systemctl(
  run: System["run"],
  verb: string,
  unit: string,
  options: JobOptions,
): Promise<JobAnswer> {
  const result = await run("systemctl", ["--no-ask-password", verb, unit], options);
  if (result.exitCode === 0) return done;
  const why = result.stderr.split("\n", 1)[0] || `exit status ${result.exitCode}`;
  return { ok: false, timedOut: result.timedOut, why };
}

const jobsEnd = `type='signal',sender='${systemdName}',interface='${systemdName}.Manager',member='JobRemoved',path='/org/freedesktop/systemd1'`;

async function restartByBus(
  connection: BusConnection,
  unit: string,
  { timeoutMs, signal }: JobOptions,
): Promise<JobAnswer> {
  /** Path of a job -> its result. A job may have ended before we are told its path. */
  const ended = new Map<string, string>();
  let job: string | null = null;
  let settle: (result: string | JobAnswer) => void = () => undefined;
  const settled = new Promise<string | JobAnswer>((resolve) => {
    settle = resolve;
  });
  const look = () => {
    const result = job === null ? undefined : ended.get(job);
    if (result !== undefined) settle(result);
  };
  const stop = await hearSystemd(connection, jobsEnd, {
    onSignal(message) {
      if (message.member !== "JobRemoved") return;
      const [, path, , result] = message.body();
      ended.set(String(path), String(result));
      look();
    },
    onLost: (why) => settle(refused(`systemd may still be at it, but cannot be heard any more: ${why}`)),
  });
  const late = () => settle({ ok: false, timedOut: true, why: `no end within ${timeLimit(timeoutMs)}` });
  const timer = setTimeout(late, timeoutMs);
  const cut = () => settle(refused("the wait for its end was cut off"));
  signal?.addEventListener("abort", cut, { once: true });
  try {
    // No time limit of its own that could come first: a bus that asks polkit takes a while.
    const limits = { timeoutMs: timeoutMs + 1000, ...(signal === undefined ? {} : { signal }) };
    connection.call(managerCall("RestartUnit", "ss", [unit, "replace"]), limits).then(
      (reply) => {
        job = String(reply.body()[0]);
        look();
      },
      (error: unknown) => settle(failedToRestart(unit, error)),
    );
    const result = await settled;
    return typeof result === "string" ? await answerTo(connection, unit, result) : result;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cut);
    stop();
  }
}

/** Results of jobs in the words of systemctl. */
const words: Readonly<Record<string, (unit: string) => string>> = {
  timeout: (unit) => `Job for ${unit} timed out.`,
  canceled: (unit) => `Job for ${unit} canceled.`,
  dependency: (unit) => `A dependency job for ${unit} failed.`,
};

async function answerTo(connection: BusConnection, unit: string, result: string): Promise<JobAnswer> {
  // Skipped: there was nothing to do for it, which systemctl calls a success as well.
  if (result === "done" || result === "skipped") return done;
  const known = words[result];
  if (known !== undefined) return refused(known(unit));
  if (result !== "failed") return refused(`Job for ${unit} ended as "${result}".`);
  try {
    const { asked } = await askBus(connection, [unit], false);
    const [shown] = asked;
    return refused(
      shown === undefined || isRefused(shown)
        ? `Job for ${unit} failed.`
        : `Job for ${unit} failed (${shown.result}).`,
    );
  } catch {
    // It failed, which is what is asked; only its closer reason is not to be had.
    return refused(`Job for ${unit} failed.`);
  }
}
