/** Who stopped what, asked of the journal once an outage. A look costs 10 ms and more of another program's time. */
import type { System } from "../system/system.ts";
import type { UnitState } from "../system/unit-state.ts";
import { type StopCause, whoStopped } from "../system/unit-stop.ts";

/** A storm of failures is looked into over some cycles. */
const maxLooks = 30;
/** The journal may get systemd's message some moments after systemd acted: asked again at once, and so often. */
const lag = { seconds: 3, pauseMs: 100, times: 3 };

const unknown: StopCause = { by: null, unit: null, byConflict: false, ran: null, failed: null };

export interface CycleOfLooks {
  /** @param isWatched of what argus.json names all are looked into, however many. */
  causeOf(unit: UnitState, isWatched: boolean): Promise<StopCause>;
  /** Whether a person stopped each of them that is not active, and there is one. */
  allByPersons(units: readonly UnitState[]): Promise<boolean>;
  /** Why the journal did not answer in this cycle; null: it did, or was not asked. */
  trouble(): string | null;
}

export interface StopCauses {
  /** @param known ids of all units of this cycle: what is remembered about others is forgotten. */
  begin(known: ReadonlySet<string>, signal: AbortSignal): CycleOfLooks;
}

/** One for the whole process: what the journal said once must outlive a reload of the settings, as it may say less later. */
export function createStopCauses(system: System): StopCauses {
  /** With the moment each went down: one answer an outage. */
  const answers = new Map<string, { readonly ended: number; readonly cause: StopCause }>();

  /** Units that were seen to ask for their own stop, with the moment they stopped being active: by its end nobody is left to be seen. */
  const ownStops = new Map<string, number>();

  async function look(unit: UnitState, signal: AbortSignal): Promise<StopCause> {
    const cause = await whoStopped(system, unit, signal);
    const { id, activeExitMicroseconds: stopped } = unit;
    if (cause.by === "itself" && stopped > 0) ownStops.set(id, stopped);
    return cause.by === "person" && ownStops.get(id) === stopped ? { ...cause, by: "itself" } : cause;
  }

  async function ask(unit: UnitState, signal: AbortSignal): Promise<StopCause> {
    const { clock } = system;
    let cause = await look(unit, signal);
    const ended = unit.inactiveEnterMicroseconds / 1e6;
    for (let time = 0; time < lag.times; time += 1) {
      const isLate = ended > 0 && clock.now().uptimeSeconds - ended < lag.seconds;
      if (cause.by !== null || cause.failed !== null || !isLate || signal.aborted) break;
      await clock.sleep(lag.pauseMs, signal);
      cause = await look(unit, signal);
    }
    return cause;
  }

  return {
    begin(known, signal) {
      for (const memory of [answers, ownStops])
        for (const id of memory.keys()) if (!known.has(id)) memory.delete(id);
      let looks = 0;
      let failed: string | null = null;
      async function causeOf(unit: UnitState, isWatched: boolean): Promise<StopCause> {
        const ended = unit.inactiveEnterMicroseconds;
        const before = answers.get(unit.id);
        // A unit that nothing refers to is forgotten with its time stamps: it may have run again since, so look again.
        if (before?.ended === ended && ended > 0 && unit.activeState !== "deactivating") return before.cause;
        if (!isWatched) looks += 1;
        // What did not answer once will not answer thirty times within the time that there is.
        if ((!isWatched && looks > maxLooks) || failed?.includes("did not answer")) return unknown;
        const cause = await ask(unit, signal);
        failed ??= cause.failed;
        // Not to know is no answer: the journal may be readable, or complete, a moment later.
        if (cause.by !== null) answers.set(unit.id, { ended, cause });
        return cause;
      }
      return {
        causeOf,
        async allByPersons(units) {
          const dead = units.filter(({ activeState }) => activeState === "inactive");
          const causes = await Promise.all(dead.map((each) => causeOf(each, true)));
          return dead.length > 0 && causes.every(({ by }) => by === "person");
        },
        trouble: () => failed,
      };
    },
  };
}
