/** A state directory, recorded programs and a clock that only moves when told: what the executor's tests stand on. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { createExecutor, type ExecuteRequest, type LocalExecutor } from "../../src/execute/executor.ts";
import type { Policy } from "../../src/execute/policy.ts";
import { noBus } from "../../src/system/bus/bus.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { Clock, System } from "../../src/system/system.ts";
import type { ActionRecord, OutboxMessage } from "../../src/types/action.ts";
import type { Moment } from "../../src/types/moment.ts";

const made: string[] = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "argus-execute-"));
  made.push(path);
  return path;
}

export const policy: Policy = {
  mode: "act",
  restartable: [
    { unit: "web.service", requires: [] },
    { unit: "api.service", requires: ["db.service"] },
  ],
  killable: ["node", "sleep"],
  protected: [],
  tmuxSockets: [],
  homes: [],
  logDir: "/nonexistent/logs",
  keep: [],
  diskCleanMaxAgeDays: 7,
  budgets: { kills: 20, restarts: 10, cleanings: 2 },
  approval: { rules: [], model: [], seconds: 3600 },
  modelMayPropose: ["restart_service", "kill_pid", "kill_tmux", "clean_disk", "alert", "log"],
  bootGraceSeconds: 120,
  restartSecondDelaySeconds: 60,
  restartThirdDelaySeconds: 300,
  restartCooldownSeconds: 3600,
  restartSettleSeconds: 3,
  dedupWindowSeconds: 3600,
  reportRepairs: true,
  observationsFile: "/nonexistent/observations.md",
  maintenance: [],
  answering: null,
  tickets: { enabled: true, stateDir: "/nonexistent/state", repeatSeconds: 86_400 },
  handOff: null,
  program: ["/usr/bin/node", "/opt/argus/dist/main.js"],
};

export interface ManualClock extends Clock {
  /** True time goes on; so does the wall clock. */
  advance(seconds: number): void;
  /** The wall clock is set; true time stands still. */
  setWall(bySeconds: number): void;
  reboot(): void;
  /** Seconds of true time since the test began. */
  elapsed(): number;
}

/** 2026-11-20T22:40:00Z, an hour after boot. */
export function manualClock(): ManualClock {
  let elapsed = 0;
  let wallMs = Date.UTC(2026, 10, 20, 22, 40, 0);
  let uptimeSeconds = 3600;
  let boot = 1;
  const advance = (seconds: number) => {
    elapsed += seconds;
    uptimeSeconds += seconds;
    wallMs += seconds * 1000;
  };
  return {
    now: (): Moment => ({ wallMs, uptimeSeconds, bootId: `boot-${boot}` }),
    monotonicMs: () => elapsed * 1000,
    sleep: async (milliseconds) => advance(milliseconds / 1000),
    advance,
    setWall: (bySeconds) => {
      wallMs += bySeconds * 1000;
    },
    reboot: () => {
      boot += 1;
      uptimeSeconds = 0;
    },
    elapsed: () => elapsed,
  };
}

export interface UnitRecording {
  readonly load?: string;
  readonly active?: string;
  readonly sub?: string;
  readonly result?: string;
  readonly mainPid?: number;
  readonly unitFile?: string;
  readonly job?: number;
  /** Further properties of systemd. */
  readonly more?: Readonly<Record<string, string | number>>;
}

const unitText = (id: string, unit: UnitRecording): string =>
  [
    `Id=${id}`,
    `Names=${id}`,
    `LoadState=${unit.load ?? "loaded"}`,
    `ActiveState=${unit.active ?? "active"}`,
    `SubState=${unit.sub ?? "running"}`,
    `Result=${unit.result ?? "success"}`,
    `MainPID=${unit.mainPid ?? 0}`,
    "ControlPID=0",
    "NRestarts=0",
    `UnitFileState=${unit.unitFile ?? "enabled"}`,
    `Job=${unit.job ?? 0}`,
    "InactiveEnterTimestampMonotonic=1000000",
    ...Object.entries(unit.more ?? {}).map(([name, value]) => `${name}=${value}`),
    "",
    "",
  ].join("\n");

export const failed: UnitRecording = { active: "failed", sub: "failed", result: "exit-code" };
export const stopped: UnitRecording = { active: "inactive", sub: "dead" };
export const running: UnitRecording = { active: "active", sub: "running", mainPid: 4242 };

/** Recorded `systemctl` and `journalctl` with their state in a directory. */
export function recordedSystemd() {
  const folder = temporaryFolder();
  const units = join(folder, "units");
  mkdirSync(units);
  const calls = join(folder, "calls");
  const script = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}`);
    chmodSync(join(folder, name), 0o755);
  };
  script(
    "systemctl",
    `cd ${units} || exit 9
verb=
for word in "$@"; do
  case "$word" in
    -*) ;;
    show|restart|reset-failed) [ -z "$verb" ] && verb=$word ;;
    *) case "$verb" in
      show)
        count=$(cat "$word.shown" 2>/dev/null || echo 0); count=$((count + 1)); echo $count > "$word.shown"
        if [ -f "$word.show-$count" ]; then cp "$word.show-$count" "$word"; fi
        if [ -f "$word" ]; then cat "$word"; echo; else printf 'Id=%s\\nNames=%s\\nLoadState=not-found\\nActiveState=inactive\\nSubState=dead\\n\\n' "$word" "$word"; fi ;;
      *)
        echo "$*" >> ${calls}
        if [ "$verb" = restart ]; then
          if [ -f "$word.slow" ]; then exec sleep 30; fi
          if [ -f "$word.fails" ]; then cat "$word.fails" >&2; exit 1; fi
          if [ -f "$word.after-restart" ]; then cp "$word.after-restart" "$word"; fi
        fi ;;
    esac ;;
  esac
done
`,
  );
  script(
    "journalctl",
    `for each in "$@"; do case "$each" in UNIT=*) unit=\${each#UNIT=};; esac; done
for each in ${folder}/journal-$unit ${folder}/journal; do if [ -f "$each" ]; then exec cat "$each"; fi; done; exit 1
`,
  );
  const path = `${folder}:${process.env["PATH"]}`;
  const put = (name: string, text: string) => writeFileSync(join(units, name), text);
  return {
    path,
    set: (unit: string, state: UnitRecording) => put(unit, unitText(unit, state)),
    afterRestart: (unit: string, state: UnitRecording) => put(`${unit}.after-restart`, unitText(unit, state)),
    /** What it becomes just before the nth time that somebody looks at it. */
    atLook: (unit: string, nth: number, state: UnitRecording) =>
      put(`${unit}.show-${nth}`, unitText(unit, state)),
    restartFails: (unit: string, stderr: string) => put(`${unit}.fails`, stderr),
    restartHangs: (unit: string) => put(`${unit}.slow`, ""),
    /** Newest entry first. */
    journal: (...entries: object[]) =>
      writeFileSync(join(folder, "journal"), entries.map((entry) => `${JSON.stringify(entry)}\n`).join("")),
    /** Of one unit alone. */
    journalOf: (unit: string, ...entries: object[]) =>
      writeFileSync(
        join(folder, `journal-${unit}`),
        entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
      ),
    restarts: () =>
      (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []).filter((call) =>
        call.includes(" restart "),
      ),
    calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []),
  };
}

const messages = {
  stopping: "de5b426a63be47a7b6ac3eaac82e2f6f",
  ended: "d9b373ed55a64feb8242e02dbe79a49c",
  started: "39f53479d3a045ac8e11786248231fbf",
};
const entry = (MESSAGE_ID: string, more: object = {}) => ({
  MESSAGE_ID,
  __MONOTONIC_TIMESTAMP: "1000000",
  ...more,
});
export const stoppedByHand = [
  entry(messages.ended),
  entry(messages.stopping, { JOB_TYPE: "stop" }),
  entry(messages.started),
];
export const endedByItself = [entry(messages.ended), entry(messages.started)];

const problem = (digit: string | number) => `service:${String(digit).padStart(16, "0")}`;

export function proposal(type: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type,
    source: "rule:test",
    problem: problem(1),
    problemType: "service",
    severity: "critical",
    subject: "web",
    ...more,
  };
}
export const restart = (unit: string, more: Record<string, unknown> = {}) =>
  proposal("restart_service", { target: unit, ...more });
export const alertOf = (digit: string | number, message: string, more: Record<string, unknown> = {}) =>
  proposal("alert", { problem: problem(digit), message, ...more });
export const logOf = (digit: string | number, message: string, more: Record<string, unknown> = {}) =>
  proposal("log", { problem: problem(digit), message, ...more });

export interface Bench {
  readonly system: System;
  readonly stateDir: string;
  readonly policy: Policy;
  executor: LocalExecutor;
  /** As a restart of Argus would: a new executor over the same files. */
  restartArgus(): void;
  run(
    proposals: readonly unknown[],
    more?: Partial<ExecuteRequest> & { signal?: AbortSignal },
  ): Promise<ActionRecord[]>;
  readonly notes: string[];
  outbox(): OutboxMessage[];
  state(name: string): unknown;
}

export function bench(
  options: { system?: Partial<System>; policy?: Partial<Policy>; path?: string } = {},
): Bench {
  const stateDir = temporaryFolder();
  const real = createSystem(options.path === undefined ? {} : { path: options.path });
  const system: System = {
    ...real,
    // A cleaning under a clock of the test's own would empty the real /tmp. Without a /proc it removes nothing.
    files: { ...real.files, realPath: (path) => (path === "/proc" ? "/nonexistent/proc" : path) },
    // Recorded programs answer here, not the systemd of this machine.
    bus: noBus,
    ...options.system,
  };
  const its: Policy = {
    ...policy,
    observationsFile: join(stateDir, "observations.md"),
    tickets: { enabled: true, stateDir, repeatSeconds: 86_400 },
    ...options.policy,
  };
  const notes: string[] = [];
  let cycles = 0;
  const one: Bench = {
    system,
    stateDir,
    policy: its,
    executor: createExecutor(system, its, stateDir),
    notes,
    restartArgus() {
      one.executor = createExecutor(system, its, stateDir);
    },
    async run(proposals, { signal = new AbortController().signal, ...more } = {}) {
      const request: ExecuteRequest = {
        cycle: `c${++cycles}`,
        host: "landmass",
        dryRun: false,
        proposals,
        ...more,
      };
      // Through JSON and back: the executor will live in another process.
      const reply = await one.executor.execute(JSON.parse(JSON.stringify(request)), signal);
      notes.push(...reply.notes);
      return JSON.parse(JSON.stringify(reply.actions));
    },
    outbox() {
      const folder = join(stateDir, "outbox");
      if (!existsSync(folder)) return [];
      return readdirSync(folder)
        .sort()
        .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
    },
    state: (name) => JSON.parse(readFileSync(join(stateDir, name), "utf8")),
  };
  return one;
}

/** The first record; a test that has none is wrong. */
export function only(records: readonly ActionRecord[]): ActionRecord {
  const [record, ...others] = records;
  if (record === undefined || others.length > 0)
    throw new Error(`expected one record, got ${records.length}`);
  return record;
}
