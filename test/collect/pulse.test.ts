/** The look between two cycles: the same figures as a cycle's, and nothing that can hang holds it up. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPulse } from "../../src/collect/pulse.ts";
import type { FileSystemStatus, System } from "../../src/system/system.ts";
import { pulseFacts } from "../../src/types/pulse.ts";
import { createTree, systemOn, type Tree } from "./tree.ts";

let tree: Tree;
beforeEach(() => {
  tree = createTree();
  tree.write(
    "/proc/meminfo",
    "MemTotal: 1000 kB\nMemAvailable: 250 kB\nSwapTotal: 1000 kB\nSwapFree: 900 kB\n",
  );
});
afterEach(() => tree.dispose());

const all = new Set(pulseFacts);
type Answer = (path: string) => Promise<FileSystemStatus>;
const tenth: FileSystemStatus = {
  totalBytes: 1_000_000,
  freeBytes: 900_000,
  availableBytes: 900_000,
  inodes: 100,
  inodesFree: 25,
};

/** What the clock says; its sleeps last milliseconds. */
let nowMs = 0;
function systemWith(mounts: Record<string, string>, statfs: Answer): System {
  const lines = Object.entries(mounts).map(
    ([mount, type], index) => `${index} 1 0:${index + 10} / ${mount} rw - ${type} dev${index} rw`,
  );
  tree.write("/proc/self/mountinfo", `${lines.join("\n")}\n`);
  const { system } = systemOn(tree);
  const { clock, files } = system;
  return {
    ...system,
    files: { ...files, statfs },
    clock: {
      ...clock,
      monotonicMs: () => nowMs,
      sleep: (milliseconds, signal) => clock.sleep(milliseconds / 20, signal),
    },
  };
}

function writePressure(): void {
  const line = (value: string) => `some avg10=${value} avg60=0.00 avg300=0.00 total=0`;
  for (const name of ["memory", "io", "cpu"])
    tree.write(`/proc/pressure/${name}`, `${line("12.50")}\n${line("3.00").replace("some", "full")}\n`);
}

describe("the pulse", () => {
  it("has memory, swap, pressure and the local disks, as a cycle has them", async () => {
    writePressure();
    const pulse = createPulse(systemWith({ "/": "ext4" }, async () => tenth));
    expect(await pulse(all)).toMatchObject({
      memory: { usedPercent: 75, availableBytes: 256_000, hog: null },
      swap: { usedPercent: expect.closeTo(10), totalBytes: 1_024_000 },
      pressure: { memorySome10: 12.5, memoryFull10: 3 },
      disk: [{ mount: "/", usedPercent: 10, inodesUsedPercent: 75 }],
    });
  });

  it("leaves out pressure where the kernel has none", async () => {
    expect(await createPulse(systemWith({ "/": "ext4" }, async () => tenth))(all)).not.toHaveProperty(
      "pressure",
    );
  });

  it("never asks a file system behind which is another machine or program", async () => {
    const asked: string[] = [];
    const answer: Answer = async (path) => {
      asked.push(path);
      return tenth;
    };
    await createPulse(systemWith({ "/": "ext4", "/mnt": "nfs4", "/fuse": "fuse.sshfs" }, answer))(all);
    expect(asked).toEqual(["/"]);
  });

  it("goes on without the disks while one of them does not answer, with one question open at most", async () => {
    let open = 0;
    let most = 0;
    let asked = 0;
    let answerNow = () => {};
    const hanging: Answer = async (path) => {
      asked += 1;
      open += 1;
      most = Math.max(most, open);
      if (path === "/broken" && asked <= 2) await new Promise<void>((resolve) => (answerNow = resolve));
      open -= 1;
      return tenth;
    };
    const pulse = createPulse(systemWith({ "/": "ext4", "/broken": "xfs", "/srv": "ext4" }, hanging));
    for (let look = 0; look < 3; look += 1) {
      const seen = await pulse(all);
      expect(seen).toMatchObject({ memory: { usedPercent: 75 } });
      expect(seen).not.toHaveProperty("disk");
    }
    expect({ open, asked, most }).toEqual({ open: 1, asked: 2, most: 1 });
    answerNow();
    await vi.waitUntil(() => open === 0 && asked === 3);
    expect((await pulse(all)).disk).toHaveLength(3);
    expect(most).toBe(1);
  });

  it("reads only what is asked for", async () => {
    const pulse = createPulse(systemWith({ "/": "ext4" }, async () => tenth));
    writePressure();
    expect(Object.keys(await pulse(new Set(["disk"])))).toEqual(["disk"]);
    expect(Object.keys(await pulse(new Set(["memory"])))).toEqual(["memory", "swap"]);
    expect(await pulse(new Set())).toEqual({});
  });

  it("goes by the limit of the cgroup where there is one, also by one that is set later", async () => {
    const system = systemWith({ "/": "ext4" }, async () => tenth);
    const pulse = createPulse(system);
    const usedPercent = async () => Math.round((await pulse(all)).memory?.usedPercent ?? 0);
    const limit = (used: number) => {
      tree.write("/sys/fs/cgroup/memory.max", "512000\n");
      tree.write("/sys/fs/cgroup/memory.current", `${used}\n`);
    };
    expect(await usedPercent()).toBe(75);
    limit(256_000 + 204_800);
    nowMs += 60_000;
    expect(await usedPercent()).toBe(90);
    limit(256_000);
    nowMs += 5_000;
    expect(await usedPercent()).toBe(50);
  });

  it("leaves out a disk that cannot be measured, and sees within a minute one that was mounted since", async () => {
    const answer: Answer = async (path) => {
      if (path === "/gone") throw new Error("EACCES");
      return tenth;
    };
    const system = systemWith({ "/": "ext4", "/gone": "ext4" }, answer);
    const pulse = createPulse(system);
    expect((await pulse(all)).disk?.map(({ mount }) => mount)).toEqual(["/"]);
    systemWith({ "/": "ext4", "/usb": "vfat" }, answer);
    nowMs += 60_000;
    expect((await pulse(all)).disk?.map(({ mount }) => mount)).toEqual(["/", "/usb"]);
  });
});
