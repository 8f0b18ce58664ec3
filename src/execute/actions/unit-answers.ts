/** What a unit's own state says to a restart. Pure. */
import { unitDisplayName } from "../../system/systemd.ts";
import { hasUnmetCondition, isJob, isMasked, natureOf } from "../../system/unit-health.ts";
import { isRefused, isUp, type RefusedUnit, type UnitState } from "../../system/unit-state.ts";
import type { StopCause } from "../../system/unit-stop.ts";
import type { RefusalReason } from "../../types/action.ts";
import type { Answer } from "../action.ts";

type Name = string | number | null;

const no = (reason: RefusalReason, detail: string): Answer => ({ pass: false, reason, detail });

/** `failed (failed: exit-code)` */
export function describeState(unit: UnitState): string {
  const result = unit.result === "" || unit.result === "success" ? "" : `: ${unit.result}`;
  return `${unit.activeState} (${unit.subState}${result})`;
}

export function isDown(unit: UnitState, name: Name): Answer {
  if (unit.loadState === "not-found" && unit.activeState !== "failed")
    return no("target_gone", `${name} is not installed`);
  if (isMasked(unit)) return no("operator_stopped", `${name} is masked`);
  if (unit.loadState === "not-found") return no("target_gone", `the unit file of ${name} is gone`);
  if (unit.loadState !== "loaded") return no("target_gone", `systemd cannot load ${name}: ${unit.loadState}`);
  if (unit.activeState === "active") return no("not_needed", `${name} is ${describeState(unit)}`);
  if (unit.job || !["inactive", "failed"].includes(unit.activeState)) {
    return no("not_needed", `${name} is ${describeState(unit)}: systemd is at it already`);
  }
  return { pass: true, detail: `${name} is ${describeState(unit)}` };
}

/** null: nothing in its nature speaks against a start. */
export function mayBeStarted(unit: UnitState, triggers: readonly UnitState[], name: Name): Answer | null {
  if (hasUnmetCondition(unit))
    return no("not_needed", `a condition in the file of ${name} is not met, so systemd would not start it`);
  const starters = unit.triggeredBy.map((each) => unitDisplayName(each)).join(" and ");
  if (isJob(unit)) {
    const what = starters === "" ? "runs once and ends" : `is a job that ${starters} starts`;
    const detail = `${name} ${what}: to start it is to run it, which Argus does not do`;
    return no(unit.activeState === "failed" ? "protected_target" : "not_needed", detail);
  }
  if (natureOf(unit, triggers) !== "triggered" || unit.activeState === "failed") return null;
  return no("not_needed", `${name} rests until ${starters === "" ? "the bus" : starters} starts it`);
}

export function notStoppedByOperator(unit: UnitState, name: Name, { by }: StopCause): Answer {
  if (by === "person" || by === "itself") return no("operator_stopped", `somebody asked for ${name} to stop`);
  if (by === "nobody") return { pass: true, detail: `nobody asked for ${name} to stop` };
  if (by === "dependency") return { pass: true, detail: `no person asked for ${name} to stop` };
  // A clean end and a stop by hand look the same without the journal; a crash does not.
  if (unit.activeState === "inactive" && unit.result === "success") {
    return no(
      "operator_stopped",
      `the journal cannot tell whether somebody stopped ${name}, and it ended cleanly`,
    );
  }
  return {
    pass: true,
    detail: `the journal cannot tell whether somebody stopped ${name}, but it did not end cleanly`,
  };
}

/** systemd starts what a unit requires along with it, which nobody allowed. */
export function dependencyIsUp(
  { unit, byConflict }: StopCause,
  other: UnitState | RefusedUnit | undefined,
  name: Name,
): Answer {
  const its = unitDisplayName(unit ?? "");
  if (byConflict && other !== undefined && !isRefused(other) && other.activeState !== "inactive")
    return no(
      "dependency_down",
      `the start of ${its} took ${name} down, and a start of ${name} would take ${its} down`,
    );
  if (byConflict) return { pass: true, detail: `${its}, which took ${name} down, is not active any more` };
  if (other === undefined || isRefused(other) || !isUp(other)) {
    const state = other === undefined || isRefused(other) ? "not to be seen" : describeState(other);
    return no("dependency_down", `${name} went down with ${its}, which is ${state}`);
  }
  return { pass: true, detail: `${its}, which ${name} went down with, is up again` };
}
