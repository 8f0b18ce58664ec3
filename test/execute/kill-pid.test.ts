import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import { readStat } from "../../src/system/proc.ts";
import {
  bench,
  failed,
  manualClock,
  only,
  proposal,
  recordedSystemd,
  restart,
  running,
  temporaryFolder,
} from "./support.ts";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

const files = createFiles("/");
const startTimeOf = (pid: number): number => readStat(files, pid)?.startTime ?? -1;

/** A node of our own, once it says that it is ready. */
async function start(program: string, code: string): Promise<number> {
  const child = spawn(program, ["-e", `${code}; setInterval(() => {}, 1000); console.log("ready")`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  return child.pid ?? -1;
}

function sleeper(): number {
  const child = spawn("sleep", ["300"], { stdio: "ignore" });
  children.push(child);
  return child.pid ?? -1;
}

const kill = (
  pid: unknown,
  startTime: unknown = startTimeOf(pid as number),
  more: Record<string, unknown> = {},
) => proposal("kill_pid", { target: pid, expect: { startTime }, ...more });

describe("a process that may be ended", () => {
  it("is sent SIGTERM, and is gone", async () => {
    const pid = sleeper();
    const record = only(await bench().run([kill(pid)]));
    expect(record).toMatchObject({
      type: "kill_pid",
      target: pid,
      result: "success",
      verified: true,
      values: { signals: ["SIGTERM"] },
    });
    expect(record.detail).toMatch(/^SIGTERM terminated sleep \(pid \d+\) within [\d.]+ m?s; it is gone$/);
    expect(record.steps.map((step) => step.step)).toEqual([
      "protected",
      "pause",
      "duplicate",
      "budget",
      "identity",
      "killable",
    ]);
    expect(readStat(files, pid)?.state ?? "Z").toBe("Z");
  });

  it("is sent SIGKILL when it ignores SIGTERM for 5 s", async () => {
    const pid = await start(process.execPath, `process.on("SIGTERM", () => {})`);
    const record = only(await bench().run([kill(pid)]));
    expect(record).toMatchObject({
      result: "success",
      verified: true,
      values: { signals: ["SIGTERM", "SIGKILL"] },
    });
    expect(record.detail).toBe(`node (pid ${pid}) ignored SIGTERM for 5 s and was sent SIGKILL; it is gone`);
    expect(record.duration_ms).toBeGreaterThanOrEqual(5000);
    expect(readStat(files, pid)?.state ?? "Z").toBe("Z");
  }, 20_000);

  it("is not waited for when Argus is told to stop", async () => {
    const pid = await start(process.execPath, `process.on("SIGTERM", () => {})`);
    const other = sleeper();
    const stop = new AbortController();
    const argus = bench();
    setTimeout(() => stop.abort(), 300);
    const [first, second] = await argus.run([kill(pid), kill(other)], { signal: stop.signal });
    expect(first).toMatchObject({
      result: "failure",
      refusal: null,
      verified: null,
      detail: `SIGTERM was sent to node (pid ${pid}), and it was still there; cut off, because Argus was told to stop`,
    });
    expect(second).toMatchObject({
      result: "skipped",
      refusal: null,
      detail: "not begun, because Argus was told to stop",
    });
    expect(startTimeOf(pid)).toBeGreaterThan(0);
    expect(startTimeOf(other)).toBeGreaterThan(0);
    expect(readStat(files, other)?.state).not.toBe("Z");
    argus.restartArgus();
    expect(argus.executor.interruptedActions()).toEqual([]);
  });
});

describe("a process that must be left alone", () => {
  const refusedTable: [string, () => number, string, RegExp][] = [
    ["process 1", () => 1, "protected_target", /^process 1 is the one from which all others come$/],
    ["Argus itself", () => process.pid, "protected_target", /^process \d+ is Argus itself or its parent$/],
    ["its parent", () => process.ppid, "protected_target", /^process \d+ is Argus itself or its parent$/],
  ];
  it.each(refusedTable)("%s", async (_, pid, refusal, detail) => {
    const record = only(
      await bench({ policy: { killable: ["node", "sleep", "systemd", "init", "sh", "bash"] } }).run([
        kill(pid()),
      ]),
    );
    expect(record).toMatchObject({ result: "skipped", refusal, verified: null });
    expect(record.detail).toMatch(detail);
  });

  it("every other ancestor of Argus", async () => {
    const grandparent = readStat(files, process.ppid)?.parentPid ?? 0;
    if (grandparent <= 1) return expect(grandparent).toBeLessThanOrEqual(1);
    const program = files.tryReadLink(`/proc/${grandparent}/exe`)?.split("/").at(-1) ?? "?";
    const record = only(await bench({ policy: { killable: [program] } }).run([kill(grandparent)]));
    expect(record).toMatchObject({ result: "skipped", refusal: "protected_target" });
    expect(startTimeOf(grandparent)).toBeGreaterThan(0);
  });

  it("one whose start time is not the one that was seen", async () => {
    const pid = sleeper();
    const started = startTimeOf(pid);
    const record = only(await bench().run([kill(pid, started - 1)]));
    expect(record).toMatchObject({
      result: "skipped",
      refusal: "identity_changed",
      detail: `process ${pid} is another one now: sleep, started at ${started} and not at ${started - 1} ticks after boot`,
    });
    expect(readStat(files, pid)?.state).not.toBe("Z");
  });

  it("one that is not there", async () => {
    const pid = sleeper();
    const started = startTimeOf(pid);
    const ended = new Promise((resolve) => children.at(-1)?.once("exit", resolve));
    children.at(-1)?.kill("SIGKILL");
    await ended;
    expect(only(await bench().run([kill(pid, started)]))).toMatchObject({
      refusal: "target_gone",
      detail: `there is no process ${pid} any more`,
    });
  });

  it("one whose executable the settings do not name, whatever it calls itself", async () => {
    const program = join(temporaryFolder(), "postgres");
    copyFileSync(process.execPath, program);
    const pid = await start(program, `process.title = "node"`);
    expect(files.read(`/proc/${pid}/comm`)).toBe("node\n");
    expect(only(await bench().run([kill(pid)]))).toMatchObject({
      refusal: "not_allowlisted",
      detail: expect.stringContaining(
        `process ${pid} may not be killed, because the settings do not let Argus kill postgres`,
      ),
    });
    expect(readStat(files, pid)?.state).not.toBe("Z");
  });

  it("one that the settings protect, though they also allow it", async () => {
    const pid = sleeper();
    expect(only(await bench({ policy: { protected: ["sleep"] } }).run([kill(pid)]))).toMatchObject({
      refusal: "protected_target",
      detail: `process ${pid} may not be killed, because sleep is protected`,
    });
  });

  it("a second proposal about the same process", async () => {
    const pid = sleeper();
    const [first, second] = await bench().run([kill(pid), kill(pid)]);
    expect(first?.result).toBe("success");
    expect(second).toMatchObject({ result: "suppressed", refusal: "duplicate" });
  });
});

/** A machine whose /proc is a directory: what signals would hit is written down, and they end the process there. */
function otherMachine() {
  const root = temporaryFolder();
  const sent: [number, string][] = [];
  const rooted = createFiles(root);
  const proc = (pid: number) => join(root, "proc", String(pid));
  const put = (
    pid: number,
    program: string,
    startTime: number,
    cgroup = "0::/\n",
    parent = 2,
    session = 0,
  ): void => {
    mkdirSync(proc(pid), { recursive: true });
    const rest = Array.from({ length: 40 }, () => "0");
    rest[0] = String(parent);
    rest[2] = String(session);
    rest[18] = String(startTime);
    writeFileSync(join(proc(pid), "stat"), `${pid} (${program}) S ${rest.join(" ")}\n`);
    writeFileSync(join(proc(pid), "cgroup"), cgroup);
    if (!existsSync(join(proc(pid), "exe"))) symlinkSync(`/usr/bin/${program}`, join(proc(pid), "exe"));
  };
  put(1, "systemd", 1);
  put(50, "node", 10, "0::/system.slice/argus.service\n", 1);
  const systemd = recordedSystemd();
  const argus = (onSignal: (pid: number, name: string) => void = () => {}) =>
    bench({
      path: systemd.path,
      system: {
        files: { ...rooted, ...stateOn(rooted) },
        self: { pid: 50, parentPid: 1, uid: 0, gid: 0, home: "/root" },
        signal: (pid, name) => {
          sent.push([pid, name]);
          onSignal(pid, name);
          return true;
        },
      },
    });
  return { root, put, sent, systemd, argus };
}

/** State files lie on the real disk; only /proc and /run are the other machine's. */
function stateOn(rooted: ReturnType<typeof createFiles>): Partial<ReturnType<typeof createFiles>> {
  const real = createFiles("/");
  const foreign = (path: string) => path.startsWith("/proc") || path.startsWith("/run");
  return {
    ...real,
    read: (path) => (foreign(path) ? rooted : real).read(path),
    tryRead: (path) => (foreign(path) ? rooted : real).tryRead(path),
    tryReadHead: (path, bytes) => (foreign(path) ? rooted : real).tryReadHead(path, bytes),
    tryReadOnce: (path) => (foreign(path) ? rooted : real).tryReadOnce(path),
    tryReadLink: (path) => (foreign(path) ? rooted : real).tryReadLink(path),
    list: (path) => (foreign(path) ? rooted : real).list(path),
    stat: (path) => (foreign(path) ? rooted : real).stat(path),
  };
}

describe("units, and what happens between two looks", () => {
  const inWeb = "0::/system.slice/web.service\n";

  it("never ends the main process of a unit, also when only systemd knows that it is one", async () => {
    const { put, sent, systemd, argus, root } = otherMachine();
    mkdirSync(join(root, "run/systemd/system"), { recursive: true });
    put(60, "node", 100, inWeb, 1);
    put(70, "node", 200, inWeb, 60);
    systemd.set("web.service", { ...running, mainPid: 70 });
    const [main, started] = await argus().run([kill(70, 200), kill(60, 100)]);
    expect(main).toMatchObject({
      refusal: "protected_target",
      detail: "process 70 is the main process of web.service",
    });
    expect(started).toMatchObject({ refusal: "protected_target" });
    expect(sent).toEqual([]);
  });

  it("may end a child that a unit's main process has started", async () => {
    const { put, sent, systemd, argus, root } = otherMachine();
    mkdirSync(join(root, "run/systemd/system"), { recursive: true });
    put(60, "node", 100, inWeb, 1);
    put(70, "node", 200, inWeb, 60);
    systemd.set("web.service", { ...running, mainPid: 60 });
    const record = only(await argus((pid) => put(pid, "node", 999)).run([kill(70, 200)]));
    expect(record.steps.at(-1)).toEqual({
      step: "main process",
      pass: true,
      detail: "process 70 is not the main process of web.service",
    });
    expect(record.result).toBe("success");
    expect(sent).toEqual([[70, "SIGTERM"]]);
  });

  it("ends what was started detached in a unit and lost its parent, once systemd names another main process", async () => {
    const { put, sent, systemd, argus, root } = otherMachine();
    mkdirSync(join(root, "run/systemd/system"), { recursive: true });
    put(60, "node", 100, inWeb, 1, 60);
    put(70, "node", 200, inWeb, 1, 70);
    systemd.set("web.service", { ...running, mainPid: 60 });
    const [leaked, main] = await argus((pid) => put(pid, "node", 999)).run([kill(70, 200), kill(60, 100)]);
    expect(leaked).toMatchObject({ result: "success" });
    expect(main).toMatchObject({ refusal: "protected_target" });
    expect(sent).toEqual([[70, "SIGTERM"]]);
  });

  it("ends nothing in a unit that systemd cannot be asked about", async () => {
    const { put, sent, argus, root } = otherMachine();
    mkdirSync(join(root, "run/systemd/system"), { recursive: true });
    put(60, "node", 100, inWeb, 1);
    put(70, "node", 200, inWeb, 60);
    const its = argus();
    const record = only(
      await bench({
        system: {
          ...its.system,
          run: async () => ({ exitCode: 1, stdout: "", stderr: "no bus", timedOut: false, missing: false }),
        },
      }).run([kill(70, 200)]),
    );
    expect(record).toMatchObject({
      refusal: "protected_target",
      detail:
        "systemd cannot be asked whether process 70 is the main process of web.service: systemctl failed: no bus",
    });
    expect(sent).toEqual([]);
  });

  it("sends no SIGKILL to a process that took over the pid after SIGTERM", async () => {
    const { put, sent, argus } = otherMachine();
    put(70, "node", 200);
    const record = only(await argus(() => put(70, "node", 999)).run([kill(70, 200)]));
    expect(record).toMatchObject({ result: "success", verified: true, values: { signals: ["SIGTERM"] } });
    expect(sent).toEqual([[70, "SIGTERM"]]);
  });

  it("sends no SIGKILL to a process that took over the pid in the last moment of the 5 s", async () => {
    const { put, sent, argus } = otherMachine();
    put(70, "node", 200);
    const clock = manualClock();
    const its = argus();
    const system = {
      ...its.system,
      clock: {
        ...clock,
        monotonicMs() {
          if (clock.elapsed() >= 5) put(70, "node", 999);
          return clock.monotonicMs();
        },
      },
    };
    expect(only(await bench({ system }).run([kill(70, 200)]))).toMatchObject({
      result: "success",
      verified: true,
    });
    expect(sent).toEqual([[70, "SIGTERM"]]);
  });

  it("never restarts the unit that Argus itself runs in", async () => {
    const { systemd, argus } = otherMachine();
    systemd.set("argus.service", failed);
    const restartable = [{ unit: "argus.service", requires: [] }];
    const record = only(
      await bench({ system: argus().system, policy: { restartable, bootGraceSeconds: 0 } }).run([
        restart("argus"),
      ]),
    );
    expect(record).toMatchObject({
      refusal: "protected_target",
      detail: "argus is the unit that Argus itself runs in",
    });
    expect(systemd.calls()).toEqual([]);
  });

  it("sends no SIGTERM to a process that took over the pid while systemd was asked", async () => {
    const { put, sent, argus, root } = otherMachine();
    mkdirSync(join(root, "run/systemd/system"), { recursive: true });
    put(60, "node", 100, inWeb, 1);
    put(70, "node", 200, inWeb, 60);
    const its = argus();
    const run: typeof its.system.run = async () => {
      put(70, "node", 999, inWeb, 60);
      return {
        exitCode: 0,
        stdout: "Id=web.service\nNames=web.service\nMainPID=60\n",
        stderr: "",
        timedOut: false,
        missing: false,
      };
    };
    const record = only(await bench({ system: { ...its.system, run } }).run([kill(70, 200)]));
    expect(record).toMatchObject({ result: "skipped", refusal: "identity_changed" });
    expect(sent).toEqual([]);
  });
});

describe("200 orphans", () => {
  it("respect the budget of 20 an hour, also in a dry run and after a restart of Argus", async () => {
    const { put, sent, argus } = otherMachine();
    const orphans = Array.from({ length: 200 }, (_, index) => 1000 + index);
    for (const pid of orphans) put(pid, "node", 5000 + pid);
    const its = argus((pid) => put(pid, "node", 1));
    const proposals = orphans.map((pid) => kill(pid, 5000 + pid));
    const refusals = (records: Awaited<ReturnType<typeof its.run>>) =>
      records.map((record) => record.refusal);

    const dry = await its.run(proposals, { dryRun: true });
    expect(refusals(dry)).toEqual([...Array(20).fill("dry_run"), ...Array(180).fill("budget_exhausted")]);
    expect(dry[0]?.detail).toBe("would kill process 1000: SIGTERM, and SIGKILL if it is there 5 s later");
    expect(sent).toEqual([]);
    expect(existsSync(join(its.stateDir, "executor.json"))).toBe(false);

    expect(refusals(await its.run(proposals))).toEqual([
      ...Array(20).fill(null),
      ...Array(180).fill("budget_exhausted"),
    ]);
    its.restartArgus();
    expect(new Set(refusals(await its.run(proposals.slice(20))))).toEqual(new Set(["budget_exhausted"]));
    expect(sent).toHaveLength(20);
    expect(its.executor.view().budgets[0]).toMatchObject({ name: "kills", used: 20, limit: 20 });
    expect(readFileSync(join(its.stateDir, "executor.json"), "utf8").length).toBeLessThan(4000);
  });
});

// A recorded systemd that nobody asks would make these tests prove nothing.
it("the recorded systemctl answers", async () => {
  const systemd = recordedSystemd();
  systemd.set("web.service", failed);
  const { system } = bench({ path: systemd.path });
  expect((await system.run("systemctl", ["show", "--", "web.service"])).stdout).toContain(
    "ActiveState=failed",
  );
});
