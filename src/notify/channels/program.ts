/** A message handed to a program: its yes is exit status 0. */
import type { RunOptions } from "../../system/system.ts";
import type { Attempt } from "./channel.ts";

export interface Failure {
  /** What kind of failure: the same words for the same trouble. */
  readonly how: string;
  /** One sentence. */
  readonly why: string;
  /** It ran and said no; null: it did not run, or not to its end. */
  readonly exitCode: number | null;
  readonly missing: boolean;
}

const mostSaid = 200;

/** @returns null: taken. */
export async function callProgram(
  program: string,
  args: readonly string[],
  { timeoutSeconds, ...options }: Pick<RunOptions, "input"> & { readonly timeoutSeconds: number },
  { run, clock, deadlineMs, signal, clean }: Attempt,
): Promise<Failure | null> {
  const leftMs = deadlineMs - clock.monotonicMs();
  const failed = (how: string, exitCode: number | null = null, missing = false): Failure => ({
    how,
    why: `${program} ${how}`,
    exitCode,
    missing,
  });
  if (leftMs <= 0) return failed("was not called, because there was no time left");
  const timeoutMs = Math.min(timeoutSeconds * 1000, leftMs);
  const { exitCode, missing, timedOut, stdout, stderr } = await run(program, args, {
    ...options,
    timeoutMs,
    signal,
  });
  if (exitCode === 0) return null;
  if (missing) return failed("does not exist here", null, true);
  const said = clean((stderr || stdout).trim().split("\n").at(-1) ?? "").slice(0, mostSaid);
  const failure = timedOut
    ? { ...failed("did not end in time"), why: `${program} did not end within ${timeoutMs / 1000} s` }
    : exitCode === null
      ? failed("was killed, or may not be run by this user")
      : failed(`failed with exit status ${exitCode}`, exitCode);
  return said === "" ? failure : { ...failure, why: `${failure.why}: ${said}` };
}
