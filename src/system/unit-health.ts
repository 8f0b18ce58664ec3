/** Whether a unit that should be up is, and if not, what that calls for. Pure. */
import type { UnitState } from "./unit-state.ts";
import type { StopCause } from "./unit-stop.ts";

export const natures = ["continuous", "oneshot", "triggered", "conditional"] as const;
/** Continuous: it should run all the time. The others are inactive by nature, between their runs. */
export type Nature = (typeof natures)[number];

export const statuses = [
  "up",
  "starting",
  "stopping",
  "reloading",
  "stuck", // longer at it than it may be
  "waiting", // inactive by nature
  "down",
  "stopped", // a person asked for it
  "masked",
  "not-installed",
  "unreadable", // systemd refuses to show it
] as const;
export type Status = (typeof statuses)[number];

export const causes = [
  "crashed",
  "ended", // by itself, with a clean result
  "dependency", // taken down with a unit that it depends on
  "conflict", // taken down by the start of a unit that it conflicts with
  "own-stop", // a process of its own had it stopped
  "never-started", // since boot
  "last-run-failed", // of a unit that is inactive by nature
  "trigger-dead", // what should start it is not active
  "not-loadable", // its file is broken
  "removed", // its file is gone
  "stuck",
  "unknown", // the journal cannot tell, and it ended cleanly
] as const;
export type DownBecause = (typeof causes)[number];

export interface Health {
  readonly nature: Nature;
  readonly status: Status;
  /** It should be up and is not. */
  readonly down: boolean;
  /** null unless it is down. */
  readonly because: DownBecause | null;
  /** In this state for longer than it may be: its limit. */
  readonly stuckAfterSeconds: number | null;
}

/** Without a limit of its own, a unit may start, stop or reload for this long. */
export const patienceSeconds = 600;

/** So long it may wait for its next automatic restart before people hear that it is down. */
export const autoRestartSeconds = 60;

export const isMasked = ({ loadState, unitFileState }: UnitState): boolean =>
  loadState === "masked" || unitFileState.startsWith("masked");

/** A condition of its file, or ExecCondition=, said no at its last start. */
export const hasUnmetCondition = (unit: UnitState): boolean =>
  unit.activeState === "inactive" &&
  ((unit.conditionMicroseconds > 0 && !unit.conditionMet) || unit.result === "exec-condition");

/** A trigger that nobody enabled and nobody started is none: Debian's ssh has a socket that most hosts do not use. */
const isTrigger = ({ loadState, activeState, unitFileState }: UnitState): boolean =>
  loadState === "loaded" && (activeState !== "inactive" || unitFileState.startsWith("enabled"));

const isAlive = ({ activeState }: UnitState): boolean =>
  activeState === "active" || activeState === "activating" || activeState === "reloading";

/** @param triggers the units of `triggeredBy`. */
export function natureOf(unit: UnitState, triggers: readonly UnitState[]): Nature {
  const isOnBus = unit.busName !== "" && unit.unitFileState === "static";
  if (isOnBus || triggers.some(isTrigger)) return "triggered";
  if (unit.type === "oneshot") return "oneshot";
  return hasUnmetCondition(unit) ? "conditional" : "continuous";
}

/** Whether a start of it is a run of a job that has its own time: no remedy for anything. */
export const isJob = (unit: UnitState): boolean =>
  unit.type === "oneshot" || unit.triggeredBy.some((trigger) => /\.(timer|path)$/.test(trigger));

export interface HealthInput {
  readonly unit: UnitState;
  readonly triggers: readonly UnitState[];
  /** null: nobody looked, as it is not down. */
  readonly cause: StopCause | null;
  /** A person stopped every trigger that is dead. */
  readonly triggersStopped: boolean;
  /** How long it has been in its active state, or has had a job that waits; null: nobody knows. */
  readonly sinceSeconds: number | null;
}

export function healthOf(input: HealthInput): Health {
  const { unit, triggers } = input;
  const nature = natureOf(unit, triggers);
  const plain = { nature, down: false, because: null, stuckAfterSeconds: null };
  const passing = passingStatus(unit);
  if (passing !== null) {
    const limit = limitSeconds(unit, passing);
    const isStuck = limit !== null && input.sinceSeconds !== null && input.sinceSeconds > limit;
    if (!isStuck) return { ...plain, status: passing };
    return { nature, status: "stuck", down: true, because: "stuck", stuckAfterSeconds: limit };
  }
  if (unit.activeState === "active") return { ...plain, status: "up" };
  if (isMasked(unit)) return { ...plain, status: "masked" };
  if (unit.loadState === "not-found" && unit.activeState === "inactive")
    return { ...plain, status: "not-installed" };
  if (input.cause?.by === "person") return { ...plain, status: "stopped" };
  const because = whyDown(input, nature);
  if (because !== null) return { ...plain, status: "down", down: true, because };
  return { ...plain, status: input.triggersStopped ? "stopped" : "waiting" };
}

/** null: it is not on its way from one state to another. */
function passingStatus({ activeState, job }: UnitState): "starting" | "stopping" | "reloading" | null {
  if (activeState === "reloading") return "reloading";
  if (activeState === "activating") return "starting";
  if (activeState === "deactivating") return "stopping";
  // At boot a unit waits for its turn with a job.
  return job && activeState !== "active" ? "starting" : null;
}

/** null: as long as it likes. */
function limitSeconds(unit: UnitState, status: "starting" | "stopping" | "reloading"): number | null {
  const waits = unit.activeState === "inactive" || unit.activeState === "failed";
  if (waits) return patienceSeconds;
  // It has crashed, and is down until systemd's next attempt (RestartSec=).
  if (unit.subState === "auto-restart") return autoRestartSeconds;
  const own = status === "stopping" ? unit.stopLimitMicroseconds : unit.startLimitMicroseconds;
  // A job works while it is starting: a backup may take its hours.
  if (own === null) return isJob(unit) && status === "starting" ? null : patienceSeconds;
  return own / 1e6;
}

function whyDown(
  { unit, triggers, cause, triggersStopped }: HealthInput,
  nature: Nature,
): DownBecause | null {
  const failed = unit.activeState === "failed";
  if (unit.loadState === "not-found") return "removed";
  if (unit.loadState !== "loaded" && unit.loadState !== "") return "not-loadable";
  if (nature !== "continuous") {
    const dead = triggers.filter((each) => isTrigger(each) && !isAlive(each));
    const isDead = dead.length > 0 && !triggers.some(isAlive) && !triggersStopped;
    // A job, or a unit that its condition keeps from starting, is not to be started; what a socket starts may be.
    if (failed) return nature === "triggered" && !isJob(unit) ? "crashed" : "last-run-failed";
    return isDead ? "trigger-dead" : null;
  }
  switch (cause?.by) {
    case "dependency":
      return cause.byConflict ? "conflict" : "dependency";
    case "itself":
      return "own-stop";
    case "nobody":
      if (cause.ran === false) return "never-started";
      return failed ? "crashed" : "ended";
    default:
      if (failed) return "crashed";
      // systemd forgets a unit that nothing refers to with its stamps, and no other.
      return unit.inactiveEnterMicroseconds === 0 && unit.unitFileState.startsWith("enabled")
        ? "never-started"
        : "unknown";
  }
}
