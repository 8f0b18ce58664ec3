import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cycle } from "../../src/collect/collector.ts";
import { createHostCollector } from "../../src/collect/host.ts";
import { createSystem } from "../../src/system/machine.ts";
import { configWith, createTree, type MadeSystem, systemOn, type Tree } from "./tree.ts";

const cycle = { signal: new AbortController().signal } as Cycle;
let tree: Tree;
let made: MadeSystem;
beforeEach(() => {
  tree = createTree();
  made = systemOn(tree);
  memory({ total: 8_000_000, available: 6_000_000 });
  tree.write("/proc/loadavg", "1.00 0.50 0.25 1/1 1\n");
  tree.write("/proc/uptime", "100000.50 1.00\n");
  tree.write("/proc/stat", "cpu  1\ncpu0 1\ncpu1 1\ncpu2 1\nintr 5\n");
  tree.write("/proc/sys/kernel/hostname", "made\n");
});
afterEach(() => tree.dispose());

/** In kB. */
function memory({ total, available, swapTotal = 0, swapFree = swapTotal }: Record<string, number>): void {
  const lines = { MemTotal: total, MemAvailable: available, SwapTotal: swapTotal, SwapFree: swapFree };
  tree.write(
    "/proc/meminfo",
    Object.entries(lines)
      .map(([name, value]) => `${name}: ${value} kB\n`)
      .join(""),
  );
}
const watch = () => createHostCollector(made.system, configWith());
const look = async () => await watch()(cycle);

describe("memory", () => {
  it("is what the host has", async () => {
    const { facts } = await look();
    expect(facts.memory).toEqual({
      totalBytes: 8_000_000 * 1024,
      availableBytes: 6_000_000 * 1024,
      usedPercent: 25,
      limitedByCgroup: false,
      hog: null,
    });
  });

  const gib = 1024 ** 3;
  function limit(
    folder: string,
    names: [string, string, string],
    [max, used, cache]: [string, number, number],
  ): void {
    tree.write(`/sys/fs/cgroup/${folder}${names[0]}`, `${max}\n`);
    tree.write(`/sys/fs/cgroup/${folder}${names[1]}`, `${used}\n`);
    tree.write(`/sys/fs/cgroup/${folder}memory.stat`, `anon 5\n${names[2]} ${cache}\n`);
  }
  const v2: [string, string, string] = ["memory.max", "memory.current", "inactive_file"];
  const v1: [string, string, string] = [
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    "total_inactive_file",
  ];

  it.each<[string, string, [string, string, string]]>([
    ["2", "", v2],
    ["1", "memory/", v1],
  ])("is the container's limit where there is one (version %s)", async (_, folder, names) => {
    limit(folder, names, [String(4 * gib), 3 * gib, gib]);
    expect((await look()).facts.memory).toMatchObject({
      totalBytes: 4 * gib,
      availableBytes: 2 * gib,
      usedPercent: 50,
      limitedByCgroup: true,
    });
    expect((await look()).detail).toContain("50 % of 4.29 GB memory used (cgroup limit)");
  });

  it("never has more available than the host", async () => {
    memory({ total: 8_000_000, available: 1_000 });
    limit("", v2, [String(4 * gib), gib, 0]);
    expect((await look()).facts.memory?.availableBytes).toBe(1_000 * 1024);
  });

  it("never has less than nothing available", async () => {
    limit("", v2, [String(gib), gib + 4096, 0]);
    expect((await look()).facts.memory).toMatchObject({ availableBytes: 0, usedPercent: 100 });
  });

  it.each([
    ["none", "max"],
    ["one above the host's memory", String(100 * gib)],
  ])("is the host's where the limit is %s", async (_, max) => {
    limit("", v2, [max, gib, 0]);
    expect((await look()).facts.memory).toMatchObject({
      totalBytes: 8_000_000 * 1024,
      limitedByCgroup: false,
    });
  });

  it("is the host's where the limit is that of a unit, such as Argus's own", async () => {
    limit("system.slice/argus.service/", v2, [String(gib), gib, 0]);
    tree.write("/proc/self/cgroup", "0::/system.slice/argus.service\n");
    expect((await look()).facts.memory?.limitedByCgroup).toBe(false);
  });

  it("that is unknown is a failure, told in one sentence", async () => {
    tree.write("/proc/meminfo", "MemTotal: 5 kB\n");
    await expect(look()).rejects.toThrow(new Error("/proc/meminfo says nothing about MemAvailable"));
  });
});

describe("swap", () => {
  const traffic = (pagesIn: number, pagesOut: number) =>
    tree.write("/proc/vmstat", `pswpin ${pagesIn}\npswpout ${pagesOut}\n`);

  it("without any is 0 of 0, and nothing is sampled", async () => {
    expect((await look()).facts.swap).toEqual({
      totalBytes: 0,
      usedBytes: 0,
      usedPercent: 0,
      inMegabytesPerSecond: 0,
      outMegabytesPerSecond: 0,
      thrashMegabytesPerSecond: 0,
      thrashLimitMegabytesPerSecond: 10,
      hog: null,
    });
  });

  it("moves at the rate between two cycles", async () => {
    memory({ total: 8_000_000, available: 6_000_000, swapTotal: 1000, swapFree: 1000 });
    const again = watch();
    traffic(1000, 5000);
    expect((await again(cycle)).facts.swap).toMatchObject({ thrashMegabytesPerSecond: 0 });
    made.uptimeSeconds += 10;
    traffic(1000 + 10_000, 5000 + 20_000);
    memory({ total: 8_000_000, available: 6_000_000, swapTotal: 1000, swapFree: 250 });
    expect((await again(cycle)).facts.swap).toMatchObject({
      usedBytes: 750 * 1024,
      usedPercent: 75,
      inMegabytesPerSecond: 4.096,
      outMegabytesPerSecond: 8.192,
      thrashMegabytesPerSecond: expect.closeTo(12.288, 9),
    });
  });

  it("is sampled in the first cycle when some is in use", async () => {
    memory({ total: 8_000_000, available: 6_000_000, swapTotal: 1000, swapFree: 500 });
    traffic(0, 0);
    const { clock } = made.system;
    const sampling = {
      ...made.system,
      clock: {
        ...clock,
        sleep: async (milliseconds: number) => {
          made.uptimeSeconds += milliseconds / 1000;
          traffic(0, 1000);
        },
      },
    };
    const { facts } = await createHostCollector(sampling, configWith())(cycle);
    expect(facts.swap?.outMegabytesPerSecond).toBeCloseTo(40.96, 5);
  });

  it("is not waited for when none is in use", async () => {
    memory({ total: 8_000_000, available: 6_000_000, swapTotal: 1000, swapFree: 1000 });
    traffic(5, 5);
    const { clock } = made.system;
    const system = { ...made.system, clock: { ...clock, sleep: () => expect.fail("slept") } };
    const { facts } = await createHostCollector(system, configWith())(cycle);
    expect(facts.swap).toMatchObject({ usedPercent: 0, thrashMegabytesPerSecond: 0 });
  });

  it("stands still on a kernel that counts no swapping", async () => {
    memory({ total: 8_000_000, available: 6_000_000, swapTotal: 1000, swapFree: 500 });
    expect((await look()).facts.swap).toMatchObject({ usedPercent: 50, thrashMegabytesPerSecond: 0 });
  });
});

describe("pressure", () => {
  const some = "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\n";
  const full = "full avg10=0.50 avg60=0.00 avg300=0.00 total=0\n";

  it("is read where the kernel measures it", async () => {
    tree.write("/proc/pressure/memory", some + full);
    tree.write("/proc/pressure/io", some + full);
    tree.write("/proc/pressure/cpu", some);
    expect((await look()).facts.pressure).toEqual({
      memorySome10: 1.5,
      memoryFull10: 0.5,
      ioSome10: 1.5,
      ioFull10: 0.5,
      cpuSome10: 1.5,
    });
  });

  it("is left out where it does not, and the rest is there", async () => {
    const { facts, detail } = await look();
    expect("pressure" in facts).toBe(false);
    expect(facts.load).toEqual({ one: 1, five: 0.5, fifteen: 0.25, perCore: 1 / 3 });
    expect(detail).toBe(
      "3 cores, load 1.00, 25 % of 8.19 GB memory used, no swap, no pressure figures from this kernel",
    );
  });
});

describe("the host", () => {
  it("has a name, a boot and processors", async () => {
    tree.write("/sys/devices/system/cpu/online", "0-6,8\n");
    const { facts } = await look();
    expect(facts.host).toEqual({ name: "made", bootId: "made", uptimeSeconds: 100000.5, cores: 8 });
    expect(facts.load?.perCore).toBe(1 / 8);
  });
});

describe("on this machine", () => {
  it("agrees with free, uptime, nproc and hostname", async () => {
    const free = () => {
      const [, mem = "", swap = ""] = execFileSync("free", ["-b"], { encoding: "utf8" }).split("\n");
      const [, total, , , , , available] = mem.split(/\s+/).map(Number);
      const [, swapTotal, swapUsed] = swap.split(/\s+/).map(Number);
      return { total: total ?? 0, available: available ?? 0, swapTotal, swapUsed };
    };
    const load = () => readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).map(Number);
    const system = createSystem();
    const before = { free: free(), load: load() };
    const { facts } = await createHostCollector(system, configWith())(cycle);
    const after = { free: free(), load: load() };
    const { memory: seen, swap } = facts;
    if (seen?.limitedByCgroup === false) {
      expect(seen.totalBytes).toBe(before.free.total);
      // Others allocate meanwhile.
      const slack = before.free.total * 0.02;
      expect(seen.availableBytes).toBeGreaterThan(
        Math.min(before.free.available, after.free.available) - slack,
      );
      expect(seen.availableBytes).toBeLessThan(Math.max(before.free.available, after.free.available) + slack);
    } else expect(seen?.totalBytes).toBeLessThan(before.free.total);
    expect(swap?.totalBytes).toBe(before.free.swapTotal);
    expect([before.load, after.load]).toContainEqual([
      facts.load?.one,
      facts.load?.five,
      facts.load?.fifteen,
    ]);
    expect(facts.host?.name).toBe(execFileSync("hostname", { encoding: "utf8" }).trim());
    expect(facts.host?.cores).toBe(Number(execFileSync("nproc", ["--all"], { encoding: "utf8" })));
    expect(facts.host?.bootId).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    expect(Math.abs((facts.host?.uptimeSeconds ?? 0) - system.clock.now().uptimeSeconds)).toBeLessThan(60);
  });
});
