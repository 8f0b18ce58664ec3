import { spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import { createSystem } from "../../src/system/machine.ts";
import { type OpenFiles, readOpenFiles } from "../../src/system/open-files.ts";
import { createPace } from "../../src/system/pace.ts";
import { makeProc, mountLine, type ProcFixture } from "../execute/clean/proc-fixture.ts";

let root = "";
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "argus-open-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function read(from: string): Promise<OpenFiles | null> {
  const pace = createPace(createSystem().clock, new AbortController().signal);
  return await readOpenFiles(createFiles(from), process.pid, pace);
}

async function readFixture(fixture: ProcFixture): Promise<OpenFiles> {
  makeProc(join(root, "proc"), fixture);
  const inUse = await read(root);
  if (inUse === null) throw new Error("the fixture shows no processes");
  return inUse;
}

function key(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}

function file(name: string): string {
  writeFileSync(join(root, name), "x");
  return join(root, name);
}

test("a real process: what it has open, where it works, what it runs and maps", async () => {
  const opened = file("opened");
  const closed = file("closed");
  const child = spawn(
    process.execPath,
    ["-e", "require('fs').openSync(process.argv[1]);console.log('ready');setInterval(()=>{},1000)", opened],
    { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const inUse = await read("/");
    expect(inUse?.open.has(key(opened))).toBe(true);
    expect(inUse?.open.has(key(root))).toBe(true);
    expect(inUse?.open.has(key(process.execPath))).toBe(true);
    expect(inUse?.open.has(key(closed))).toBe(false);
    expect(inUse?.seenProcesses).toBeGreaterThan(1);
    expect(inUse?.mapped.size).toBeGreaterThan(5);
    expect(inUse?.mounts.length).toBeGreaterThan(0);
  } finally {
    child.kill("SIGKILL");
  }
});

test("Argus's own descriptors are none of its business, its working directory is", async () => {
  const own = file("own");
  const descriptor = openSync(own, "r");
  try {
    const inUse = await readFixture({ hidden: true });
    expect(inUse.open.has(key(own))).toBe(false);
    expect(inUse.open.has(key(process.cwd()))).toBe(true);
  } finally {
    closeSync(descriptor);
  }
});

describe("when /proc does not show this machine's processes there is no answer", () => {
  test("no /proc", async () => {
    expect(await read(root)).toBeNull();
  });

  test("a /proc in which this very process is missing", async () => {
    mkdirSync(join(root, "proc/self"), { recursive: true });
    writeFileSync(join(root, "proc/self/mountinfo"), "");
    mkdirSync(join(root, "proc/1"));
    expect(await read(root)).toBeNull();
  });
});

describe("descriptors", () => {
  test("of every thread, when the first has ended and shows none", async () => {
    const held = file("held");
    const inUse = await readFixture({ processes: { 4001: { threads: { 4002: { 7: held } } } } });
    expect(inUse.open.has(key(held))).toBe(true);
  });

  test("on a mount that nobody sees any more are known by their inode, and never asked", async () => {
    const gone = file("server-is-gone");
    const inUse = await readFixture({
      processes: {
        4001: { fd: { 3: gone }, fdinfo: { 3: "pos:\t0\nflags:\t0\nmnt_id:\t987654\nino:\t31337\n" } },
      },
    });
    expect(inUse.inodes).toEqual(new Set([31_337n]));
    expect(inUse.open.has(key(gone))).toBe(false);
  });

  test("on a network mount are never asked either", async () => {
    const remote = file("remote");
    const inUse = await readFixture({
      mounts: [`987655 1 0:70 / ${root} rw - nfs server:/ rw`],
      processes: { 4001: { fd: { 3: remote }, fdinfo: { 3: "mnt_id:\t987655\nino:\t4711\n" } } },
    });
    expect(inUse.inodes).toEqual(new Set([4711n]));
  });

  test("that are no files, or shared memory, are passed over", async () => {
    const info = "mnt_id:\t987654\nino:\t5\n";
    const links = [
      "socket:[1]",
      "pipe:[2]",
      "anon_inode:[eventpoll]",
      "/dev/null",
      "/dev/pts/3",
      "/memfd:x (deleted)",
    ];
    const fd = Object.fromEntries(links.map((link, index) => [index, link]));
    const inUse = await readFixture({
      processes: { 4001: { fd, fdinfo: Object.fromEntries(links.map((_, index) => [index, info])) } },
    });
    expect(inUse.inodes.size).toBe(0);
    expect(inUse.open.has(key("/dev/null"))).toBe(false);
  });
});

test("mappings, with the device of the super block", async () => {
  const maps = [
    "55d0-55d1 r-xp 00000000 fe:01 1835 /usr/bin/a file with spaces",
    "7f00-7f01 rw-p 00000000 00:00 0 [heap]",
    "7f02-7f03 r--s 00001000 103:00002 99 /tmp/x (deleted)",
    "ffff-10000 --xp 00000000 00:00 0",
  ];
  const inUse = await readFixture({ processes: { 4001: { maps: maps.join("\n"), fd: { 0: "/dev/null" } } } });
  expect([...inUse.mapped]).toEqual(expect.arrayContaining([`${0xfe01}:1835`, `${(0x103 << 8) | 2}:99`]));
});

test("locks, waiters included", async () => {
  const locks = [
    "1: FLOCK  ADVISORY  WRITE 5125 fe:00:260072 0 EOF",
    "1: -> FLOCK  ADVISORY  WRITE 5126 fe:00:260072 0 EOF",
    "2: POSIX  ADVISORY  READ  77 08:02:12 1073741826 1073742335",
    "3: OFDLCK ADVISORY  WRITE -1 00:2a:13 0 0",
  ];
  const inUse = await readFixture({ locks: `${locks.join("\n")}\n` });
  expect(inUse.locked).toEqual(new Set([`${0xfe00}:260072`, `${0x802}:12`, `${0x2a}:13`]));
});

describe("sockets", () => {
  const line = (path: string) =>
    `00000000e9dc2c12: 00000003 00000000 00010000 0001 01  1670${path === "" ? "" : ` ${path}`}`;

  test("by the last part of the path they were bound to; abstract and unbound ones have none", async () => {
    const inUse = await readFixture({
      sockets: ["/run/a.sock", "relative/b", "./c", "/tmp/with space", "@abstract", ""].map(line),
    });
    expect(inUse.socketNames).toEqual(new Set(["a.sock", "b", "c", "with space"]));
  });

  test("of other network namespaces too", async () => {
    const inUse = await readFixture({
      processes: { 4001: { sockets: [line("/tmp/in-container")], fd: { 0: "/dev/null" } } },
    });
    expect(inUse.socketNames?.has("in-container")).toBe(true);
  });

  test("a list that cannot be read is not an empty one", async () => {
    expect((await readFixture({ sockets: null })).socketNames).toBeNull();
  });
});

test("mounts of all namespaces, those of its own apart", async () => {
  const line = mountLine(root, { mountPoint: "/data", root: "/somewhere" });
  const inUse = await readFixture({ processes: { 4001: { mounts: [line], fd: { 0: "/dev/null" } } } });
  expect(inUse.allMounts.map(({ root: from }) => from)).toContain("/somewhere");
  expect(inUse.mounts.map(({ root: from }) => from)).not.toContain("/somewhere");
});

test("processes that may not be looked into are counted; those that are gone are not", async () => {
  const proc = join(root, "proc");
  makeProc(proc, { processes: { 4001: { fd: { 0: "/dev/null" } } } });
  mkdirSync(join(proc, "4002")); // nothing in it: it ended while we looked
  const visible = await read(root);
  expect(visible).toMatchObject({ unseenProcesses: 0, seenProcesses: 3 });

  // hidepid: process 1 is not shown to an ordinary user.
  rmSync(join(proc, "1"));
  expect(await read(root)).toMatchObject({ unseenProcesses: 1, seenProcesses: 2 });

  // What is real of process 1 here is seen by root alone, and by nobody in some sandboxes.
  symlinkSync("/proc/1", join(proc, "1"));
  const real = await read(root);
  expect([0, 1]).toContain(real?.unseenProcesses);
  expect((real?.seenProcesses ?? 0) + (real?.unseenProcesses ?? 0)).toBe(3);
});

test("it ends when it is told to", async () => {
  const stop = new AbortController();
  const { clock } = createSystem();
  let passedMs = 0;
  const pace = createPace({ ...clock, monotonicMs: () => (passedMs += 50) }, stop.signal);
  stop.abort(new Error("enough"));
  await expect(readOpenFiles(createFiles("/"), process.pid, pace)).rejects.toThrow("enough");
});
