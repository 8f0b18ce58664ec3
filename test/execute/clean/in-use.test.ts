import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, lstatSync, mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Machine, makeMachine, node, portrait, running } from "./machine.ts";
import { makeProc, mountLine } from "./proc-fixture.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(path: string): Promise<Server> {
  const server = createServer();
  servers.push(server);
  server.listen(path);
  await once(server, "listening");
  return server;
}

const openThem = "for(const p of process.argv.slice(1))require('fs').openSync(p,'r')";

/** Everything is old here. What is named stays, with all of its unit, for the reason; the rest goes. */
async function expectKept(machine: Machine, kept: Record<string, string>, gone: string[]): Promise<void> {
  const forecast = await machine.forecast();
  const report = await machine.clean();
  expect(Object.keys(kept).filter((path) => !machine.exists(path))).toEqual([]);
  expect(gone.filter(machine.exists)).toEqual([]);
  for (const { keptExamples } of [forecast, report]) {
    expect(Object.fromEntries(keptExamples.map(({ path, reason }) => [path, reason]))).toEqual(kept);
  }
}

describe("processes", () => {
  test("what a process has open stays, and so does the unit around it", async () => {
    const machine = makeMachine();
    machine.file("/tmp/work/journal/open.log");
    machine.file("/tmp/work/beside");
    machine.file("/var/tmp/single");
    machine.folder("/tmp/open-folder/inner");
    machine.file("/tmp/free/file");
    const open = ["/tmp/work/journal/open.log", "/var/tmp/single", "/tmp/open-folder/inner"];
    await node(openThem, ...open.map(machine.at));
    await expectKept(machine, Object.fromEntries(open.map((path) => [path, "in_use"])), ["/tmp/free"]);
    expect(machine.exists("/tmp/work/beside")).toBe(true);
  });

  test("also under another of its names, and in a cache of single files", async () => {
    const machine = makeMachine();
    machine.file("/srv/real");
    execFileSync("ln", [machine.at("/srv/real"), machine.at("/tmp/second-name")]);
    machine.file("/home/someone/.cache/pip/a/open");
    machine.file("/home/someone/.cache/pip/a/free");
    await node(openThem, machine.at("/srv/real"), machine.at("/home/someone/.cache/pip/a/open"));
    const kept = { "/tmp/second-name": "in_use", "/home/someone/.cache/pip/a/open": "in_use" };
    await expectKept(machine, kept, ["/home/someone/.cache/pip/a/free"]);
  });

  test("what is mapped into memory stays, though its descriptor is closed", async () => {
    const machine = makeMachine();
    const library = /\s(\/\S*\/libm[.-]\S*)$/m.exec(readFileSync("/proc/self/maps", "utf8"))?.[1] ?? "";
    machine.folder("/tmp/libraries");
    copyFileSync(library, machine.at("/tmp/libraries/plugin.so"));
    machine.file("/tmp/other.so");
    await running("tail", ["-f", machine.file("/srv/ready", "ready\n")], {
      env: { LD_PRELOAD: machine.at("/tmp/libraries/plugin.so") },
    });
    await expectKept(machine, { "/tmp/libraries/plugin.so": "in_use" }, ["/tmp/other.so"]);
  });

  test("a program that runs, and the folder that somebody works in", async () => {
    const machine = makeMachine();
    machine.folder("/tmp/tools");
    copyFileSync("/usr/bin/tail", machine.at("/tmp/tools/tail"));
    machine.folder("/tmp/job/here");
    machine.folder("/tmp/left");
    await running(machine.at("/tmp/tools/tail"), ["-f", machine.file("/srv/ready", "ready\n")], {
      cwd: machine.at("/tmp/job/here"),
    });
    await expectKept(machine, { "/tmp/tools/tail": "in_use", "/tmp/job/here": "in_use" }, ["/tmp/left"]);
  });

  test.each([
    ["in the same folder", "/tmp/one/file", "/tmp/two/file"],
    ["in the next folder", "/tmp/one/file", "/var/tmp/two/file"],
  ])("what was opened while the cleaning went on is seen too, %s", async (_, ...paths) => {
    const machine = makeMachine({ proc: null });
    for (const path of paths) machine.file(path);
    makeProc(machine.at("/proc"), { processes: { 4001: { fd: { 1: "/dev/null" } } } });
    const { clock } = machine.system;
    // Once one of them is gone, a process opens the other; and a good while passes until the cleaning gets there.
    let passedMs = 0;
    const monotonicMs = () => {
      const left = paths.filter(machine.exists);
      if (left.length === 1 && !machine.exists("/proc/4001/fd/5")) {
        symlinkSync(machine.at(left[0] ?? ""), machine.at("/proc/4001/fd/5"));
        passedMs += 1_000_000;
      }
      passedMs += 20;
      return passedMs;
    };
    Object.assign(machine.system, { clock: { ...clock, monotonicMs } });
    const report = await machine.clean();
    const left = paths.filter(machine.exists);
    expect(left).toHaveLength(1);
    expect(report.keptExamples).toEqual([{ path: left[0], reason: "in_use" }]);
  });
});

describe("the kernel", () => {
  test("images behind loop devices and swap files have no process, and stay", async () => {
    const machine = makeMachine({ proc: null });
    machine.file("/var/tmp/images/disk.img");
    machine.file("/tmp/swap file");
    machine.file("/tmp/other");
    machine.file("/sys/block/loop3/loop/backing_file", `${machine.at("/var/tmp/images/disk.img")}\n`);
    machine.folder("/sys/block/vda");
    makeProc(machine.at("/proc"), {
      swaps: `Filename\tType\tSize\tUsed\tPriority\n${machine.at("/tmp/swap\\040file")} file\t1024\t0\t-2\n`,
    });
    await expectKept(machine, { "/var/tmp/images/disk.img": "in_use", "/tmp/swap file": "in_use" }, [
      "/tmp/other",
    ]);
  });

  test("what is mounted in a container or as a service's private /tmp stays, with nothing open in it", async () => {
    const machine = makeMachine({ proc: null });
    const volume = "/tmp/volumes/database";
    const priv = "/tmp/systemd-private-0123456789abcdef0123456789abcdef-web.service-AbCdEf/tmp";
    for (const path of [volume, priv]) machine.file(`${path}/file`);
    machine.file("/tmp/layers/upper/file");
    machine.file("/tmp/unmounted/file");
    const rootMount = mountLine(machine.root, { mountPoint: "/" });
    const onItsFileSystem = (path: string) => {
      const mountPoint = mountPointOf(machine.at(path));
      return mountPoint === "/" ? machine.at(path) : machine.at(path).slice(mountPoint.length);
    };
    makeProc(machine.at("/proc"), {
      processes: {
        4001: {
          mounts: [
            rootMount,
            mountLine(machine.root, { id: 900_002, mountPoint: "/data", root: onItsFileSystem(volume) }),
            mountLine(machine.root, { id: 900_003, mountPoint: "/tmp", root: onItsFileSystem(priv) }),
            `900004 1 0:99 / / rw - overlay overlay rw,lowerdir=/x:/y,upperdir=${machine.at("/tmp/layers/upper")}`,
          ],
        },
      },
    });
    await expectKept(machine, { [volume]: "in_use", [priv]: "in_use", "/tmp/layers/upper": "in_use" }, [
      "/tmp/unmounted",
    ]);
  });

  test("mount points stay, files as well as folders, and nothing behind them is looked at", async () => {
    const machine = makeMachine({ proc: null });
    machine.file("/tmp/work/mounted/inside");
    machine.file("/tmp/file-mount");
    machine.file("/tmp/plain");
    makeProc(machine.at("/proc"), {
      mounts: ["/tmp/work/mounted", "/tmp/file-mount"].map((path, index) =>
        mountLine(machine.root, { id: 900_001 + index, mountPoint: machine.at(path) }),
      ),
    });
    await expectKept(machine, { "/tmp/work/mounted": "mount_point", "/tmp/file-mount": "mount_point" }, [
      "/tmp/plain",
    ]);
  });

  test("a real mount, of another or of the same file system, is not crossed, in no list or in one", async () => {
    for (const listed of [true, false]) {
      const machine = makeMachine({ proc: null });
      // A list from before the mounts: then only what the kernel says of the opened directory can tell.
      if (!listed) makeProc(machine.at("/proc"));
      machine.folder("/tmp/other-fs/mnt");
      machine.folder("/tmp/same-fs/mnt");
      machine.file("/srv/bound/precious");
      const tmpfs = spawnSync("mount", ["-t", "tmpfs", "none", machine.at("/tmp/other-fs/mnt")]).status === 0;
      const bind =
        spawnSync("mount", ["--bind", machine.at("/srv/bound"), machine.at("/tmp/same-fs/mnt")]).status === 0;
      try {
        // Where mounting is not allowed (an ordinary user, a container) nothing is mounted, and both go.
        if (tmpfs) machine.file("/tmp/other-fs/mnt/file");
        if (listed) makeProc(machine.at("/proc"));
        const before = portrait(machine.at("/srv"));
        const report = await machine.clean();
        expect(machine.exists("/tmp/other-fs/mnt/file")).toBe(tmpfs);
        expect(machine.exists("/tmp/same-fs/mnt/precious")).toBe(bind);
        expect(portrait(machine.at("/srv"))).toEqual(before);
        expect(report).toMatchObject({ errors: [], kept: { mount_point: Number(tmpfs) + Number(bind) } });
      } finally {
        if (tmpfs) execFileSync("umount", [machine.at("/tmp/other-fs/mnt")]);
        if (bind) execFileSync("umount", [machine.at("/tmp/same-fs/mnt")]);
      }
    }
  });

  test("a folder on a network or user-space file system is not even opened", async () => {
    const machine = makeMachine({ proc: null });
    machine.file("/home/someone/.cache/pip/x");
    machine.file("/tmp/x");
    makeProc(machine.at("/proc"), {
      mounts: [
        `900001 1 0:77 / ${machine.at("/home/someone")} rw - nfs4 server:/home rw`,
        `900002 1 0:78 / ${machine.at("/var/tmp")} rw - fuse.sshfs host:/x rw`,
      ],
    });
    const report = await machine.clean();
    expect(machine.exists("/home/someone/.cache/pip/x")).toBe(true);
    const states = Object.fromEntries(report.roots.map(({ path, state }) => [path, state]));
    expect(states).toMatchObject({
      "/tmp": "cleaned",
      "/var/tmp": "network",
      "/home/someone/.cache/pip": "network",
    });
  });
});

describe("sockets", () => {
  test("a socket that somebody listens on stays; one that nobody has any more goes", async () => {
    const machine = makeMachine();
    await listen(machine.at("/tmp/live.sock"));
    machine.folder("/tmp/ssh-x1");
    await listen(machine.at("/tmp/ssh-x1/agent.77"));
    mkdirSync(machine.at("/tmp/ssh-x2"));
    const died = await node(
      "require('net').createServer().listen(process.argv[1],()=>console.log('up'))",
      machine.at("/tmp/ssh-x2/agent.78"),
    );
    await until(() => machine.exists("/tmp/ssh-x2/agent.78"));
    died.kill("SIGKILL");
    await once(died, "exit");
    expect(lstatSync(machine.at("/tmp/ssh-x2/agent.78")).isSocket()).toBe(true);
    const kept = { "/tmp/live.sock": "live_socket", "/tmp/ssh-x1/agent.77": "live_socket" };
    await expectKept(machine, kept, ["/tmp/ssh-x2"]);
  });

  test("whatever path it was bound to: relative, or renamed since", async () => {
    const machine = makeMachine();
    machine.folder("/tmp/relative");
    await node(
      "process.chdir(process.argv[1]);require('net').createServer().listen('./bound')",
      machine.at("/tmp/relative"),
    );
    await until(() => machine.exists("/tmp/relative/bound"));
    await listen(machine.at("/srv-was"));
    renameSync(machine.at("/srv-was"), machine.at("/tmp/now"));
    const report = await machine.clean();
    expect(machine.exists("/tmp/relative/bound")).toBe(true);
    expect(machine.exists("/tmp/now")).toBe(true);
    expect(report.kept.live_socket).toBeGreaterThanOrEqual(1);
  });

  test("when the list of sockets cannot be read, every socket is taken for a live one", async () => {
    const machine = makeMachine({ proc: null });
    makeProc(machine.at("/proc"), { sockets: null });
    const died = await node("require('net').createServer().listen(process.argv[1])", machine.at("/tmp/dead"));
    await until(() => machine.exists("/tmp/dead"));
    died.kill("SIGKILL");
    await once(died, "exit");
    await expectKept(machine, { "/tmp/dead": "live_socket" }, []);
  });

  test("a pipe that nobody holds goes, one that somebody has open stays", async () => {
    const machine = makeMachine();
    const pipes = ["/tmp/idle-pipe", "/tmp/busy-pipe"].map(machine.at);
    execFileSync("mkfifo", pipes);
    await node("require('fs').openSync(process.argv[1],'r+')", machine.at("/tmp/busy-pipe"));
    await expectKept(machine, { "/tmp/busy-pipe": "in_use" }, ["/tmp/idle-pipe"]);
  });
});

describe("locks", () => {
  test("a folder that somebody holds a lock on stays, with all below it", async () => {
    const machine = makeMachine();
    machine.file("/tmp/unpacking/deep/file");
    machine.file("/home/someone/.cache/pip/http/a/b");
    machine.file("/tmp/free");
    const locked = ["/tmp/unpacking", "/home/someone/.cache/pip/http"];
    for (const path of locked) {
      await running("flock", ["-F", machine.at(path), "tail", "-f", machine.file("/srv/ready", "ready\n")]);
    }
    await expectKept(machine, Object.fromEntries(locked.map((path) => [path, "locked"])), ["/tmp/free"]);
    expect(machine.exists("/tmp/unpacking/deep/file")).toBe(true);
    expect(machine.exists("/home/someone/.cache/pip/http/a/b")).toBe(true);
  });

  test("a lock on the folder of the safelist itself stops the cleaning there", async () => {
    const machine = makeMachine();
    machine.file("/tmp/x");
    machine.file("/var/tmp/x");
    await running("flock", ["-F", machine.at("/tmp"), "tail", "-f", machine.file("/srv/ready", "ready\n")]);
    const report = await machine.clean();
    expect([machine.exists("/tmp/x"), machine.exists("/var/tmp/x")]).toEqual([true, false]);
    expect(report.roots).toContainEqual({ path: "/tmp", state: "locked" });
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function mountPointOf(path: string): string {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "/")
    .filter((point) => point === "/" || path === point || path.startsWith(`${point}/`));
  return points.sort((a, b) => a.length - b.length).at(-1) ?? dirname("/");
}
