/** What argus.json names and is inactive by nature, so that nobody waits for Argus to start it. For check and doctor. */
import type { System } from "../system/system.ts";
import { isSystemdRunning, normaliseUnit, showEach, unitDisplayName } from "../system/systemd.ts";
import { isJob, natureOf } from "../system/unit-health.ts";
import { isRefused, type UnitState } from "../system/unit-state.ts";
import type { ServiceSetting } from "../types/settings.ts";
import { list } from "./words.ts";

export interface NamedUnits {
  /** One sentence each, for what is no continuous service. */
  readonly natures: readonly string[];
  /** One sentence each. */
  readonly refused: readonly string[];
  readonly absent: readonly string[];
}

/** null without systemd. Throws one sentence when it does not answer. */
export async function lookAtNamedUnits(
  system: System,
  services: readonly Pick<ServiceSetting, "unit">[],
): Promise<NamedUnits | null> {
  if (!isSystemdRunning(system.files)) return null;
  const shown = await showEach(
    system,
    services.map(({ unit }) => unit),
  );
  const units = shown.flatMap((each) => (isRefused(each) ? [] : [each]));
  const names = [...new Set(units.flatMap(({ triggeredBy }) => triggeredBy))];
  const triggers = (await showEach(system, names)).flatMap((each) => (isRefused(each) ? [] : [each]));
  const name = (index: number) => unitDisplayName(normaliseUnit(services[index]?.unit ?? ""));
  return {
    natures: shown.flatMap((each, index) =>
      isRefused(each) || each.loadState === "not-found"
        ? []
        : (natureSentence(name(index), each, triggers) ?? []),
    ),
    refused: shown.flatMap((each) => (isRefused(each) ? [each.refused] : [])),
    absent: units.filter(({ loadState }) => loadState === "not-found").map(({ id }) => unitDisplayName(id)),
  };
}

function natureSentence(name: string, unit: UnitState, all: readonly UnitState[]): string | null {
  const triggers = all.filter(({ id, names }) =>
    [id, ...names].some((each) => unit.triggeredBy.includes(each)),
  );
  const by = unit.triggeredBy.length === 0 ? "the bus" : list([...unit.triggeredBy]);
  const never = isJob(unit) ? ", and Argus never starts it" : "";
  switch (natureOf(unit, triggers)) {
    case "continuous":
      return null;
    case "oneshot":
      return `${name} is a oneshot: it counts as down only when its last run failed${never}`;
    case "triggered":
      return `${name} is started by ${by}: it counts as down only when its last run failed or that is not active${never}`;
    case "conditional":
      return `${name} is not started by systemd, as a condition in its file is not met: it does not count as down`;
  }
}
