/** What Argus wants to know of a unit, whoever tells it: org.freedesktop.systemd1(5), systemctl(1) show. */

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

export interface UnitsShown {
  /** One for each name, in their order. */
  readonly asked: UnitState[];
  /** Every failed unit, asked for or not. */
  readonly failed: UnitState[];
}

/** Names of systemd's properties. */
export const unitProperties = [
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
] as const;

type UnitProperty = (typeof unitProperties)[number];

/** How one source tells a property. Not every type of unit has every one: a mount has no MainPID, a target no Result. */
export interface UnitSource {
  /** `""` when there is none. */
  word(property: UnitProperty): string;
  /** 0 when there is none. */
  number(property: UnitProperty): number;
  readonly names: readonly string[];
  readonly job: boolean;
}

export function unitStateOf({ word, number, names, job }: UnitSource): UnitState {
  return {
    id: word("Id"),
    names,
    loadState: word("LoadState"),
    activeState: word("ActiveState"),
    subState: word("SubState"),
    result: word("Result"),
    mainPid: number("MainPID"),
    controlPid: number("ControlPID"),
    restarts: number("NRestarts"),
    unitFileState: word("UnitFileState"),
    job,
    activeEnterMicroseconds: number("ActiveEnterTimestampMonotonic"),
    activeExitMicroseconds: number("ActiveExitTimestampMonotonic"),
    inactiveEnterMicroseconds: number("InactiveEnterTimestampMonotonic"),
    inactiveExitMicroseconds: number("InactiveExitTimestampMonotonic"),
  };
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
