import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Cycle } from "../../src/collect/collector.ts";
import { createProcessCollector } from "../../src/collect/processes.ts";
import { createFiles } from "../../src/system/files.ts";
import { createSystem } from "../../src/system/machine.ts";
import { readStat } from "../../src/system/proc.ts";
import { configWith, createTree, type MadeProcess, systemOn, type Tree } from "./tree.ts";

const cycle = {} as Cycle;

describe("who owns a process", () => {
  let tree: Tree;
  beforeEach(() => {
    tree = createTree();
    tree.process({
      pid: 1,
      name: "systemd",
      parentPid: 0,
      executable: "/usr/lib/systemd/systemd",
      cgroup: "/init.scope",
    });
  });
  afterEach(() => tree.dispose());

  async function orphans(...processes: MadeProcess[]): Promise<number[]> {
    for (const each of processes) tree.process({ executable: "/usr/bin/node", ...each });
    const { facts } = await createProcessCollector(systemOn(tree).system, configWith())(cycle);
    return (facts.process ?? []).filter((each) => each.orphan).map(({ pid }) => pid);
  }

  const login = "/user.slice/user-1000.slice/session-3.scope";
  const service = "/system.slice/bot.service";
  const manager = "/user.slice/user-1000.slice/user@1000.service";
  const userManager: MadeProcess = {
    pid: 40,
    name: "systemd",
    executable: "/usr/lib/systemd/systemd",
    arguments: ["/lib/systemd/systemd", "--user"],
    cgroup: `${manager}/init.scope`,
  };

  it.each<[string, MadeProcess[]]>([
    ["in a session whose leader has ended", [{ pid: 50, sessionId: 44, cgroup: login }]],
    ["in a session of its own, without a terminal", [{ pid: 50, sessionId: 50, cgroup: login }]],
    ["with a terminal whose session leader has ended", [{ pid: 50, sessionId: 44, terminal: 0x8800 }]],
    [
      "with a terminal whose session leader is a zombie",
      [
        { pid: 44, sessionId: 44, state: "Z", parentPid: 7 },
        { pid: 50, sessionId: 44, terminal: 0x8800 },
      ],
    ],
    [
      "in a service, beside its main process",
      [
        { pid: 44, cgroup: service, startTime: 500 },
        { pid: 50, sessionId: 44, cgroup: service },
      ],
    ],
    [
      "given to the user's service manager",
      [userManager, { pid: 50, parentPid: 40, sessionId: 44, cgroup: login }],
    ],
  ])("nobody: %s", async (_, processes) => expect(await orphans(...processes)).toEqual([50]));

  it.each<[string, MadeProcess[]]>([
    ["its parent", [{ pid: 50, parentPid: 7, sessionId: 44 }]],
    ["its parent, though it is older than a year", [{ pid: 50, parentPid: 7, startTime: 1 }]],
    ["the kernel", [{ pid: 50, flags: 0x208040 }]],
    ["its service, as the main process", [{ pid: 50, cgroup: service }]],
    ["its service, as a daemon that forked itself", [{ pid: 50, sessionId: 49, cgroup: service }]],
    [
      "the user's service",
      [userManager, { pid: 50, parentPid: 40, cgroup: `${manager}/app.slice/bot.service` }],
    ],
    [
      "the user's manager, whose helper it is",
      [userManager, { pid: 50, parentPid: 40, sessionId: 40, cgroup: `${manager}/init.scope` }],
    ],
    ["its terminal, as the session leader", [{ pid: 50, terminal: 0x401 }]],
    [
      "the terminal session it was started in",
      [
        { pid: 44, parentPid: 7, terminal: 0x8800 },
        { pid: 50, sessionId: 44, terminal: 0x8800 },
      ],
    ],
    ["its container, whose first process it is", [{ pid: 50, namespacePids: [50, 1], cgroup: login }]],
    ["nobody any more: it is a zombie", [{ pid: 50, state: "Z", sessionId: 44 }]],
    ["perhaps process 1 itself, whose session it is in", [{ pid: 50, sessionId: 1 }]],
    ["perhaps process 1 itself, whose group it is in", [{ pid: 50, sessionId: 1, groupId: 1 }]],
    [
      "a systemd that is no child of process 1",
      [
        { ...userManager, parentPid: 7 },
        { pid: 50, parentPid: 40, sessionId: 44 },
      ],
    ],
  ])("somebody: %s", async (_, processes) => expect(await orphans(...processes)).toEqual([]));

  it("nobody, in the session of process 1, in the group of somebody who has ended", async () => {
    expect(await orphans({ pid: 50, sessionId: 1, groupId: 44 })).toEqual([50]);
  });

  it("nobody, started detached in a service whose main process is another, as systemd says", async () => {
    const calls = join(tree.root, "calls");
    const bin = join(tree.root, "bin");
    mkdirSync(bin);
    mkdirSync(join(tree.root, "run/systemd/system"), { recursive: true });
    const text = "Id=bot.service\nLoadState=loaded\nActiveState=active\nMainPID=44\nControlPID=0\n";
    writeFileSync(
      join(bin, "systemctl"),
      `#!/bin/sh\necho asked >>${calls}\nprintf '${text.replaceAll("\n", "\\n")}'\n`,
      { mode: 0o755 },
    );
    const collect = createProcessCollector(
      systemOn(tree, { path: `${bin}:/usr/bin:/bin` }).system,
      configWith(),
    );
    // The leaked run is older than the main process: the service was restarted since.
    for (const made of [
      { pid: 44, startTime: 900 },
      { pid: 50, startTime: 500 },
    ]) {
      tree.process({ executable: "/usr/bin/node", cgroup: service, ...made });
    }
    for (let look = 0; look < 3; look += 1) {
      const { facts } = await collect(cycle);
      expect(facts.process?.filter(({ orphan }) => orphan).map(({ pid }) => pid)).toEqual([50]);
      expect(facts.process?.filter(({ killable }) => killable).map(({ pid }) => pid)).toEqual([50]);
    }
    expect(readFileSync(calls, "utf8")).toBe("asked\n");
  });

  it("nobody, in the session of process 1, once it was seen with another parent", async () => {
    const collect = createProcessCollector(systemOn(tree).system, configWith());
    const orphan = async () => (await collect(cycle)).facts.process?.find(({ pid }) => pid === 50)?.orphan;
    tree.process({ pid: 50, parentPid: 7, sessionId: 1 });
    expect(await orphan()).toBe(false);
    tree.process({ pid: 50, parentPid: 1, sessionId: 1 });
    expect(await orphan()).toBe(true);
  });
});

describe("real processes", () => {
  let folder: string;
  const children: ChildProcess[] = [];
  const pids: number[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "argus-orphans-"));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    for (const pid of pids.splice(0)) spawnSync("kill", ["-KILL", String(pid)]);
    rmSync(folder, { recursive: true, force: true });
  });

  const see = async (pid: number) => {
    const { facts } = await createProcessCollector(createSystem(), configWith())(cycle);
    return facts.process?.find((each) => each.pid === pid);
  };
  /** Starts a shell in a session of its own; answers the number that it prints. */
  async function pidFrom(script: string): Promise<number> {
    const shell = spawn("sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    children.push(shell);
    const [text] = (await once(shell.stdout.setEncoding("utf8"), "data")) as [string];
    pids.push(Number(text));
    return Number(text);
  }
  const files = createFiles("/");
  const parentOf = (pid: number) => readStat(files, pid)?.parentPid;
  const node = JSON.stringify(process.execPath);

  function neverEnding(): string {
    const file = join(folder, "never.test.mjs");
    writeFileSync(
      file,
      'import test from "node:test"; test("never", () => new Promise((go) => setTimeout(go, 600_000)));',
    );
    return file;
  }

  it("a `node --test` whose parent died is an orphan, and killable", async () => {
    const pid = await pidFrom(`${node} --test ${neverEnding()} > /dev/null 2>&1 & echo $!`);
    await vi.waitUntil(
      () => parentOf(pid) !== undefined && readStat(files, parentOf(pid) ?? 0)?.name !== "sh",
    );
    await vi.waitUntil(async () => (await see(pid))?.executable === "node");
    expect(await see(pid)).toMatchObject({
      orphan: true,
      killable: true,
      notKillableBecause: null,
      terminal: null,
    });
    expect((await see(pid))?.commandLine).toContain("--test");
  });

  it("so is one that was started detached", async () => {
    const pid = await pidFrom(`setsid ${node} -e 'setTimeout(() => {}, 600000)' > /dev/null 2>&1 & echo $!`);
    await vi.waitUntil(async () => (await see(pid))?.executable === "node");
    await vi.waitUntil(() => readStat(files, parentOf(pid) ?? 0)?.name !== "sh");
    expect(await see(pid)).toMatchObject({ orphan: true, killable: true, sessionId: pid });
  });

  it("a live `node --test` is none, and neither are those that it started", async () => {
    const child = spawn(process.execPath, ["--test", neverEnding()], { stdio: "ignore", detached: true });
    children.push(child);
    const pid = child.pid ?? 0;
    await vi.waitUntil(async () => (await see(pid))?.commandLine.includes("--test"));
    expect(await see(pid)).toMatchObject({ orphan: false, parentPid: process.pid });
    const { facts } = await createProcessCollector(createSystem(), configWith())(cycle);
    const below = facts.process?.filter((each) => each.parentPid === pid) ?? [];
    pids.push(...below.map((each) => each.pid));
    expect(below.filter((each) => each.orphan)).toEqual([]);
  });

  it("becomes one in the moment in which its parent ends", async () => {
    const pid = await pidFrom("sleep 600 > /dev/null 2>&1 & echo $!; sleep 600");
    expect(await see(pid)).toMatchObject({ orphan: false });
    children[0]?.kill("SIGKILL");
    await vi.waitUntil(async () => (await see(pid))?.orphan === true);
    expect(await see(pid)).toMatchObject({
      killable: false,
      notKillableBecause: "the settings do not let Argus kill sleep (processes.killable)",
    });
  });
});
