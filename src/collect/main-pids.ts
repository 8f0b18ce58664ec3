/**
 * Which of several session leaders in one service is its main process. Agents start their test runs detached, so such
 * a run leads a session just as the main process does; systemd knows which is which. It is asked only about units
 * where that matters, and again only when another leader appears.
 */
import type { System } from "../system/system.ts";
import { isSystemdRunning, showUnits } from "../system/systemd.ts";
import { rivalLeaders, type Tracked } from "./tracked.ts";

/** @param killable executables that Argus may end: only then does it matter. */
export function createMainPids(
  system: System,
  killable: readonly string[],
): (all: ReadonlyMap<number, Tracked>) => Promise<void> {
  /** Unit -> the leaders that were asked about, and the main process among them; 0: systemd does not know. */
  const known = new Map<string, { readonly leaders: string; readonly mainPid: number }>();

  async function ask(units: readonly string[], leadersOf: (unit: string) => string): Promise<void> {
    for (const { id, mainPid } of await showUnits(system, units))
      known.set(id, { leaders: leadersOf(id), mainPid });
  }

  return async (all) => {
    const rivals = rivalLeaders(all);
    for (const [unit, leaders] of rivals) {
      if (!leaders.some(({ executable }) => executable !== null && killable.includes(executable)))
        rivals.delete(unit);
    }
    for (const unit of known.keys()) if (!rivals.has(unit)) known.delete(unit);
    if (rivals.size === 0 || !isSystemdRunning(system.files)) return;
    const leadersOf = (unit: string) =>
      (rivals.get(unit) ?? []).map(({ pid, startTime }) => `${pid}@${startTime}`).join(" ");
    const news = [...rivals.keys()].filter((unit) => known.get(unit)?.leaders !== leadersOf(unit));
    if (news.length > 0) await ask(news, leadersOf);
    for (const [unit, leaders] of rivals) {
      const mainPid = known.get(unit)?.mainPid ?? 0;
      // When it is none of them, or systemd does not know, each may be what the service stands on.
      const isAmong = leaders.some(({ pid }) => pid === mainPid);
      for (const leader of leaders) leader.unitMain = !isAmong || leader.pid === mainPid;
    }
  };
}
