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
  /** Of a service: simple, notify, oneshot, dbus, …; `""` of any other unit. */
  readonly type: string;
  readonly busName: string;
  /** Timers, sockets, paths and automounts that start it. */
  readonly triggeredBy: readonly string[];
  /** Units whose end takes it down: BindsTo, Requires, Requisite, PartOf, StopPropagatedFrom. */
  readonly needs: readonly string[];
  /** Units whose start takes it down, whichever of the two says so. */
  readonly conflicts: readonly string[];
  /** When its conditions (ConditionPathExists= and its like) were looked at, CLOCK_MONOTONIC; 0: never. */
  readonly conditionMicroseconds: number;
  /** What came of it. systemd says false as long as it has not looked. */
  readonly conditionMet: boolean;
  /** Its file changed since systemd read it. */
  readonly needsReload: boolean;
  /** `""` without a file. */
  readonly file: string;
  /** Below the cgroup file systems; `""` while it has none. */
  readonly controlGroup: string;
  /** How long it may take to start and to stop; null: as long as it likes, or no unit that has such a limit. */
  readonly startLimitMicroseconds: number | null;
  readonly stopLimitMicroseconds: number | null;
  /** What its cgroup may have; null: no limit of its own, or nobody counts. */
  readonly memoryMaxBytes: number | null;
  /** Processes and threads of its cgroup; null while it has none, or nobody counts. */
  readonly tasks: number | null;
  readonly tasksMax: number | null;
}

/** A name that systemd does not show: a template without an instance, say. */
export interface RefusedUnit {
  /** Full, as it was asked for. */
  readonly name: string;
  /** One sentence. */
  readonly refused: string;
}

export interface UnitsShown {
  /** One for each name, in their order. */
  readonly asked: readonly (UnitState | RefusedUnit)[];
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
  "Type",
  "BusName",
  "TriggeredBy",
  "BindsTo",
  "Requires",
  "Requisite",
  "PartOf",
  "StopPropagatedFrom",
  "Conflicts",
  "ConflictedBy",
  "ConditionTimestampMonotonic",
  "ConditionResult",
  "NeedDaemonReload",
  "FragmentPath",
  "ControlGroup",
  "TimeoutStartUSec",
  "TimeoutStopUSec",
  "MemoryMax",
  "TasksCurrent",
  "TasksMax",
] as const;

type UnitProperty = (typeof unitProperties)[number];

/** How one source tells a property. Not every type of unit has every one: a mount has no MainPID, a target no Result. */
export interface UnitSource {
  /** `""` when there is none. */
  word(property: UnitProperty): string;
  /** 0 when there is none. */
  number(property: UnitProperty): number;
  flag(property: UnitProperty): boolean;
  list(property: UnitProperty): readonly string[];
  /** Microseconds; null when there is none, or no end to it. */
  span(property: UnitProperty): number | null;
  /** A count or a size; null when there is none, or no limit to it. */
  amount(property: UnitProperty): number | null;
  readonly job: boolean;
}

/** Every service has these; systemd takes nothing down for their sake but at shutdown. */
const always = /\.slice$|^(sysinit|basic|shutdown)\.target$/;

export function unitStateOf({ word, number, flag, list, span, amount, job }: UnitSource): UnitState {
  const union = (...properties: UnitProperty[]) =>
    [...new Set(properties.flatMap(list))].filter((unit) => !always.test(unit));
  const names = list("Names");
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
    type: word("Type"),
    busName: word("BusName"),
    triggeredBy: list("TriggeredBy"),
    needs: union("BindsTo", "Requires", "Requisite", "PartOf", "StopPropagatedFrom"),
    conflicts: union("Conflicts", "ConflictedBy"),
    conditionMicroseconds: number("ConditionTimestampMonotonic"),
    conditionMet: flag("ConditionResult"),
    needsReload: flag("NeedDaemonReload"),
    file: word("FragmentPath"),
    controlGroup: word("ControlGroup"),
    startLimitMicroseconds: span("TimeoutStartUSec"),
    stopLimitMicroseconds: span("TimeoutStopUSec"),
    memoryMaxBytes: amount("MemoryMax"),
    tasks: amount("TasksCurrent"),
    tasksMax: amount("TasksMax"),
  };
}

export const isRefused = (shown: UnitState | RefusedUnit): shown is RefusedUnit => "refused" in shown;

export const isUp = ({ activeState }: Pick<UnitState, "activeState">): boolean =>
  activeState === "active" || activeState === "reloading";

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
