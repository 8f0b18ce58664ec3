/** What systemd says of its units, asked over D-Bus in this process: a tenth of what starting systemctl costs. */
import { BusError } from "./bus/connection.ts";
import { managerCall, systemdName, unitPath } from "./bus/systemd1.ts";
import type { BusConnection, BusMessage, BusValue } from "./system.ts";
import {
  isRefused,
  type RefusedUnit,
  type UnitState,
  type UnitsShown,
  unitProperties,
  unitStateOf,
} from "./unit-state.ts";

/** Calls that wait for their answer at once: a bus allows a client 128 (dbus-daemon(1), max_replies_per_connection). */
const batch = 50;
const wanted: ReadonlySet<string> = new Set(unitProperties);

/**
 * What systemd refuses to show costs that unit alone; what goes wrong with the bus itself throws, in one sentence.
 * @param units full names. @param withFailed also every failed unit.
 */
export async function askBus(
  connection: BusConnection,
  units: readonly string[],
  withFailed: boolean,
  signal?: AbortSignal,
): Promise<UnitsShown> {
  const options = signal === undefined ? {} : { signal };
  const ask = async (unit: string): Promise<UnitState | RefusedUnit> => {
    try {
      // No interface is all of them, whatever the unit's type, and all as of one moment. As systemctl does.
      const properties = { interface: "org.freedesktop.DBus.Properties", member: "GetAll" };
      const call = { destination: systemdName, path: unitPath(unit), signature: "s", body: [""] };
      return stateOf(await connection.call({ ...call, ...properties }, options));
    } catch (error) {
      const why = `systemd did not answer about ${unit}: ${error instanceof Error ? error.message : String(error)}`;
      // An answer of systemd is about this unit; without one there is none about any.
      if (error instanceof BusError && !error.errorName.startsWith("org.freedesktop.DBus.Error.NoReply"))
        return { name: unit, refused: why };
      throw new Error(why);
    }
  };
  const askAll = async (names: readonly string[]): Promise<(UnitState | RefusedUnit)[]> => {
    const states: (UnitState | RefusedUnit)[] = [];
    for (let from = 0; from < names.length; from += batch)
      states.push(...(await Promise.all(names.slice(from, from + batch).map(ask))));
    return states;
  };
  const listFailed = async (): Promise<string[]> => {
    if (!withFailed) return [];
    const call = managerCall("ListUnitsFiltered", "as", [["failed"]]);
    const [rows] = (await connection.call(call, options)).body();
    return listOf(rows).map((row) => String(listOf(row)[0]));
  };

  const [asked, listed] = await Promise.all([askAll(units), listFailed()]);
  const states = (all: readonly (UnitState | RefusedUnit)[]) =>
    all.flatMap((each) => (isRefused(each) ? [] : [each]));
  const known = new Set(states(asked).map(({ id }) => id));
  const others = await askAll(listed.filter((unit) => !known.has(unit)));
  const shown = new Map(states([...asked, ...others]).map((unit) => [unit.id, unit]));
  return { asked, failed: [...shown.values()].filter((unit) => unit.activeState === "failed") };
}

const listOf = (value: BusValue | undefined): readonly BusValue[] =>
  Array.isArray(value) ? (value as readonly BusValue[]) : [];

function stateOf(message: BusMessage): UnitState {
  const values = message.properties(wanted);
  const word = (name: string) => String(values.get(name) ?? "");
  // USEC_INFINITY, CGROUP_LIMIT_MAX and "not set" are the largest number of 64 bits.
  const bounded = (name: string) => {
    const amount = Number(values.get(name) ?? Number.POSITIVE_INFINITY);
    return amount < 2 ** 63 ? amount : null;
  };
  const unit = unitStateOf({
    word,
    // The stamps are 64 bits wide; microseconds since boot fit into a number for 285 years.
    number: (name) => Number(values.get(name) ?? 0),
    flag: (name) => values.get(name) === true,
    list: (name) => listOf(values.get(name)).map(String),
    span: bounded,
    amount: bounded,
    // Its number and its path; number 0 is none.
    job: Number(listOf(values.get("Job"))[0] ?? 0) !== 0,
  });
  if (unit.id === "") throw new Error("the answer names no unit");
  return unit;
}
