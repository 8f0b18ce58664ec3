import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import {
  ancestorsOf,
  executableName,
  isNamespaceInit,
  listPids,
  parseStat,
  parseStatus,
  readPageSize,
  readProcessIdentity,
  terminalName,
} from "../../src/system/proc.ts";

const files = createFiles("/");

// A line of Debian 12, of a `sleep` in a tmux pane.
const rest =
  "S 900 901 900 34816 950 4194304 92 0 0 0 7 3 0 0 20 0 1 0 123456 5771264 227 18446744073709551615 93824992231424 93824992249937 140737488347344 0 0 0 0 0 0 1 0 0 17 1 0 0 0 0 0 93824992262672 93824992263936 93824992264192 140737488348214 140737488348226 140737488348226 140737488350185 0\n";

describe("parseStat", () => {
  it("reads what proc(5) says", () => {
    expect(parseStat(`901 (sleep) ${rest}`)).toEqual({
      pid: 901,
      name: "sleep",
      state: "S",
      parentPid: 900,
      groupId: 901,
      sessionId: 900,
      terminal: 34816,
      kernelThread: false,
      userTicks: 7,
      systemTicks: 3,
      startTime: 123456,
      rssPages: 227,
      startStack: 140737488347344,
    });
  });

  it.each([
    ["closing bracket and a state", "foo) Z 1"],
    ["a whole line of its own", `x) ${rest.trim()} (y`],
    ["newline", "a\nb"],
    ["nothing", ""],
    ["only brackets", ")))((("],
    ["spaces and digits", " 1 2 3 "],
    ["bytes that are no UTF-8", "\ufffd\ufffd"],
    ["control characters", "\u001b[31m\u0007"],
  ])("is not misled by a name with %s", (_, name) => {
    const stat = parseStat(`901 (${name}) ${rest}`);
    expect(stat).toMatchObject({ name, state: "S", parentPid: 900, startTime: 123456, rssPages: 227 });
  });

  it("reads the same numbers whatever a process is called", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 15 }), (name) => {
        const stat = parseStat(`901 (${name}) ${rest}`);
        expect(stat).toEqual({ ...parseStat(`901 (sleep) ${rest}`), name });
      }),
    );
  });

  it("makes nothing of a part of a line", () => {
    const line = `901 (sleep) ${rest}`;
    const whole = line.indexOf("140737488347344") + "140737488347344".length + 1;
    for (let length = 0; length < whole; length += 1) expect(parseStat(line.slice(0, length))).toBeNull();
    expect(parseStat(line.slice(0, whole))).not.toBeNull();
    expect(parseStat("no stat file")).toBeNull();
  });

  it("reads a kernel thread, a zombie, and a machine that has been up for two years", () => {
    const kernel =
      "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 1 0 0 20 0 1 0 24 0 0 18446744073709551615 0 0 0 0 0 0";
    expect(parseStat(`${kernel}\n`)).toMatchObject({
      kernelThread: true,
      rssPages: 0,
      terminal: 0,
      startTime: 24,
    });
    const zombie = `77 (node) ${rest.replace("S 900", "Z 900")}`;
    expect(parseStat(zombie)).toMatchObject({ state: "Z", parentPid: 900 });
    const old = `77 (node) ${rest.replace("123456", "6307200000")}`;
    expect(parseStat(old)?.startTime).toBe(6_307_200_000);
  });
});

describe("parseStatus", () => {
  const status = [
    "Name:\tfoo\\nUid:\t5",
    "State:\tS (sleeping)",
    "NSpid:\t4021\t1",
    "Uid:\t1000\t1001\t1002\t1003",
    "VmSwap:\t     128 kB",
    "",
  ].join("\n");

  it("takes the effective user, the swap in bytes and the pids", () => {
    expect(parseStatus(status)).toEqual({ uid: 1001, swapBytes: 131072, namespacePids: [4021, 1] });
  });

  it("knows the first process of a container", () => {
    expect(isNamespaceInit(parseStatus(status))).toBe(true);
    expect(isNamespaceInit(parseStatus("Name:\tx\nNSpid:\t1\n"))).toBe(false);
    expect(isNamespaceInit(parseStatus("Name:\tx\nNSpid:\t4022\t2\n"))).toBe(false);
  });

  it("says null for what a kernel thread does not have", () => {
    expect(parseStatus("Name:\tkthreadd\nUid:\t0\t0\t0\t0\n").swapBytes).toBeNull();
    expect(parseStatus("").uid).toBeNull();
  });
});

describe("names", () => {
  it.each([
    [0, null],
    [0x8803, "pts/3"],
    [0x8901, "pts/257"],
    [0x401, "tty1"],
    [0x440, "ttyS0"],
    [0x501, "console"],
    [0xcc40, "204:64"],
  ])("terminal %i is %s", (device, name) => expect(terminalName(device)).toBe(name));

  it.each([
    ["/usr/bin/node", "node"],
    ["/usr/bin/node (deleted)", "node"],
    ["/opt/a b/x)y", "x)y"],
    ["/memfd:runc (deleted)", "memfd:runc"],
  ])("executable of %s is %s", (path, name) => expect(executableName(path)).toBe(name));
});

describe("on this machine", () => {
  it("agrees with getconf about the size of a page", () => {
    expect(readPageSize(files)).toBe(Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" })));
  });

  it("knows itself, its parents and the pids that ps knows", () => {
    const own = readProcessIdentity(files, process.pid);
    expect(own).toMatchObject({
      pid: process.pid,
      parentPid: process.ppid,
      kernelThread: false,
      executable: "node",
    });
    expect(ancestorsOf(files, process.pid)[0]).toBe(process.ppid);
    expect(ancestorsOf(files, process.pid)).not.toContain(process.pid);
    const pids = listPids(files);
    expect(pids).toEqual([...pids].sort((a, b) => a - b));
    expect(pids).toContain(process.pid);
  });

  it("says null for a process that is gone, and shows a zombie as one", async () => {
    const child = spawn("sleep", ["0"]);
    await once(child, "exit");
    expect(readProcessIdentity(files, child.pid ?? 0)).toBeNull();
    // A shell that became another program no longer waits for what it started.
    const parent = spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 30"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const [text] = (await once(parent.stdout.setEncoding("utf8"), "data")) as [string];
      const pid = Number(text);
      await vi.waitUntil(() => readProcessIdentity(files, pid)?.state === "Z", { timeout: 10_000 });
      expect(readProcessIdentity(files, pid)).toMatchObject({ executable: null, parentPid: parent.pid });
    } finally {
      parent.kill("SIGKILL");
    }
  });
});
