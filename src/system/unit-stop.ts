/**
 * Who stopped a unit. systemd 252's journal names nobody who asked for a stop, so it is inferred: a unit that it
 * depends on changed just before, or a process of its own asked for it; else a person did.
 */
import { asksForOwnStop, logsOwnStop } from "./own-stop.ts";
import type { System } from "./system.ts";
import { showEach } from "./systemd.ts";
import { lookAtStop, type StopLook } from "./unit-journal.ts";
import { isRefused, isUp, type UnitState } from "./unit-state.ts";

/** nobody: it ended by itself, or was never started since boot. */
export type Stopper = "person" | "dependency" | "itself" | "nobody";

export interface StopCause {
  /** null: the journal cannot tell. */
  readonly by: Stopper | null;
  /** Of `dependency`: the unit that changed. */
  readonly unit: string | null;
  /** Of `dependency`: it took this one down by its own start (Conflicts=). */
  readonly byConflict: boolean;
  /** Whether it was started since boot; null: nobody knows. */
  readonly ran: boolean | null;
  /** Why the journal gave no answer at all; null: it answered. */
  readonly failed: string | null;
}

/** files: null does not look whether it asked for its own stop, which then counts as a person's. */
type Asked = Pick<System, "bus" | "run" | "clock"> & { readonly files: System["files"] | null };

/** So long before the stop a unit that it depends on must have changed. */
const windowMicroseconds = 2_000_000;
/** The stop is logged some moments after it was decided. */
const slackMicroseconds = 100_000;
/** What took the dependency down may itself have been taken down. */
const maxSteps = 3;

/** For a unit that is down or on its way there. Costs a look into the journal, and after a stop some more. */
export async function whoStopped(system: Asked, unit: UnitState, signal?: AbortSignal): Promise<StopCause> {
  const look = await lookAtStop(system, unit, signal === undefined ? {} : { signal });
  return await causeOf(system, unit, look, signal, 1);
}

async function causeOf(
  system: Asked,
  unit: UnitState,
  look: StopLook,
  signal: AbortSignal | undefined,
  step: number,
): Promise<StopCause> {
  const { requested, stopMicroseconds, ran, failed } = look;
  const none = { unit: null, byConflict: false, ran, failed };
  if (requested === null) return { by: null, ...none };
  if (!requested) return { by: "nobody", ...none };
  if (unit.loadState === "masked" || stopMicroseconds === null) return { by: "person", ...none };
  const dependency = await dependencyBehind(system, unit, stopMicroseconds, signal, step);
  if (dependency !== null) return { ...dependency, ran, failed };
  const isOwn =
    system.files !== null &&
    (asksForOwnStop(system.files, unit) ||
      (await logsOwnStop(system, unit, stopMicroseconds, windowMicroseconds, signal)));
  return { by: isOwn ? "itself" : "person", ...none };
}

async function dependencyBehind(
  system: Asked,
  unit: UnitState,
  stopMicroseconds: number,
  signal: AbortSignal | undefined,
  step: number,
): Promise<Pick<StopCause, "by" | "unit" | "byConflict"> | null> {
  const names = [...new Set([...unit.needs, ...unit.conflicts])];
  if (names.length === 0 || step > maxSteps) return null;
  const isNear = (microseconds: number) =>
    microseconds > stopMicroseconds - windowMicroseconds &&
    microseconds <= stopMicroseconds + slackMicroseconds;
  const shown = await showEach(system, names, signal);
  for (const [index, other] of shown.entries()) {
    if (isRefused(other) || other.id === unit.id) continue;
    const byConflict = unit.conflicts.includes(names[index] ?? "");
    if (byConflict && [other.inactiveExitMicroseconds, other.activeEnterMicroseconds].some(isNear))
      return { by: "dependency", unit: other.id, byConflict };
    const wentDown = [other.activeExitMicroseconds, other.inactiveEnterMicroseconds].some(isNear);
    // systemd keeps the last moment of each kind alone: of one that went down again since, the journal knows of before.
    const isOverwritten = other.activeExitMicroseconds > stopMicroseconds + slackMicroseconds;
    if (byConflict || !(wentDown || isOverwritten)) continue;
    // What happened to it afterwards, as a start that failed at once, says nothing of how it went down.
    const untilMicroseconds = stopMicroseconds + (wentDown ? windowMicroseconds : slackMicroseconds);
    const limits = { untilMicroseconds, ...(signal === undefined ? {} : { signal }) };
    const look = await lookAtStop(system, other, limits);
    if (!wentDown && !(look.downMicroseconds !== null && isNear(look.downMicroseconds))) continue;
    const cause = await causeOf(system, other, look, signal, step + 1);
    // Who stops a database means what stands on it as well.
    if (cause.by === "person" && !isUp(other)) return { by: "person", unit: null, byConflict: false };
    return { by: "dependency", unit: other.id, byConflict: false };
  }
  return null;
}
