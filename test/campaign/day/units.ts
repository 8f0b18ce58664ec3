/** A small systemd: units that start, run, die and are stopped, with what it writes into the journal. */
import type { SimulatedTime } from "./time.ts";

export type By = "argus" | "person" | "systemd" | "boot";
export type Death = "signal" | "exit-code" | "success";

export interface UnitForm {
  /** Full name. */
  readonly id: string;
  readonly aliases?: readonly string[];
  readonly type?: "simple" | "oneshot";
  readonly unitFileState?: "enabled" | "static" | "disabled";
  /** BindsTo= and After=. */
  readonly bindsTo?: readonly string[];
  readonly triggeredBy?: readonly string[];
  readonly startSeconds?: number;
  /** Restart=always with this RestartSec=. */
  readonly restartSeconds?: number;
  /** Inactive between its runs. */
  readonly rests?: boolean;
  /** As argus.json and messages call it; its own name when left out. Null: argus.json does not name it. */
  readonly watchedAs?: string | null;
}

export interface Unit {
  readonly form: UnitForm;
  active: "active" | "activating" | "deactivating" | "inactive" | "failed";
  sub: string;
  result: string;
  load: "loaded" | "not-found" | "masked";
  fileState: string;
  pid: number;
  restarts: number;
  job: number;
  /** Its starts fail until then, in milliseconds of true time. */
  failsUntilMs: number;
  /** What its next start takes; 0: what its file says. */
  slowSeconds: number;
  /** Microseconds since boot. */
  readonly stamps: { activeEnter: number; activeExit: number; inactiveEnter: number; inactiveExit: number };
  /** What began before this is over: a start that was overtaken. */
  turn: number;
  /** null: it runs, or rests by its nature. */
  downBecause: string | null;
  /** Who wants it down. */
  stopped: "person" | null;
  startedBy: By;
}

/** systemd.journal-fields(7): messages of systemd itself. */
const message = {
  stopping: "de5b426a63be47a7b6ac3eaac82e2f6f",
  stopped: "9d1aaa27d60140bd96365438aad20286",
  succeeded: "7ad2d189f7e94e70a38c781354912448",
  failed: "d9b373ed55a64feb8242e02dbe79a49c",
  starting: "7d4958e842da4a758f6c1cdc7b36dcc5",
  started: "39f53479d3a045ac8e11786248231fbf",
  booted: "b07a249cd024414a82dd00cd181378ff",
};

interface Line {
  readonly unit: string | null;
  readonly text: string;
}

export interface Manager {
  readonly units: ReadonlyMap<string, Unit>;
  /** By its name or an alias. */
  find(name: string): Unit | undefined;
  start(unit: Unit, by: By, done?: (result: string) => void): void;
  stop(unit: Unit): void;
  die(unit: Unit, how: Death, because: string): void;
  mask(unit: Unit, masked: boolean): void;
  remove(unit: Unit): void;
  bringBack(unit: Unit): void;
  boot(): void;
  /** The power goes: nothing of this boot is left. */
  powerOff(): void;
  /** As `journalctl --reverse --output=json UNIT=…` prints it. */
  journalOf(unit: string): string;
}

export interface Surroundings {
  readonly time: SimulatedTime;
  /** Microseconds since boot. */
  readonly sinceBoot: () => number;
  /** Whenever the state of a unit changed. */
  readonly onChange: (unit: Unit, by: By | null) => void;
}

export function createManager(
  forms: readonly UnitForm[],
  { time, sinceBoot, onChange }: Surroundings,
): Manager {
  const units = new Map<string, Unit>();
  let journal: Line[] = [];
  let nextPid = 1000;
  let nextJob = 1;

  for (const form of forms) {
    units.set(form.id, {
      form,
      active: "inactive",
      sub: "dead",
      result: "success",
      load: "loaded",
      fileState: form.unitFileState ?? "enabled",
      pid: 0,
      restarts: 0,
      job: 0,
      failsUntilMs: 0,
      slowSeconds: 0,
      stamps: { activeEnter: 0, activeExit: 0, inactiveEnter: 0, inactiveExit: 0 },
      turn: 0,
      downBecause: null,
      stopped: null,
      startedBy: "boot",
    });
  }

  const find = (name: string) =>
    units.get(name) ?? [...units.values()].find(({ form }) => form.aliases?.includes(name) === true);
  const write = (unit: string | null, id: string, more: object = {}) => {
    const at = String(Math.round(sinceBoot()));
    journal.push({ unit, text: JSON.stringify({ MESSAGE_ID: id, ...more, __MONOTONIC_TIMESTAMP: at }) });
  };
  const isRunning = ({ active }: Unit) => active === "active" || active === "activating";
  const dependents = ({ form: { id } }: Unit) =>
    [...units.values()].filter(({ form }) => form.bindsTo?.includes(id) === true);

  function start(unit: Unit, by: By, done: (result: string) => void = () => undefined): void {
    const isRefused = unit.load !== "loaded" || unit.active === "activating";
    if (isRefused || unit.active === "active") {
      done(isRefused ? "failed" : "done");
      return;
    }
    const missing = (unit.form.bindsTo ?? []).flatMap((name) => find(name) ?? []);
    const dead = missing.filter(({ active }) => active !== "active");
    const [first] = dead;
    if (first?.active === "activating") {
      time.after(100, () => start(unit, by, done));
      return;
    }
    if (first !== undefined) {
      // What it binds to is started along with it.
      start(first, by, (result) => (result === "done" ? start(unit, by, done) : done("dependency")));
      return;
    }
    unit.turn += 1;
    const { turn } = unit;
    unit.active = "activating";
    unit.sub = "start";
    unit.job = nextJob++;
    unit.stamps.inactiveExit = sinceBoot();
    write(unit.form.id, message.starting);
    onChange(unit, by);
    const seconds = unit.slowSeconds || (unit.form.startSeconds ?? 0.05);
    unit.slowSeconds = 0;
    time.after(seconds * 1000, () => {
      if (unit.turn !== turn) {
        done("canceled");
        return;
      }
      unit.job = 0;
      if (time.nowMs() < unit.failsUntilMs) {
        unit.downBecause = "its start fails";
        end(unit, "exit-code");
        done("failed");
        return;
      }
      unit.active = "active";
      unit.sub = unit.form.type === "oneshot" ? "start" : "running";
      unit.result = "success";
      unit.pid = nextPid++;
      unit.stamps.activeEnter = sinceBoot();
      unit.downBecause = null;
      unit.stopped = null;
      unit.startedBy = by;
      write(unit.form.id, message.started);
      onChange(unit, by);
      done("done");
    });
  }

  /** Without a stop job: it ended by itself, or could not start. */
  function end(unit: Unit, how: Death): void {
    unit.turn += 1;
    unit.stopped = null;
    unit.job = 0;
    unit.pid = 0;
    if (unit.active === "active") unit.stamps.activeExit = sinceBoot();
    unit.stamps.inactiveEnter = sinceBoot();
    unit.active = how === "success" ? "inactive" : "failed";
    unit.sub = how === "success" ? "dead" : "failed";
    unit.result = how;
    write(unit.form.id, how === "success" ? message.succeeded : message.failed);
    const again = unit.form.restartSeconds;
    if (again !== undefined && unit.load === "loaded") {
      unit.active = "activating";
      unit.sub = "auto-restart";
      unit.stamps.inactiveExit = sinceBoot();
      const { turn } = unit;
      time.after(again * 1000, () => {
        if (unit.turn !== turn) return;
        unit.restarts += 1;
        unit.active = "inactive";
        start(unit, "systemd");
      });
    }
    onChange(unit, null);
  }

  function stopJob(unit: Unit, because: string, isPerson: boolean): void {
    if (unit.active === "inactive" && !isPerson) return;
    unit.turn += 1;
    unit.job = 0;
    unit.pid = 0;
    const ran = unit.active === "active";
    write(unit.form.id, message.stopping, { JOB_TYPE: "stop" });
    if (ran) unit.stamps.activeExit = sinceBoot();
    if (unit.active !== "failed") unit.result = "success";
    if (ran || unit.active === "activating") unit.stamps.inactiveEnter = sinceBoot();
    write(unit.form.id, message.succeeded);
    write(unit.form.id, message.stopped, { JOB_TYPE: "stop" });
    unit.active = "inactive";
    unit.sub = "dead";
    unit.downBecause = because;
    unit.stopped = isPerson ? "person" : null;
    onChange(unit, isPerson ? "person" : null);
  }

  return {
    units,
    find,
    start,
    stop(unit) {
      // `systemctl stop` of what does not run does nothing.
      if (!isRunning(unit)) return;
      for (const each of dependents(unit))
        if (isRunning(each)) stopJob(each, `${unit.form.id} was stopped`, true);
      stopJob(unit, "stopped by a person", true);
    },
    die(unit, how, because) {
      if (unit.active !== "active") return;
      unit.downBecause = because;
      end(unit, how);
      for (const each of dependents(unit))
        if (isRunning(each)) stopJob(each, `it went down with ${unit.form.id}`, false);
    },
    mask(unit, masked) {
      unit.load = masked ? "masked" : "loaded";
      unit.fileState = masked ? "masked" : (unit.form.unitFileState ?? "enabled");
      onChange(unit, "person");
    },
    remove(unit) {
      unit.load = "not-found";
      unit.fileState = "";
      onChange(unit, "person");
    },
    bringBack(unit) {
      unit.load = "loaded";
      unit.fileState = unit.form.unitFileState ?? "enabled";
      onChange(unit, "person");
    },
    powerOff() {
      journal = [];
      for (const unit of units.values()) {
        unit.turn += 1;
        Object.assign(unit, {
          active: "inactive",
          sub: "dead",
          result: "success",
          pid: 0,
          job: 0,
          restarts: 0,
        });
        Object.assign(unit.stamps, { activeEnter: 0, activeExit: 0, inactiveEnter: 0, inactiveExit: 0 });
        unit.downBecause = "the host is down";
        unit.stopped = null;
        onChange(unit, null);
      }
    },
    boot() {
      write(null, message.booted);
      for (const unit of units.values()) {
        unit.downBecause = "the host was started";
        onChange(unit, null);
        if (unit.fileState === "enabled" && unit.form.rests !== true) start(unit, "boot");
        if (unit.form.type === undefined && unit.fileState === "disabled")
          unit.downBecause = "nobody started it since the boot";
      }
    },
    journalOf: (unit) =>
      journal
        .filter((line) => line.unit === unit || line.unit === null)
        .slice(-40)
        .reverse()
        .map(({ text }) => `${text}\n`)
        .join(""),
  };
}
