/** What systemd says of its units, by systemctl(1) and journalctl(1). Read only. */
import type { Files, Run, RunResult } from "./system.ts";

const timeoutMs = 5_000;
/** Names in one call: a template that fails per connection can leave thousands of failed instances behind. */
const batch = 200;

export interface UnitState {
  /** Full name, such as `nginx.service`; the real one when asked for by an alias. */
  readonly id: string;
  readonly names: readonly string[];
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  readonly result: string;
  readonly mainPid: number;
  readonly controlPid: number;
  /** systemd's own automatic restarts. */
  readonly restarts: number;
  readonly unitFileState: string;
  /** A job waits or runs: it is being started or stopped. */
  readonly job: boolean;
  /**
   * Microseconds of CLOCK_MONOTONIC at which it last entered or left these states. 0: never, or systemd forgot it,
   * as it does at once for a stopped unit that nothing refers to.
   */
  readonly activeEnterMicroseconds: number;
  readonly activeExitMicroseconds: number;
  readonly inactiveEnterMicroseconds: number;
  readonly inactiveExitMicroseconds: number;
}

const properties = [
  "Id",
  "Names",
  "LoadState",
  "ActiveState",
  "SubState",
  "Result",
  "MainPID",
  "ControlPID",
  "NRestarts",
  "UnitFileState",
  "Job",
  "ActiveEnterTimestampMonotonic",
  "ActiveExitTimestampMonotonic",
  "InactiveEnterTimestampMonotonic",
  "InactiveExitTimestampMonotonic",
].join(",");

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

/** One state for each name, in their order; an unknown unit has loadState `not-found`. Throws one sentence. */
export async function showUnits(
  run: Run,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<UnitState[]> {
  return (await showUnitsAndFailed(run, names, signal, false)).asked;
}

export interface UnitsShown {
  /** One for each name, in their order. */
  readonly asked: UnitState[];
  /** Every failed unit, asked for or not. */
  readonly failed: UnitState[];
}

/** Both of them in one call: starting systemctl costs more than its answer. Throws one sentence. */
export async function showUnitsAndFailed(
  run: Run,
  names: readonly string[],
  signal?: AbortSignal,
  withFailed = true,
): Promise<UnitsShown> {
  const shown = new Map<string, UnitState>();
  for (let from = 0; from < names.length || (from === 0 && withFailed); from += batch) {
    const some = names.slice(from, from + batch).map(normaliseUnit);
    // The state filter applies to the pattern alone: plain names are shown whatever state they are in.
    const failed = withFailed && from === 0 ? ["*"] : [];
    const args = [
      "--no-pager",
      "--state=failed",
      `--property=${properties}`,
      "show",
      "--",
      ...some,
      ...failed,
    ];
    const text = answer("systemctl", await run("systemctl", args, options(signal)));
    for (const unit of parseUnits(text)) shown.set(unit.id, unit);
  }
  const units = [...shown.values()];
  const asked = names.map((name) => {
    const wanted = normaliseUnit(name);
    const unit = shown.get(wanted) ?? units.find((each) => each.names.includes(wanted));
    if (unit === undefined) throw new Error(`systemctl said nothing about ${wanted}`);
    return unit;
  });
  return { asked, failed: units.filter((unit) => unit.activeState === "failed") };
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
    // Not every type of unit has every property: a mount has no MainPID, a target no Result.
    const word = (name: string) => values.get(name) ?? "";
    const number = (name: string) => Number(values.get(name) ?? "0") || 0;
    units.push({
      id,
      names: word("Names").split(" "),
      loadState: word("LoadState"),
      activeState: word("ActiveState"),
      subState: word("SubState"),
      result: word("Result"),
      mainPid: number("MainPID"),
      controlPid: number("ControlPID"),
      restarts: number("NRestarts"),
      unitFileState: word("UnitFileState"),
      job: word("Job") !== "" && word("Job") !== "0",
      activeEnterMicroseconds: number("ActiveEnterTimestampMonotonic"),
      activeExitMicroseconds: number("ActiveExitTimestampMonotonic"),
      inactiveEnterMicroseconds: number("InactiveEnterTimestampMonotonic"),
      inactiveExitMicroseconds: number("InactiveExitTimestampMonotonic"),
    });
  }
  return units;
}

/** When it entered its present active state, in microseconds of CLOCK_MONOTONIC; null when systemd does not know. */
export function stateEntered(unit: UnitState): number | null {
  const stamps: Record<string, number> = {
    active: unit.activeEnterMicroseconds,
    reloading: unit.activeEnterMicroseconds,
    activating: unit.inactiveExitMicroseconds,
    deactivating: unit.activeExitMicroseconds,
    inactive: unit.inactiveEnterMicroseconds,
    failed: unit.inactiveEnterMicroseconds,
  };
  return stamps[unit.activeState] || null;
}
