/** Hears of each unit that goes down, and of its coming back, at once, from systemd's PropertiesChanged signals (org.freedesktop.systemd1(5)). */
import { BusError } from "./bus/connection.ts";
import { hearSystemd } from "./bus/signals.ts";
import { managerCall, systemdName, unitOfPath, unitsPath } from "./bus/systemd1.ts";
import type { BusConnection, BusMessage, System } from "./system.ts";

const unitChanges = `type='signal',sender='${systemdName}',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path_namespace='${unitsPath}',arg0='${systemdName}.Unit'`;
/** Transient units go by without an end, each with a name of its own. */
const remembered = 500;

/**
 * @param onDown each time a unit enters `failed` or `inactive`: its full name, such as `nginx.service`.
 * @param onUp each time a unit becomes active that was on its way there or down: its full name.
 * @param onLost once, when nothing more will be told: connect again by another call. One sentence.
 * @returns what stops it. It does not keep the process alive. Throws one sentence when there is no source to be had.
 */
export async function watchUnitEvents(
  { bus }: Pick<System, "bus">,
  onDown: (unit: string, state: "failed" | "inactive") => void,
  onLost: (why: string) => void,
  onUp: (unit: string) => void = () => undefined,
): Promise<() => void> {
  const found = await bus.connect();
  if ("why" in found) throw new Error(found.why);
  const { connection } = found;
  /** CLOCK_MONOTONIC, as systemd's stamps are. */
  const since = process.hrtime.bigint() / 1000n;
  /**
   * Units that are down, as was told already. One whose failure is reset before its restart becomes `inactive`: that
   * is no news, and would cost a second wake-up for every restart.
   */
  const down = new Set<string>();
  /** Units that are active, as was told already: any news of one repeats that. */
  const up = new Map<string, bigint>();
  let isHeard = false;
  let lost: string | null = null;

  const stop = await hearSystemd(connection, unitChanges, {
    onSignal(message) {
      const change = changeOf(message);
      if (change === null) return;
      const { unit, state, changedAt } = change;
      if (state !== "failed" && state !== "inactive") {
        down.delete(unit);
        if (state !== "active" || changedAt < since || up.get(unit) === changedAt) return;
        up.delete(unit);
        up.set(unit, changedAt);
        for (const oldest of up.keys()) if (up.size > remembered) up.delete(oldest);
        onUp(unit);
        return;
      }
      // Any news of a unit, such as a job to start it, repeats the state that it is in.
      if (down.has(unit) || changedAt < since) return;
      down.add(unit);
      for (const oldest of down) if (down.size > remembered) down.delete(oldest);
      onDown(unit, state);
    },
    onLost(why) {
      lost = why;
      // Until we are heard the caller learns it by the rejection: twice told would be twice begun anew.
      if (isHeard) onLost(why);
    },
  });
  try {
    await subscribe(connection);
    if (lost !== null) throw new Error(lost);
    isHeard = true;
    return stop;
  } catch (error) {
    stop();
    throw error;
  }
}

/** Without anybody who did, systemd tells nobody on a bus. It lasts as long as the connection. */
async function subscribe(connection: BusConnection): Promise<void> {
  try {
    await connection.call(managerCall("Subscribe"));
  } catch (error) {
    // By an earlier watch on the same connection. systemd that was executed anew remembers it, too.
    if (!(error instanceof BusError && error.errorName === "org.freedesktop.systemd1.AlreadySubscribed"))
      throw error;
  }
}

interface Change {
  readonly unit: string;
  readonly state: string;
  /** Microseconds. */
  readonly changedAt: bigint;
}

function changeOf(message: BusMessage): Change | null {
  if (message.member !== "PropertiesChanged") return null;
  const unit = unitOfPath(message.path);
  if (unit === null) return null;
  const [of, changed] = message.body();
  if (of !== `${systemdName}.Unit` || !Array.isArray(changed)) return null;
  const values = new Map(changed as readonly (readonly [string, unknown])[]);
  const state = values.get("ActiveState");
  const changedAt = values.get("StateChangeTimestampMonotonic");
  return typeof state === "string" && typeof changedAt === "bigint" ? { unit, state, changedAt } : null;
}
