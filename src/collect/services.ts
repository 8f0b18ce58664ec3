/** The units that argus.json names, and every unit that failed. */

import type { System } from "../system/system.ts";
import { normaliseUnit, unitDisplayName } from "../system/systemd.ts";
import { stopWasRequested } from "../system/unit-journal.ts";
import { stateEntered, type UnitState } from "../system/unit-state.ts";
import type { Service } from "../types/facts.ts";
import type { Config } from "../types/settings.ts";
import type { Collect } from "./collector.ts";
import { count, list } from "./words.ts";

/** A look into the journal costs 10 ms and more of another program's time. A storm of failures is told over some cycles. */
const maxLooks = 30;
const looksAtOnce = 4;
/** The journal may get systemd's message some moments after systemd acted. Once it had this time, it will not come. */
const journalLagSeconds = 60;

export function createServiceCollector({ run, clock }: System, config: Config): Collect {
  const { services } = config.settings;
  /** Answers of the journal for units that are down, with the moment they went down: one answer per outage. */
  const answers = new Map<string, { readonly ended: number; readonly requested: boolean | null }>();

  async function wasStopped(
    unit: UnitState,
    mayLook: () => boolean,
    signal: AbortSignal,
  ): Promise<boolean | null> {
    if (unit.loadState === "masked") return true;
    if (!["inactive", "failed", "deactivating"].includes(unit.activeState) || unit.loadState === "not-found")
      return false;
    const ended = unit.inactiveEnterMicroseconds;
    const known = answers.get(unit.id);
    // A unit that nothing refers to is forgotten with its time stamps: it may have run again since, so look again.
    if (known !== undefined && known.ended === ended && ended > 0 && unit.activeState !== "deactivating")
      return known.requested;
    if (!mayLook()) return null;
    const requested = await stopWasRequested(run, unit, signal);
    const final = requested !== null || clock.now().uptimeSeconds - ended / 1e6 > journalLagSeconds;
    if (final) answers.set(unit.id, { ended, requested });
    return requested;
  }

  return async ({ units, signal }) => {
    const shown = await units();
    if (shown === null) return { absent: true, facts: {}, detail: "systemd is not running here" };
    const watched = new Map(
      services.map((setting, index) => [normaliseUnit(setting.unit), { setting, unit: shown.asked[index] }]),
    );
    const known = new Set([...watched.values()].map((each) => each.unit?.id));
    const others = shown.failed.filter((unit) => !known.has(unit.id));
    for (const id of answers.keys())
      if (!known.has(id) && !others.some((unit) => unit.id === id)) answers.delete(id);

    let looks = 0;
    const mayLook = () => {
      looks += 1;
      return looks <= maxLooks;
    };
    const { uptimeSeconds } = clock.now();
    const describe = async (
      name: string,
      unit: UnitState,
      setting: { restart: boolean } | null,
    ): Promise<Service> => {
      const since = stateEntered(unit);
      return {
        name: unitDisplayName(name),
        installed: unit.loadState !== "not-found",
        watched: setting !== null,
        restartable: setting?.restart ?? false,
        loadState: unit.loadState,
        activeState: unit.activeState,
        subState: unit.subState,
        result: unit.result,
        mainPid: unit.mainPid,
        restarts: unit.restarts,
        restartsLastHour: null,
        restarts24h: null,
        // systemd's stamps leave out the time a machine was suspended; a server seldom is.
        sinceSeconds: since === null ? null : Math.max(0, uptimeSeconds - since / 1e6),
        stoppedByOperator: await wasStopped(unit, mayLook, signal),
        unitFileState: unit.unitFileState,
      };
    };
    const wanted = [
      ...[...watched].flatMap(([name, { setting, unit }]) =>
        unit === undefined ? [] : [{ name, unit, setting }],
      ),
      ...others.map((unit) => ({ name: unit.id, unit, setting: null })),
    ];
    const service: Service[] = [];
    for (let from = 0; from < wanted.length; from += looksAtOnce) {
      const some = wanted.slice(from, from + looksAtOnce);
      service.push(...(await Promise.all(some.map((each) => describe(each.name, each.unit, each.setting)))));
    }
    return { facts: { service }, detail: sentence(service) };
  };
}

function sentence(services: readonly Service[]): string {
  const watched = services.filter((each) => each.watched);
  const installed = watched.filter((each) => each.installed);
  const active = installed.filter((each) => each.activeState === "active");
  const rest = installed
    .filter((each) => each.activeState !== "active")
    .map((each) => `${each.name} is ${each.activeState}`);
  const absent = watched.filter((each) => !each.installed).map((each) => each.name);
  const failed = services.filter((each) => !each.watched).map((each) => each.name);
  return [
    watched.length === 0
      ? "no service is watched"
      : `${active.length} of ${count(installed.length, "watched service")} active`,
    ...(rest.length === 0 ? [] : [list(rest)]),
    ...(absent.length === 0 ? [] : [`not installed here: ${list(absent)}`]),
    failed.length === 0
      ? "no other unit has failed"
      : `${count(failed.length, "other unit")} failed: ${list(failed)}`,
  ].join("; ");
}
