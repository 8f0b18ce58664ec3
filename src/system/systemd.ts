/** What systemd says of its units: over the bus where there is one, else by systemctl(1). Read only. */
import type { Files, RunResult, System } from "./system.ts";
import { type UnitState, type UnitsShown, unitProperties, unitStateOf } from "./unit-state.ts";
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

/** One state for each name, in their order; an unknown unit has loadState `not-found`. Throws one sentence. */
export async function showUnits(
  system: Asked,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<UnitState[]> {
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
    // The state filter applies to the pattern alone: plain names are shown whatever state they are in.
    const failed = withFailed && from === 0 ? ["*"] : [];
    const args = [
      "--no-pager",
      "--state=failed",
      `--property=${unitProperties.join(",")}`,
      "show",
      "--",
      ...names.slice(from, from + batch),
      ...failed,
    ];
    const text = answer("systemctl", await run("systemctl", args, options(signal)));
    for (const unit of parseUnits(text)) shown.set(unit.id, unit);
  }
  const units = [...shown.values()];
  const asked = names.map((wanted) => {
    const unit = shown.get(wanted) ?? units.find((each) => each.names.includes(wanted));
    if (unit === undefined) throw new Error(`systemctl said nothing about ${wanted}`);
    return unit;
  });
  return { asked, failed: units.filter((unit) => unit.activeState === "failed") };
}

/** A name with a backslash stands in quotes, each backslash doubled. */
function unquoted(word: string): string {
  const inside = /^"(.*)"$/.exec(word)?.[1];
  return inside === undefined ? word : inside.replace(/\\(.)/g, "$1");
}

function options(signal: AbortSignal | undefined) {
  return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
}

function answer(program: string, result: RunResult): string {
  if (result.missing) throw new Error(`${program} is not installed`);
  if (result.timedOut) throw new Error(`${program} did not answer within ${timeoutMs / 1000} s`);
  if (result.exitCode === 0) return result.stdout;
  const said = result.stderr.split("\n", 1)[0] ?? "";
  throw new Error(`${program} failed${said === "" ? "" : `: ${said}`}`);
}

/** @param text blocks of `Property=value` lines, with an empty line between units. */
export function parseUnits(text: string): UnitState[] {
  const units: UnitState[] = [];
  for (const block of text.split(/\n{2,}/)) {
    const values = new Map<string, string>();
    for (const line of block.split("\n")) {
      const equals = line.indexOf("=");
      if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1));
    }
    const id = values.get("Id");
    if (id === undefined || id === "") continue;
    const word = (name: string) => values.get(name) ?? "";
    units.push(
      unitStateOf({
        word,
        number: (name) => Number(word(name)) || 0,
        names: word("Names").split(" ").map(unquoted),
        job: word("Job") !== "" && word("Job") !== "0",
      }),
    );
  }
  return units;
}
