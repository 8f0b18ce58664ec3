/** What systemd says of its units: over the bus where there is one, else by systemctl(1). Read only. */
import { timeLimit } from "../types/quantities.ts";
import type { Files, RunResult, System } from "./system.ts";
import { unitNameFault } from "./unit-name.ts";
import { isRefused, type RefusedUnit, type UnitState, type UnitsShown } from "./unit-state.ts";
import { parseUnits, showArguments } from "./unit-text.ts";
import { askBus } from "./units-by-bus.ts";

const timeoutMs = 5_000;
/** Names in one call: a template that fails per connection can leave thousands of failed instances behind. */
const batch = 200;

/** sd_booted(3): whether systemd is the init of this system. */
export function isSystemdRunning(files: Files): boolean {
  return files.stat("/run/systemd/system")?.kind === "directory";
}

const unitTypes = /\.(service|socket|target|timer|mount|automount|path|slice|scope|swap|device)$/;

/** `nginx` -> `nginx.service`; a name with a unit type keeps it. */
export function normaliseUnit(name: string): string {
  return unitTypes.test(name) ? name : `${name}.service`;
}

/** `nginx.service` -> `nginx`; other types keep theirs. */
export function unitDisplayName(unit: string): string {
  return unit.endsWith(".service") ? unit.slice(0, -".service".length) : unit;
}

type Asked = Pick<System, "bus" | "run">;

/**
 * One state for each name, in their order; an unknown unit has loadState `not-found`. Throws one sentence, also when
 * systemd refuses to show one of them.
 */
export async function showUnits(
  system: Asked,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<UnitState[]> {
  return (await showEach(system, names, signal)).map((shown) => {
    if (isRefused(shown)) throw new Error(shown.refused);
    return shown;
  });
}

/** The same, in which a name that systemd refuses costs that name alone. */
export async function showEach(
  system: Asked,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<readonly (UnitState | RefusedUnit)[]> {
  return (await show(system, names, false, signal)).asked;
}

/** Both of them at once. Throws one sentence. */
export async function showUnitsAndFailed(
  system: Asked,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<UnitsShown> {
  return await show(system, names, true, signal);
}

/** What systemctl takes as it is. Anything else it first makes a name of: a pattern, a path, a space. */
const plain = /^[A-Za-z0-9:_.\\@-]{1,255}$/;

async function show(
  { bus, run }: Asked,
  names: readonly string[],
  withFailed: boolean,
  signal?: AbortSignal,
): Promise<UnitsShown> {
  const units = names.map(normaliseUnit);
  if (units.length === 0 && !withFailed) return { asked: [], failed: [] };
  // systemctl ends at the first name that it does not understand, and says nothing about those after it.
  const faults = new Map(units.flatMap((unit) => refusalOf(unit)));
  const good = units.filter((unit) => !faults.has(unit));
  const shown = await showGood({ bus, run }, good, withFailed, signal);
  const states = new Map(good.map((unit, index) => [unit, shown.asked[index]]));
  const asked = units.map((unit) => {
    const state = faults.get(unit) ?? states.get(unit);
    if (state === undefined) throw new Error(`systemd said nothing about ${unit}`);
    return state;
  });
  return { asked, failed: shown.failed };
}

function refusalOf(unit: string): [string, RefusedUnit][] {
  const fault = plain.test(unit) ? unitNameFault(unit) : null;
  return fault === null ? [] : [[unit, { name: unit, refused: `systemd cannot show ${unit}: it ${fault}` }]];
}

async function showGood(
  { bus, run }: Asked,
  units: readonly string[],
  withFailed: boolean,
  signal?: AbortSignal,
): Promise<UnitsShown> {
  if (units.length === 0 && !withFailed) return { asked: [], failed: [] };
  if (units.every((unit) => plain.test(unit))) {
    const found = await bus.connect();
    if ("connection" in found) return await askBus(found.connection, units, withFailed, signal);
  }
  // Without a bus systemctl has its own ways, and its own words for what is wrong.
  return await askSystemctl(run, units, withFailed, signal);
}

async function askSystemctl(
  run: System["run"],
  names: readonly string[],
  withFailed: boolean,
  signal?: AbortSignal,
): Promise<UnitsShown> {
  const shown = new Map<string, UnitState>();
  for (let from = 0; from < names.length || (from === 0 && withFailed); from += batch) {
    const some = names.slice(from, from + batch);
    const isFirst = withFailed && from === 0;
    const ask = (wanted: readonly string[], failed: boolean) =>
      run("systemctl", showArguments(wanted, failed), options(signal));
    const result = await ask(some, isFirst);
    const texts = isAboutName(result)
      ? await Promise.all([...some.map((name) => ask([name], false)), ...(isFirst ? [ask([], true)] : [])])
      : [result];
    for (const each of texts) {
      if (texts.length > 1 && isAboutName(each)) continue;
      for (const unit of parseUnits(answer("systemctl", each))) shown.set(unit.id, unit);
    }
  }
  const units = [...shown.values()];
  const asked = names.map((wanted) => {
    const unit = shown.get(wanted) ?? units.find((each) => each.names.includes(wanted));
    return unit ?? { name: wanted, refused: `systemctl said nothing about ${wanted}` };
  });
  return { asked, failed: units.filter((unit) => unit.activeState === "failed") };
}

/** One name that systemctl does not understand ends it, and costs those after it. */
const isAboutName = ({ exitCode, stderr }: RunResult): boolean =>
  exitCode !== 0 && exitCode !== null && /^Failed to get properties: Unit name /m.test(stderr);

function options(signal: AbortSignal | undefined) {
  return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
}

function answer(program: string, result: RunResult): string {
  if (result.missing) throw new Error(`${program} is not installed`);
  if (result.timedOut) throw new Error(`${program} did not answer within ${timeLimit(timeoutMs)}`);
  if (result.exitCode === 0) return result.stdout;
  const said = result.stderr.split("\n", 1)[0] ?? "";
  throw new Error(`${program} failed${said === "" ? "" : `: ${said}`}`);
}

export { parseUnits } from "./unit-text.ts";
