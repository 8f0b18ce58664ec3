import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cycle } from "../../src/collect/collector.ts";
import { createProcessCollector } from "../../src/collect/processes.ts";
import { createSystem } from "../../src/system/machine.ts";
import { type Process, ProcessEntity } from "../../src/types/facts.ts";
import { configWith, createTree, type MadeSystem, systemOn, type Tree } from "./tree.ts";

const cycle = {} as Cycle; // it looks at the machine, and at nothing of the cycle
let tree: Tree;
let made: MadeSystem;
beforeEach(() => {
  tree = createTree();
  made = systemOn(tree);
  tree.write("/proc/meminfo", "SwapTotal: 1000 kB\nSwapFree: 1000 kB\n");
  tree.process({
    pid: 1,
    name: "systemd",
    parentPid: 0,
    executable: "/usr/lib/systemd/systemd",
    cgroup: "/init.scope",
  });
});
afterEach(() => tree.dispose());

function watch(settings: unknown = {}) {
  const collect = createProcessCollector(made.system, configWith(settings));
  return async () => {
    const { facts, detail } = await collect(cycle);
    const processes = facts.process ?? [];
    return { processes, detail, of: (pid: number) => processes.find((each) => each.pid === pid) };
  };
}
const look = async () => watch()();
const seconds = (uptime: number) => Math.round(uptime * 100);

describe("hostile processes change nothing but the text", () => {
  const hostile = ["foo) Z 1", "a\nb", "\t", ")))(((", "", "\u001b[2Jx", "(sd-pam)", "x) S 1 1 1 0 -1"];

  it.each(hostile)("the name %j", async (name) => {
    tree.process({
      pid: 50,
      name,
      parentPid: 7,
      sessionId: 40,
      startTime: 4242,
      rssPages: 3,
      executable: "/usr/bin/node",
    });
    const { processes, of } = await look();
    expect(processes.map(({ pid }) => pid)).toEqual([1, 50]);
    const expected = {
      name,
      state: "S",
      parentPid: 7,
      sessionId: 40,
      startTime: 4242,
      rssBytes: 3 * 4096,
      orphan: false,
    };
    expect(of(50)).toMatchObject({ ...expected, killable: name !== "(sd-pam)" });
    ProcessEntity.parse(of(50));
  });

  it("a name that is no UTF-8", async () => {
    tree.process({ pid: 50, name: Buffer.from([0x66, 0xff, 0x29, 0x20, 0xfe]), startTime: 4242 });
    expect((await look()).of(50)).toMatchObject({ name: "f\ufffd) \ufffd", startTime: 4242 });
  });

  it.each<[string, string[], string, number]>([
    ["newlines and control characters", ["sh", "-c", "a\nb\u001b[0m"], "sh -c a\nb\u001b[0m", 3],
    ["none at all", [], "", 0],
    ["empty ones", ["x", "", "", "y"], "x   y", 4],
    ["spaces inside", ["a b", "c"], "a b c", 2],
    ["4,096 characters and more", ["x".repeat(5000)], "x".repeat(4096), 1],
    ["4,096 characters in many", Array<string>(3000).fill("ab"), `${"ab ".repeat(1365)}a`, 1366],
    [
      "2 MB of it",
      Array<string>(1000).fill("y".repeat(2000)),
      `${"y".repeat(2000)} ${"y".repeat(2000)} ${"y".repeat(94)}`,
      3,
    ],
    ["a character cut in two", [`${"x".repeat(4095)}😀`], "x".repeat(4095), 1],
    ["four bytes a character", ["😀".repeat(3000)], "😀".repeat(2048), 1],
  ])("a command line with %s", async (_, parts, commandLine, number) => {
    tree.process({ pid: 50, arguments: parts });
    const found = (await look()).of(50);
    expect(found?.commandLine).toBe(commandLine);
    expect(found?.arguments).toHaveLength(number);
    expect(found?.arguments.join(" ")).toBe(commandLine);
  });

  it("a command line that the program wrote over, without an end", async () => {
    tree.process({ pid: 50 });
    tree.write("/proc/50/cmdline", "nginx: worker process\0\0\0\0");
    expect((await look()).of(50)?.arguments[0]).toBe("nginx: worker process");
    tree.write("/proc/50/cmdline", "no end");
    tree.write("/proc/51/cmdline", "");
    expect((await look()).of(50)?.commandLine).toBe("no end");
  });

  it("a zombie, a stopped one, and an executable that may not be read", async () => {
    tree.process({ pid: 50, state: "Z", arguments: [], executable: null, startStack: 0, parentPid: 1 });
    tree.process({ pid: 51, state: "T", parentPid: 7 });
    tree.process({ pid: 52, executable: null, parentPid: 7 });
    const { of } = await look();
    expect(of(50)).toMatchObject({
      state: "Z",
      commandLine: "",
      executable: null,
      killable: false,
      orphan: false,
    });
    expect(of(50)?.notKillableBecause).toBe("it has ended already and waits for its parent to notice");
    expect(of(51)).toMatchObject({ state: "T", orphan: false });
    expect(of(52)).toMatchObject({ executable: null, executablePath: null, killable: false });
    expect(of(52)?.notKillableBecause).toBe("its executable cannot be read");
  });

  it.each(["stat", "status"] as const)(
    "one that vanished before its %s was read is not there",
    async (file) => {
      tree.process({ pid: 50, without: [file] });
      tree.process({ pid: 51 });
      expect((await look()).processes.map(({ pid }) => pid)).toEqual([1, 51]);
    },
  );

  it.each(["cmdline", "cgroup"] as const)("one whose %s cannot be read is still there", async (file) => {
    tree.process({ pid: 50, without: [file] });
    expect((await look()).of(50)).toMatchObject({ pid: 50, unit: null });
  });

  it("one that is cut off in the middle is not there", async () => {
    tree.process({ pid: 50 });
    tree.write("/proc/50/stat", "50 (sleep) S 1 50 50 0 -1 4194304 92 0 0");
    expect((await look()).of(50)).toBeUndefined();
  });
});

describe("what is remembered", () => {
  it("reads what seldom changes once, and again when the process becomes another program", async () => {
    const again = watch();
    tree.process({ pid: 50, parentPid: 7, arguments: ["first"] });
    expect((await again()).of(50)?.commandLine).toBe("first");
    // It cannot have changed without exec: what stands in the file now is not even read.
    tree.write("/proc/50/cmdline", "unread\0");
    expect((await again()).of(50)?.commandLine).toBe("first");
    // The same name, another stack: exec.
    tree.process({ pid: 50, parentPid: 7, arguments: ["second"], startStack: 140_000_000_000_016 });
    expect((await again()).of(50)?.commandLine).toBe("second");
    tree.process({
      pid: 50,
      parentPid: 7,
      arguments: ["third"],
      startStack: 140_000_000_000_016,
      name: "other",
    });
    expect((await again()).of(50)?.commandLine).toBe("third");
  });

  it("reads all of it again while a process is younger than ten seconds", async () => {
    const again = watch();
    const young = { pid: 50, parentPid: 7, startTime: seconds(made.uptimeSeconds - 5) };
    tree.process({ ...young, arguments: ["before setup"], cgroup: "/" });
    expect((await again()).of(50)).toMatchObject({ commandLine: "before setup", unit: null, user: "0" });
    tree.process({ ...young, arguments: ["after"], cgroup: "/system.slice/bot.service", uid: 1000 });
    expect((await again()).of(50)).toMatchObject({ commandLine: "after", unit: "bot.service", user: "1000" });
    made.uptimeSeconds += 6;
    tree.process({ ...young, arguments: ["later"] });
    expect((await again()).of(50)?.commandLine).toBe("after");
  });

  it("takes a pid with another start time for another process", async () => {
    const again = watch();
    tree.process({ pid: 50, arguments: ["old"], startTime: 1000, ticks: 500 });
    await again();
    made.uptimeSeconds += 700;
    tree.process({ pid: 50, arguments: ["new"], startTime: 2000, ticks: 1 });
    expect((await again()).of(50)).toMatchObject({
      commandLine: "new",
      startTime: 2000,
      rssGrowthPerHour: null,
    });
  });

  it("forgets what is gone", async () => {
    const again = watch();
    tree.process({ pid: 50 });
    expect((await again()).of(50)).toBeDefined();
    tree.remove("/proc/50");
    expect((await again()).of(50)).toBeUndefined();
  });

  it("leaves the command line of a process that is stuck in the kernel for later: reading it could hang", async () => {
    const again = watch();
    tree.process({ pid: 50, state: "D", arguments: ["stuck"] });
    expect((await again()).of(50)).toMatchObject({ commandLine: "", executable: "sleep" });
    tree.process({ pid: 50, state: "S", arguments: ["stuck"] });
    expect((await again()).of(50)?.commandLine).toBe("stuck");
  });

  it("tells processor shares since the last cycle, at first since the start", async () => {
    const again = watch();
    tree.process({ pid: 50, startTime: seconds(made.uptimeSeconds - 100), ticks: 2500 });
    expect((await again()).of(50)?.cpuPercent).toBeCloseTo(25, 5);
    made.uptimeSeconds += 10;
    tree.process({ pid: 50, startTime: seconds(made.uptimeSeconds - 110), ticks: 2500 + 1500 });
    expect((await again()).of(50)?.cpuPercent).toBeCloseTo(150, 5);
    // A look right after it has no new share to tell: hundredths of a second are all that is counted.
    made.uptimeSeconds += 0.01;
    tree.process({ pid: 50, startTime: seconds(made.uptimeSeconds - 110.01), ticks: 2500 + 1501 });
    expect((await again()).of(50)?.cpuPercent).toBeCloseTo(150, 5);
  });

  it("tells growth after ten minutes, from when it was first seen", async () => {
    const again = watch();
    tree.process({ pid: 50, rssPages: 1000 });
    expect((await again()).of(50)?.rssGrowthPerHour).toBeNull();
    made.uptimeSeconds += 599;
    tree.process({ pid: 50, rssPages: 2000 });
    expect((await again()).of(50)?.rssGrowthPerHour).toBeNull();
    made.uptimeSeconds += 1201;
    tree.process({ pid: 50, rssPages: 3000 });
    expect((await again()).of(50)?.rssGrowthPerHour).toBe(2000 * 4096 * 2);
  });

  it("looks up users again when /etc/passwd changed", async () => {
    const again = watch();
    tree.write(
      "/etc/passwd",
      "root:x:0:0::/:/bin/sh\nbot:x:1000:1000::/:/bin/sh\nsecond:x:1000:1::/:/bin/sh\nbroken\n",
    );
    tree.process({ pid: 50, uid: 1000 });
    tree.process({ pid: 51, uid: 61234 });
    let { of } = await again();
    expect([of(50)?.user, of(51)?.user]).toEqual(["bot", "61234"]);
    tree.write("/etc/passwd", "late:x:61234:61234:a longer file::\n");
    ({ of } = await again());
    expect([of(50)?.user, of(51)?.user]).toEqual(["1000", "late"]);
  });

  it("reads swap of each only when some is in use", async () => {
    tree.process({ pid: 50, swapKilobytes: 64 });
    expect((await look()).of(50)?.swapBytes).toBe(0);
    tree.write("/proc/meminfo", "SwapTotal: 1000 kB\nSwapFree: 900 kB\n");
    tree.process({ pid: 51, flags: 0x208040 });
    const { of } = await look();
    expect([of(50)?.swapBytes, of(51)?.swapBytes]).toEqual([65536, 0]);
  });
});

describe("the sentence", () => {
  it("counts, and names the largest", async () => {
    tree.process({ pid: 2, name: "kthreadd", flags: 0x208040, parentPid: 0, rssPages: 0 });
    tree.process({ pid: 50, parentPid: 7, rssPages: 29297, executable: "/usr/bin/node" });
    tree.process({ pid: 51, sessionId: 40, executable: "/usr/bin/node" });
    expect((await look()).detail).toBe(
      "3 processes and 1 kernel thread, 1 orphan (1 killable); largest node (pid 50) 120 MB",
    );
  });

  it("says when the processes of others are hidden", async () => {
    tree.remove("/proc/1");
    tree.process({ pid: 50, parentPid: 7, rssPages: 1 });
    expect((await look()).detail).toBe(
      "1 process, no orphan; largest sleep (pid 50) 4.10 kB; those of other users are hidden from this one",
    );
  });
});

describe("on this machine", () => {
  interface Row {
    readonly parentPid: number;
    readonly user: string;
    readonly session: number;
  }
  const ps = () => {
    const text = execFileSync("ps", ["-e", "-o", "pid=,ppid=,sess=,user:32="], { encoding: "utf8" });
    return new Map<number, Row>(
      text
        .trim()
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .map(([pid, parent, session, user]) => [
          Number(pid),
          { parentPid: Number(parent), user: String(user), session: Number(session) },
        ]),
    );
  };

  it("agrees with ps about every process that was there before and after", async () => {
    const before = ps();
    const { facts } = await createProcessCollector(createSystem(), configWith())(cycle);
    const after = ps();
    const seen = new Map<number, Process>((facts.process ?? []).map((each) => [each.pid, each]));
    let compared = 0;
    for (const [pid, row] of before) {
      const later = after.get(pid);
      if (later?.parentPid !== row.parentPid || later.session !== row.session || later.user !== row.user)
        continue;
      expect({ pid, parent: seen.get(pid)?.parentPid, session: seen.get(pid)?.sessionId }).toEqual({
        pid,
        parent: row.parentPid,
        session: row.session,
      });
      // ps cuts long names of users.
      expect(seen.get(pid)?.user.slice(0, 32)).toBe(row.user.replace(/\+$/, ""));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(3);
    expect(seen.get(process.pid)).toMatchObject({ executable: "node", killable: false });
    expect(seen.get(process.pid)?.notKillableBecause).toBe(
      "it is Argus itself or one of the processes above it",
    );
    for (const each of seen.values()) ProcessEntity.parse(each);
  });
});
