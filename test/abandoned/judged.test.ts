/** What the collector remembers and the executor asks again, with real processes. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Cycle } from "../../src/collect/collector.ts";
import { createProcessCollector } from "../../src/collect/processes.ts";
import { createFiles } from "../../src/system/files.ts";
import { createSystem } from "../../src/system/machine.ts";
import { processStart } from "../../src/system/process-start.ts";
import type { System } from "../../src/system/system.ts";
import { configWith } from "../collect/tree.ts";
import { bench, only, proposal } from "../execute/support.ts";
import { writeIdleProgram } from "../idle-program.ts";

/** Without root nobody can tell who reads a pipe. */
const isRoot = process.getuid?.() === 0;

const files = createFiles("/");
const cycle = { signal: new AbortController().signal } as Cycle;
let folder: string;
let started: ChildProcess[] = [];
const pids: number[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "argus-judged-"));
  writeIdleProgram(join(folder, "node"));
});
afterEach(() => {
  for (const child of started) child.kill("SIGKILL");
  started = [];
  for (const pid of pids.splice(0)) spawnSync("kill", ["-KILL", String(pid)]);
  rmSync(folder, { recursive: true, force: true });
});

const exists = (pid: number) => processStart(files, pid) !== null;
/** Bash, in the folder; what it writes into `pid` is the number of what it started. */
async function bash(script: string, env: Record<string, string> = {}): Promise<number> {
  rmSync(join(folder, "pid"), { force: true });
  const child = spawn("bash", ["-c", script], {
    cwd: folder,
    detached: true,
    stdio: "ignore",
    env: { PATH: process.env["PATH"] ?? "", TERM: "xterm", ...env },
  });
  started.push(child);
  await vi.waitUntil(
    () => existsSync(join(folder, "pid")) && /\d\n/.test(readFileSync(join(folder, "pid"), "utf8")),
    10_000,
  );
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  pids.push(pid);
  // A program that was just started is bash or setsid for a moment.
  await vi.waitUntil(() => files.tryReadLink(`/proc/${pid}/exe`)?.endsWith("/node") === true, 10_000);
  return pid;
}
const ended = async () =>
  await Promise.all(started.map((child) => child.exitCode ?? child.signalCode ?? once(child, "exit")));

describe("another process than a test run", () => {
  const server = `
    require("node:http").createServer((_, answer) => answer.end()).listen(0, "127.0.0.1", function () {
      require("node:fs").writeFileSync("port", String(this.address().port));
      require("node:fs").writeFileSync("pid", process.pid + "\\n");
    });`;
  const port = () => Number(readFileSync(join(folder, "port"), "utf8"));
  beforeEach(() => writeFileSync(join(folder, "server.cjs"), server));

  /** A look of one Argus, with its memory. */
  function argus() {
    const collect = createProcessCollector(createSystem(), configWith());
    return async (pid: number) => (await collect(cycle)).facts.process?.find((each) => each.pid === pid);
  }
  /** An agent as far as its name goes, and what it started; both live. */
  async function underAgent(redirection: string): Promise<{ pid: number; agent: ChildProcess }> {
    writeFileSync(
      join(folder, "agent.cjs"),
      `process.title = "claude";
       require("node:child_process").spawn("sh", ["-c", "exec '${process.execPath}' server.cjs ${redirection}"], { stdio: "pipe", detached: true });
       setInterval(() => {}, 1e6);`,
    );
    const pid = await bash(`exec '${process.execPath}' agent.cjs`);
    return { pid, agent: started.at(-1) as ChildProcess };
  }
  async function end(agent: ChildProcess) {
    agent.kill("SIGKILL");
    await ended();
  }

  it("is abandoned when the agent that Argus saw above it has ended", async () => {
    const see = argus();
    const { pid, agent } = await underAgent(">out.log 2>&1");
    expect(await see(pid)).toMatchObject({
      abandoned: false,
      abandonedBecause: null,
      agent: { name: "claude", pid: agent.pid },
    });
    await end(agent);
    expect(await see(pid)).toMatchObject({
      orphan: true,
      abandoned: true,
      abandonedBecause: `the agent above it (claude, pid ${agent.pid}) has ended, and no client is connected to it`,
    });
  });

  it("is not while a client is connected to it, and is when that has gone", async () => {
    const see = argus();
    const { pid, agent } = await underAgent(">out.log 2>&1");
    await see(pid);
    await end(agent);
    const client = connect(port(), "127.0.0.1");
    await once(client, "connect");
    expect(await see(pid)).toMatchObject({ orphan: true, abandoned: false, abandonedBecause: null });
    client.destroy();
    await vi.waitUntil(async () => (await see(pid))?.abandoned === true);
  });

  it("is not when Argus never saw the agent: marks of it prove nothing", async () => {
    const { pid, agent } = await underAgent(">out.log 2>&1");
    await end(agent);
    expect(await argus()(pid)).toMatchObject({ orphan: true, abandoned: false, agent: null });
    const marked = await bash(`'${process.execPath}' server.cjs >/dev/null 2>&1 </dev/null &`, {
      CLAUDECODE: "1",
    });
    await ended();
    expect(await argus()(marked)).toMatchObject({ orphan: true, abandoned: false });
  });

  it("is when its output goes into a pipe that nobody reads, unless a client is connected", async () => {
    const { pid, agent } = await underAgent("");
    await end(agent);
    expect(await argus()(pid)).toMatchObject({
      abandoned: true,
      abandonedBecause:
        "its parent has ended, and its output goes into a pipe that nobody reads, and no client is connected to it",
    });
    const client = connect(port(), "127.0.0.1");
    await once(client, "connect");
    expect(await argus()(pid)).toMatchObject({ abandoned: false });
    client.destroy();
  });
});

describe("a test run with a debugger", () => {
  it.runIf(isRoot)("is not abandoned while somebody is connected to it", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    await new Promise((done) => probe.close(done));
    writeFileSync(
      join(folder, "hang.test.mjs"),
      'import test from "node:test"; test("hangs", () => new Promise(() => setInterval(() => {}, 1e6)));',
    );
    const pid = await bash(
      `setsid '${process.execPath}' --inspect=127.0.0.1:${port} --test hang.test.mjs >/dev/null 2>&1 </dev/null & echo $! >pid`,
    );
    await ended();
    const collect = createProcessCollector(createSystem(), configWith());
    const see = async () => (await collect(cycle)).facts.process?.find((each) => each.pid === pid)?.abandoned;
    const attached = connect(port, "127.0.0.1").on("error", () => undefined);
    await vi.waitUntil(() => {
      if (attached.readyState !== "open" && !attached.connecting) attached.connect(port, "127.0.0.1");
      return attached.readyState === "open";
    }, 10_000);
    expect(await see()).toBe(false);
    attached.destroy();
    await vi.waitUntil(async () => (await see()) === true, 10_000);
    for (const each of (await collect(cycle)).facts.process ?? [])
      if (each.parentPid === pid) pids.push(each.pid);
  });
});

describe("the executor asks again", () => {
  const unread = `( setsid ./node --test x 2>&1 </dev/null & echo $! >pid ) | sleep 0.1`;
  const kill = (pid: number, expect: Record<string, unknown> = { abandoned: true }) =>
    proposal("kill_pid", { target: pid, expect: { startTime: processStart(files, pid), ...expect } });
  /** A process that did not exist before, and reads what the other one writes. */
  const readBy = (pid: number) =>
    spawnSync("sh", ["-c", `setsid cat /proc/${pid}/fd/1 >/dev/null 2>&1 & echo $!; sleep 0.3`], {
      encoding: "utf8",
    });

  it.runIf(isRoot)("and kills what is abandoned still", async () => {
    const pid = await bash(unread);
    await ended();
    expect(only(await bench().run([kill(pid)]))).toMatchObject({ result: "success", verified: true });
    expect(exists(pid)).toBe(false);
  });

  it.each([
    [
      "abandoned",
      "somebody can read its output",
      "setsid ./node --test x >out.log 2>&1 </dev/null & echo $! >pid",
      { abandoned: true },
    ],
    [
      "abandoned",
      "somebody above it still waits for it",
      "./node --test x >/dev/null 2>&1 </dev/null & echo $! >pid; wait",
      { abandoned: true },
    ],
    [
      "an orphan",
      "it has an owner",
      "./node --test x >/dev/null 2>&1 </dev/null & echo $! >pid; wait",
      { orphan: true },
    ],
  ])("and leaves alone what is not %s any more: %s", async (state, why, script, expectation) => {
    const pid = await bash(script);
    if (!script.endsWith("wait")) await ended();
    const record = only(await bench().run([kill(pid, expectation)]));
    expect(record).toMatchObject({ result: "skipped", refusal: "not_needed", verified: null });
    expect(record.detail).toContain(`process ${pid} is not ${state} any more: ${why}`);
    expect(exists(pid)).toBe(true);
  });

  it("believes no agent that is still there, and none that is younger than the process", async () => {
    const pid = await bash(`setsid ./node server.js >out.log 2>&1 </dev/null & echo $! >pid`);
    await ended();
    const self = { pid: process.pid, startTime: processStart(files, process.pid), name: "claude" };
    for (const agent of [self, { pid: 4_000_000, startTime: Number.MAX_SAFE_INTEGER, name: "claude" }])
      expect(only(await bench().run([kill(pid, { abandoned: true, agent })]))).toMatchObject({
        refusal: "not_needed",
      });
    expect(exists(pid)).toBe(true);
  });

  it.runIf(isRoot)(
    "in the last moment before SIGTERM: a reader that has come meanwhile saves it",
    async () => {
      const pid = await bash(unread);
      await ended();
      const real = createSystem();
      let writes = 0;
      const come = () => {
        writes += 1;
        if (writes === 1) pids.push(Number(readBy(pid).stdout));
      };
      const system: Partial<System> = {
        files: {
          ...real.files,
          // The intent is written between the recheck and the signal.
          append(path, text, options) {
            come();
            real.files.append(path, text, options);
          },
          writeAtomic(path, text, options) {
            come();
            real.files.writeAtomic(path, text, options);
          },
        },
      };
      const record = only(await bench({ system }).run([kill(pid)]));
      expect(record).toMatchObject({ result: "skipped", refusal: "not_needed" });
      expect(record.steps.find(({ step }) => step === "abandoned")?.pass).toBe(true);
      expect(exists(pid)).toBe(true);
    },
  );

  it.runIf(isRoot)(
    "before SIGKILL: a reader that came after SIGTERM saves it, and the record says so",
    async () => {
      const pid = await bash(`trap "" TERM; ${unread}`);
      await ended();
      const real = createSystem();
      const sent: string[] = [];
      const system = {
        signal: (target: number, name: Parameters<typeof real.signal>[1]) => {
          sent.push(name);
          const was = real.signal(target, name);
          pids.push(Number(readBy(pid).stdout));
          return was;
        },
      };
      const record = only(await bench({ system }).run([kill(pid)]));
      expect(sent).toEqual(["SIGTERM"]);
      expect(record).toMatchObject({ result: "failure", values: { signals: ["SIGTERM"] } });
      expect(record.detail).toContain("ignored SIGTERM for 5 s, and SIGKILL was not sent: ");
      expect(record.detail).toContain("is not abandoned any more");
      expect(exists(pid)).toBe(true);
    },
  );
});
