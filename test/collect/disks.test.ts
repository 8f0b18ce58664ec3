import { execFileSync, spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cycle } from "../../src/collect/collector.ts";
import { createDiskCollector } from "../../src/collect/disks.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { FileSystemStatus, System } from "../../src/system/system.ts";
import { DiskEntity } from "../../src/types/facts.ts";
import { createTree, systemOn, type Tree } from "./tree.ts";

const cycle = { signal: new AbortController().signal } as Cycle;
let tree: Tree;
beforeEach(() => {
  tree = createTree();
});
afterEach(() => tree.dispose());

const half: FileSystemStatus = {
  totalBytes: 1_000_000,
  freeBytes: 500_000,
  availableBytes: 500_000,
  inodes: 100,
  inodesFree: 25,
};
type Answer = (path: string) => Promise<FileSystemStatus>;

/** Mounts of a type each, on a system whose statfs answers as a test wants; its seconds last milliseconds. */
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
    clock: { ...clock, sleep: (milliseconds, signal) => clock.sleep(milliseconds / 20, signal) },
  };
}
const never: Answer = () => new Promise(() => undefined);

describe("disks", () => {
  it("count what is kept back for root as neither used nor available, as df does", async () => {
    const status = { ...half, freeBytes: 300_000, availableBytes: 200_000, inodes: 1000, inodesFree: 900 };
    const { facts, detail } = await createDiskCollector(systemWith({ "/": "ext4" }, async () => status))(
      cycle,
    );
    expect(facts.disk).toEqual([
      {
        mount: "/",
        device: "dev0",
        type: "ext4",
        totalBytes: 1_000_000,
        usedBytes: 700_000,
        availableBytes: 200_000,
        usedPercent: (700 / 900) * 100,
        inodesUsedPercent: 10,
        fullInHours: null,
      },
    ]);
    expect(detail).toBe("1 file system; fullest / at 77.8 %, 200 kB left");
  });

  it("have no share of inodes where there is no fixed number, and are left out where there is nothing to fill", async () => {
    const sizes: Record<string, FileSystemStatus> = {
      "/": { ...half, inodes: 0, inodesFree: 0 },
      "/odd": { totalBytes: 0, freeBytes: 0, availableBytes: 0, inodes: 0, inodesFree: 0 },
    };
    const system = systemWith({ "/": "btrfs", "/odd": "newfs" }, async (path) => sizes[path] ?? half);
    const { facts } = await createDiskCollector(system)(cycle);
    expect(facts.disk).toMatchObject([{ mount: "/", inodesUsedPercent: null }]);
  });

  it("are those of the machine, not what a sandbox makes of them", async () => {
    const asked: string[] = [];
    const system = systemWith({}, async (path) => {
      asked.push(path);
      return half;
    });
    // As of argus.service: the root is a read-only bind mount there, and each folder that it may write another mount.
    const inside = [
      "1 0 8:1 / / ro - ext4 /dev/sda rw",
      "2 1 8:1 /var/lib/argus /var/lib/argus rw - ext4 /dev/sda rw",
    ];
    tree.write("/proc/self/mountinfo", `${inside.join("\n")}\n3 1 0:9 / /tmp rw - tmpfs tmpfs rw,size=1k\n`);
    tree.write("/proc/1/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda rw\n");
    const { facts } = await createDiskCollector(system)(cycle);
    expect(facts.disk?.map(({ mount }) => mount)).toEqual(["/"]);
    expect(asked).toEqual(["/"]);
  });

  it("that do not answer cost their own row", async () => {
    const system = systemWith({ "/": "ext4", "/mnt/nas": "nfs4", "/srv": "xfs" }, (path) =>
      path === "/mnt/nas" ? never(path) : Promise.resolve(half),
    );
    const { facts, detail } = await createDiskCollector(system)(cycle);
    expect(facts.disk?.map(({ mount }) => mount)).toEqual(["/", "/srv"]);
    expect(detail).toBe("2 file systems; fullest / at 50 %, 500 kB left; no answer from /mnt/nas");
  });

  it("that do not answer are asked once and not again, and no more than two at a time", async () => {
    const asked: string[] = [];
    const answers: ((status: FileSystemStatus) => void)[] = [];
    const mounts = { "/": "ext4", "/a": "nfs", "/b": "fuse.sshfs", "/c": "cifs", "/d": "nfs4" };
    const system = systemWith(mounts, (path) => {
      asked.push(path);
      return path === "/" ? Promise.resolve(half) : new Promise((resolve) => answers.push(resolve));
    });
    const collect = createDiskCollector(system);
    const first = await collect(cycle);
    expect(first.facts.disk?.map(({ mount }) => mount)).toEqual(["/"]);
    expect(first.detail).toContain("no answer from /a, /b and 2 more");
    expect(asked).toEqual(["/", "/a", "/b"]);
    await collect(cycle);
    expect(asked).toEqual(["/", "/a", "/b", "/"]);
    // The server is back: the late answer frees the place, and the next cycle asks again.
    answers[0]?.(half);
    await new Promise((go) => setTimeout(go, 5));
    const last = await collect(cycle);
    expect(asked.slice(4)).toEqual(["/", "/a"]);
    expect(last.facts.disk?.map(({ mount }) => mount)).toEqual(["/"]);
  });

  it("that hang though they are local are not asked again either", async () => {
    const asked: string[] = [];
    const system = systemWith({ "/": "ext4", "/dying": "ext4" }, (path) => {
      asked.push(path);
      return path === "/" ? Promise.resolve(half) : never(path);
    });
    const collect = createDiskCollector(system);
    await collect(cycle);
    expect((await collect(cycle)).detail).toContain("no answer from /dying");
    expect(asked).toEqual(["/", "/dying", "/"]);
  });

  it("that may not be asked are named, with the reason", async () => {
    const system = systemWith({ "/": "ext4", "/home/u/mnt": "fuse.sshfs" }, (path) =>
      path === "/"
        ? Promise.resolve(half)
        : Promise.reject(Object.assign(new Error("no"), { code: "EACCES" })),
    );
    expect((await createDiskCollector(system)(cycle)).detail).toContain(
      "; /home/u/mnt (EACCES) cannot be measured",
    );
  });

  it("of which none answers are a failure", async () => {
    await expect(createDiskCollector(systemWith({ "/": "ext4" }, never))(cycle)).rejects.toThrow(
      new Error("no file system could be measured; no answer from /"),
    );
  });
});

describe("on this machine", () => {
  it("agree with df", async () => {
    const { facts } = await createDiskCollector(createSystem())(cycle);
    const disks = facts.disk ?? [];
    expect(disks.map(({ mount }) => mount)).toContain("/");
    for (const disk of disks) {
      DiskEntity.parse(disk);
      const columns = "--output=size,used,avail,pcent,itotal,iused";
      const text =
        execFileSync("df", ["-B1", columns, disk.mount], { encoding: "utf8" }).trim().split("\n")[1] ?? "";
      const [size, used, available, percent, inodes, inodesUsed] = text
        .trim()
        .split(/\s+/)
        .map(Number.parseFloat);
      // Others write meanwhile.
      const slack = Math.max(disk.totalBytes * 0.01, 50_000_000);
      expect(disk.totalBytes).toBe(size);
      expect(Math.abs(disk.usedBytes - (used ?? 0))).toBeLessThan(slack);
      expect(Math.abs(disk.availableBytes - (available ?? 0))).toBeLessThan(slack);
      expect(Math.abs(Math.ceil(disk.usedPercent) - (percent ?? 0))).toBeLessThanOrEqual(1);
      if (disk.inodesUsedPercent !== null) {
        expect(disk.inodesUsedPercent).toBeCloseTo(((inodesUsed ?? 0) / (inodes ?? 1)) * 100, 0);
      }
    }
  });

  it("are all that df lists of disks: none is forgotten", async () => {
    const { facts } = await createDiskCollector(createSystem())(cycle);
    const { stdout } = spawnSync("df", ["-l", "--output=source,target"], { encoding: "utf8" });
    const readOnly = spawnSync("findmnt", ["-rno", "TARGET", "-O", "ro"], { encoding: "utf8" }).stdout.split(
      "\n",
    );
    const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/));
    const disks = rows.filter(
      ([source, target]) => source?.startsWith("/dev/") && !readOnly.includes(target ?? ""),
    );
    // One disk may be mounted in several places.
    for (const [source] of disks) expect(facts.disk?.map(({ device }) => device)).toContain(source);
    expect(facts.disk?.length).toBeGreaterThanOrEqual(1);
  });
});
