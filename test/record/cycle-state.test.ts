import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type CycleState,
  createCycleState,
  isInterrupted,
  readCycleState,
} from "../../src/record/cycle-state.ts";
import { createSystem } from "../../src/system/machine.ts";
import { processStart } from "../../src/system/process-start.ts";
import { temporaryDir } from "./samples.ts";

const system = createSystem();
const { bootId } = system.clock.now();
let logDir: string;
let notes: string[];
let children: ChildProcess[];
beforeEach(() => {
  logDir = temporaryDir();
  notes = [];
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(logDir, { recursive: true, force: true });
});

const open = () => createCycleState(system, logDir, (sentence) => notes.push(sentence));
const file = () => join(logDir, "cycle_state.json");
const onDisk = (): CycleState => JSON.parse(readFileSync(file(), "utf8"));
const noRules = { brokenFiles: 0, brokenDetail: null, settingsFault: null, executorError: null };

function otherProcess(): number {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  children.push(child);
  return child.pid ?? 0;
}

/** As another Argus left it in the middle of a cycle. */
function writeRunning(pid: number, startTime: number | null, boot = bootId): void {
  open().begin({ id: "before", trigger: "schedule" });
  writeFileSync(file(), JSON.stringify({ ...onDisk(), pid, pidStartTime: startTime, bootId: boot }));
}

describe("cycle_state.json", () => {
  it("tells a cycle that runs, one that ended, and one that failed", () => {
    const state = open();
    state.begin({ id: "c1", trigger: "schedule" });
    expect(onDisk()).toMatchObject({
      version: 1,
      state: "running",
      cycle: "c1",
      trigger: "schedule",
      cycles: 1,
      pid: process.pid,
    });
    state.end(41.6);
    expect(onDisk()).toMatchObject({ state: "idle", durationMs: 42, failuresInARow: 0 });
    state.begin({ id: "c2", trigger: "wake" });
    state.fail(new Error("no space left"));
    expect(onDisk()).toMatchObject({
      state: "failed",
      cycle: "c2",
      failuresInARow: 1,
      lastError: "no space left",
      durationMs: 42,
    });
  });

  it("counts failures in a row across restarts, until a cycle ends well", () => {
    for (const id of ["c1", "c2", "c3"]) {
      const state = open();
      state.begin({ id, trigger: "schedule" });
      state.fail("disk");
    }
    const state = open();
    expect(
      state.selfFact({
        brokenFiles: 1,
        brokenDetail: "rules/x.json: no",
        settingsFault: null,
        executorError: null,
      }),
    ).toEqual({
      cycles: 3,
      executorAnswers: true,
      executorError: null,
      failuresInARow: 3,
      interrupted: false,
      lastDurationMilliseconds: null,
      lastError: "disk",
      brokenRuleFiles: 1,
      brokenRuleDetail: "rules/x.json: no",
      settingsInForce: true,
      settingsFault: null,
    });
    state.begin({ id: "c4", trigger: "schedule" });
    state.end(10);
    expect(state.selfFact(noRules)).toMatchObject({
      cycles: 4,
      failuresInARow: 0,
      lastDurationMilliseconds: 10,
    });
  });

  it("counts scheduled cycles in which a collector failed, across restarts, until it answers", () => {
    const report = (name: string, status: "ok" | "failed", detail = "") => ({
      name,
      status,
      detail,
      duration_ms: 1,
    });
    const failed = [
      report("services", "failed", "systemctl did not answer within 5 s"),
      report("disks", "ok"),
    ];
    const cycle = (id: string, reports: typeof failed, scheduled = true) => {
      const state = open();
      state.begin({ id, trigger: scheduled ? "schedule" : "wake" });
      const said = state.countCollectors(reports, scheduled);
      state.end(1);
      return said;
    };
    const none = { failedCollectors: [], failedCollectorDetail: null };
    expect(cycle("c1", failed)).toEqual(none);
    // Wake-ups may come by the second.
    for (const id of ["w1", "w2", "w3"]) expect(cycle(id, failed, false)).toEqual(none);
    expect(cycle("c2", failed)).toEqual(none);
    const reported = {
      failedCollectors: ["services"],
      failedCollectorDetail: "services (3 cycles): systemctl did not answer within 5 s",
    };
    expect(cycle("c3", failed)).toEqual(reported);
    expect(cycle("w4", failed, false)).toEqual(reported);
    expect(cycle("c4", [report("services", "ok")])).toEqual(none);
    expect(cycle("c5", failed)).toEqual(none);
  });

  it("that is corrupt is set aside and said", () => {
    writeFileSync(file(), "{");
    expect(open().state().cycles).toBe(0);
    expect(notes).toEqual([
      `${file()} is not valid JSON; it was set aside as ${file()}.corrupt-1 and Argus starts with an empty one`,
    ]);
    expect(readFileSync(`${file()}.corrupt-1`, "utf8")).toBe("{");
    expect(readCycleState(system.files, logDir)).toBeNull();
  });

  it("that cannot be written is an error with the mend", () => {
    const state = open();
    rmSync(logDir, { recursive: true });
    expect(() => state.begin({ id: "c1", trigger: "once" })).toThrow(
      `cannot write ${file()}: the folder does not exist; make it, or restart Argus, which makes it`,
    );
  });
});

describe("an interrupted cycle", () => {
  const interruptedAtBegin = (): boolean => {
    const state = open();
    state.begin({ id: "now", trigger: "schedule" });
    return state.selfFact(noRules).interrupted;
  };

  it("is one whose process is gone", () => {
    const pid = otherProcess();
    writeRunning(pid, (processStart(system.files, pid) ?? 0) - 1);
    expect(interruptedAtBegin()).toBe(true);
  });

  it("is one of another boot, and one of ours that neither ended nor failed", () => {
    const pid = otherProcess();
    writeRunning(pid, processStart(system.files, pid), "another boot");
    expect(interruptedAtBegin()).toBe(true);
    expect(interruptedAtBegin()).toBe(true);
  });

  it("is not one that runs in a process that lives", () => {
    const pid = otherProcess();
    writeRunning(pid, processStart(system.files, pid));
    const state = readCycleState(system.files, logDir);
    expect(state && isInterrupted(system.files, state, bootId)).toBe(false);
    expect(interruptedAtBegin()).toBe(false);
  });

  it("is said in the cycle after it and no longer", () => {
    writeRunning(999_999_999, 1);
    const state = open();
    const said: boolean[] = [];
    for (const id of ["c1", "c2"]) {
      state.begin({ id, trigger: "schedule" });
      said.push(state.interrupted());
      state.end(1);
    }
    expect(said).toEqual([true, false]);
  });
});
