/** One look a cycle at the units that argus.json names and at every failed one, for all collectors that need it. */
import { setMaxListeners } from "node:events";
import type { System } from "../system/system.ts";
import { normaliseUnit, showEach, showUnitsAndFailed, unitDisplayName } from "../system/systemd.ts";
import { type Health, healthOf, isMasked } from "../system/unit-health.ts";
import { isRefused, type RefusedUnit, stateEntered, type UnitState } from "../system/unit-state.ts";
import type { StopCause } from "../system/unit-stop.ts";
import type { Config, ServiceSetting } from "../types/settings.ts";
import { createStopCauses } from "./stop-causes.ts";

export interface LookedAt {
  /** As findings and messages name it: one unit under two names has one. */
  readonly name: string;
  /** The entries of argus.json that name it; none: it is here because it failed. */
  readonly settings: readonly ServiceSetting[];
  readonly unit: UnitState;
  readonly triggers: readonly UnitState[];
  /** null: it is not down, so nobody looked. */
  readonly cause: StopCause | null;
  readonly health: Health;
  readonly sinceSeconds: number | null;
}

export interface UnitsLook {
  readonly units: readonly LookedAt[];
  /** Entries of argus.json that systemd does not show. */
  readonly refused: readonly {
    readonly name: string;
    readonly setting: ServiceSetting;
    readonly why: string;
  }[];
  /** Why the journal did not answer; null: it did, or was not asked. */
  readonly journal: string | null;
}

/** All journal looks of one cycle together, short of the collector's own limit. */
const limitMs = 10_000;

export type Look = () => Promise<UnitsLook>;

/** The value remembers, between cycles, who stopped what, and what failed and has not settled yet. */
export function createUnitLook(
  system: System,
  { settings }: Config,
  causes = createStopCauses(system),
): Look {
  /** Failed units that argus.json does not name: until they run or rest, nobody can say that they are well again. */
  let unsettled: readonly string[] = [];
  /** Since when a unit has had a job while it did nothing, on the monotonic clock. */
  const waiting = new Map<string, number>();

  function sinceSeconds(unit: UnitState): number | null {
    const { clock } = system;
    const waits = unit.job && (unit.activeState === "inactive" || unit.activeState === "failed");
    if (!waits) waiting.delete(unit.id);
    else {
      const first = waiting.get(unit.id) ?? clock.monotonicMs();
      waiting.set(unit.id, first);
      return (clock.monotonicMs() - first) / 1000;
    }
    const since = stateEntered(unit);
    // systemd's stamps leave out the time a machine was suspended; a server seldom is.
    return since === null ? null : Math.max(0, clock.now().uptimeSeconds - since / 1e6);
  }

  return async () => {
    const signal = AbortSignal.timeout(limitMs);
    setMaxListeners(0, signal); // each question to systemd and to the journal listens to it
    const names = settings.services.map(({ unit }) => normaliseUnit(unit));
    const more = unsettled.filter((unit) => !names.includes(unit));
    const shown = await showUnitsAndFailed(system, [...names, ...more], signal);
    const groups = groupsOf(settings.services, shown.asked);
    const known = new Set(groups.states.map(({ unit }) => unit.id));
    const failed = [...shown.failed, ...shown.asked.slice(names.length)].flatMap((each) =>
      isRefused(each) || known.has(each.id) ? [] : [[each.id, each] as const],
    );
    const others = [...new Map(failed).values()].filter(isUnsettled);
    unsettled = others.map(({ id }) => id);
    const all = [
      ...groups.states,
      ...others.map((unit) => ({ name: unitDisplayName(unit.id), settings: [], unit })),
    ];
    const triggers = await triggersOf(
      system,
      all.map(({ unit }) => unit),
      signal,
    );

    const look = causes.begin(new Set([...all.map(({ unit }) => unit.id), ...triggers.keys()]), signal);
    const describe = async ({ name, settings: own, unit }: (typeof all)[number]): Promise<LookedAt> => {
      const its = unit.triggeredBy.flatMap((trigger) => triggers.get(trigger) ?? []);
      const since = sinceSeconds(unit);
      const given = { unit, triggers: its, sinceSeconds: since };
      const first = healthOf({ ...given, cause: null, triggersStopped: false });
      const cause = mustAsk(unit, first) ? await look.causeOf(unit, own.length > 0) : null;
      const triggersStopped = first.because === "trigger-dead" && (await look.allByPersons(its));
      const health = healthOf({ ...given, cause, triggersStopped });
      return { name, settings: own, unit, triggers: its, cause, health, sinceSeconds: since };
    };
    const units = await inBatches(all, describe);
    return { units, refused: groups.refused, journal: look.trouble() };
  };
}

const looksAtOnce = 4;

async function inBatches<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let from = 0; from < all.length; from += looksAtOnce)
    done.push(...(await Promise.all(all.slice(from, from + looksAtOnce).map(work))));
  return done;
}

/** Failed, or on its way from there to somewhere else. */
const isUnsettled = ({ activeState }: UnitState): boolean =>
  activeState !== "active" && activeState !== "inactive";

/** Of what rests by its nature nobody wants to know who let it rest. */
function mustAsk(unit: UnitState, { nature }: Health): boolean {
  if (isMasked(unit) || !["inactive", "failed", "deactivating"].includes(unit.activeState)) return false;
  if (unit.loadState === "not-found" && unit.activeState === "inactive") return false;
  return nature === "continuous" || unit.activeState === "failed";
}

async function triggersOf(
  system: System,
  units: readonly UnitState[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, UnitState>> {
  const names = [...new Set(units.flatMap(({ triggeredBy }) => triggeredBy))];
  if (names.length === 0) return new Map();
  const shown = await showEach(system, names, signal);
  return new Map(
    shown.flatMap((each, index) => (isRefused(each) ? [] : [[names[index] ?? each.id, each] as const])),
  );
}

/** The entries by unit: an alias and the name behind it are one. */
function groupsOf(services: readonly ServiceSetting[], asked: readonly (UnitState | RefusedUnit)[]) {
  const refused: { name: string; setting: ServiceSetting; why: string }[] = [];
  const byId = new Map<string, { unit: UnitState; settings: ServiceSetting[] }>();
  for (const [index, setting] of services.entries()) {
    const shown = asked[index];
    if (shown === undefined) continue;
    if (isRefused(shown)) {
      refused.push({ name: unitDisplayName(normaliseUnit(setting.unit)), setting, why: shown.refused });
      continue;
    }
    // A unit that is not installed has no names but the one it was asked for.
    const group = byId.get(shown.id) ?? { unit: shown, settings: [] };
    group.settings.push(setting);
    byId.set(shown.id, group);
  }
  const states = [...byId.values()].map(({ unit, settings }) => ({
    name: nameOf(unit, settings),
    settings,
    unit,
  }));
  return { states, refused };
}

/** The executor knows a unit by the name that may be restarted; of several the real one. */
function nameOf({ id }: UnitState, settings: readonly ServiceSetting[]): string {
  const restartable = settings.filter(({ restart }) => restart);
  const names = (restartable.length > 0 ? restartable : settings).map(({ unit }) => normaliseUnit(unit));
  return unitDisplayName(names.includes(id) ? id : (names[0] ?? id));
}
