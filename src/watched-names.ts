/** Which units that systemd reports are services of argus.json, by whatever name it has for them. */
import type { Parts } from "./cycle.ts";
import { normaliseUnit, showEach } from "./system/systemd.ts";
import { isRefused, isUp, type UnitState } from "./system/unit-state.ts";

/** An alias is a link that somebody may add or take away; most units that go down are none of ours. */
const freshMs = 60_000;

export interface WatchedNames {
  /** @returns whether argus.json names it. */
  wentDown(unit: string): Promise<boolean>;
  /** @returns why that matters, one clause: a service that is down needs it. Else null. */
  cameUp(unit: string): Promise<string | null>;
}

export function createWatchedNames(parts: () => Parts): WatchedNames {
  let known: { readonly of: unknown; readonly atMs: number; readonly names: ReadonlySet<string> } | null =
    null;
  const down = new Set<string>();

  const configured = () => parts().config.settings.services.map(({ unit }) => normaliseUnit(unit));

  async function show(units: readonly string[]): Promise<UnitState[]> {
    try {
      const shown = await showEach(parts().system, units);
      return shown.flatMap((each) => (isRefused(each) ? [] : [each]));
    } catch {
      // systemd cannot be asked at the moment: the schedule looks at everything, and says so.
      return [];
    }
  }

  async function names(): Promise<ReadonlySet<string>> {
    const { config, system } = parts();
    const nowMs = system.clock.monotonicMs();
    if (known !== null && known.of === config && nowMs - known.atMs < freshMs) return known.names;
    const own = configured();
    const states = own.length === 0 ? [] : await show(own);
    known = {
      of: config,
      atMs: nowMs,
      names: new Set([...own, ...states.flatMap((each) => [each.id, ...each.names])]),
    };
    return known.names;
  }

  return {
    async wentDown(unit) {
      const isOurs = configured().includes(unit) || (await names()).has(unit);
      if (isOurs) down.add(unit);
      return isOurs;
    },
    async cameUp(unit) {
      down.delete(unit);
      if (down.size === 0) return null;
      const states = await show([...down]);
      for (const each of states) if (isUp(each)) down.delete(each.id);
      const waiting = states.find((each) => !isUp(each) && each.needs.includes(unit));
      return waiting === undefined ? null : `${unit} is active, which ${waiting.id} needs`;
    },
  };
}
