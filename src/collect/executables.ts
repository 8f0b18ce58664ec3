/**
 * The executables of other users' processes. Only root may read those links; the process that may is asked once for
 * each process, and again after an exec, which keeps pid and start time.
 */
import { runtimeOptionsOf } from "../system/node-options.ts";
import { executableName } from "../system/proc.ts";
import type { Witness } from "../system/witness.ts";
import type { Tracked } from "./tracked.ts";

/** @returns fills in what is missing, and answers a clause for the report when that was not possible. */
export function createExecutables(
  witness: Witness | null,
): (all: ReadonlyMap<number, Tracked>, signal: AbortSignal) => Promise<string> {
  /** What was answered, by pid, for this life of the pid and this program in it. */
  let known = new Map<number, { readonly life: string; readonly path: string | null }>();

  return async (all, signal) => {
    const missing = [...all.values()].filter(
      (one) => !one.kernelThread && one.details.executablePath === null,
    );
    if (witness === null || missing.length === 0) return "";
    const news = missing.filter((one) => known.get(one.pid)?.life !== lifeOf(one));
    if (news.length > 0) {
      try {
        const paths = await witness.executables(
          news.map(({ pid }) => pid),
          signal,
        );
        for (const [index, one] of news.entries())
          known.set(one.pid, { life: lifeOf(one), path: paths[index] ?? null });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        for (const one of news) known.delete(one.pid);
        fill(missing, known);
        return `; the executables of ${news.length} are not known: ${why}`;
      }
    }
    fill(missing, known);
    known = new Map([...known].filter(([pid]) => all.has(pid)));
    return "";
  };
}

/** A program that has just started may become another one within its first seconds, with a name of the same length. */
const lifeOf = ({ startTime, name, startStack, details }: Tracked): string =>
  `${startTime} ${startStack} ${name} ${details.commandLine}`;

function fill(
  missing: readonly Tracked[],
  known: ReadonlyMap<number, { readonly path: string | null }>,
): void {
  for (const one of missing) {
    const path = known.get(one.pid)?.path ?? null;
    if (path === null) continue;
    const executable = executableName(path);
    const runtimeOptions = runtimeOptionsOf(executable, one.details.arguments);
    one.details = { ...one.details, executablePath: path, executable, runtimeOptions };
    one.executable = executable;
  }
}
