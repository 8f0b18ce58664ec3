/** What a real tree cannot show on every machine: file systems whose st_dev is not that of their super block. */
import { expect, test } from "vitest";
import { createGuard, type GuardFacts } from "../../../src/execute/clean/guard.ts";
import { parseMountInfo } from "../../../src/system/mounts.ts";
import type { OpenFiles } from "../../../src/system/open-files.ts";
import type { Directory, Entry } from "../../../src/system/safe-tree.ts";
import { isWellKnownName, safelist } from "../../../src/system/safelist.ts";

const superBlock = 0xfe00n;

function entry(over: Partial<Entry> = {}): Entry {
  return {
    kind: "file",
    device: superBlock,
    inode: 100n,
    uid: 0,
    mode: 0o644,
    links: 1,
    allocatedBytes: 4096,
    accessedNs: 0n,
    modifiedNs: 0n,
    changedNs: 0n,
    bornNs: 0n,
    ...over,
  };
}

function guard(
  inUse: Partial<OpenFiles>,
  { device = superBlock, ...facts }: { device?: bigint } & Partial<GuardFacts> = {},
) {
  const mounts = parseMountInfo("27 1 254:0 / / rw - btrfs /dev/vda rw\n");
  const root: Directory = {
    descriptor: -1,
    path: "/tmp",
    entry: entry({ kind: "directory", device, inode: 2n }),
    mountId: 27,
    writable: true,
  };
  const [folder] = safelist([], "/var/log");
  if (folder === undefined) throw new Error("an empty safelist");
  const made = createGuard({
    folder,
    root,
    homeOwner: null,
    inUse: {
      open: new Set(),
      mapped: new Set(),
      inodes: new Set(),
      locked: new Set(),
      socketNames: new Set(),
      mounts,
      allMounts: mounts,
      seenProcesses: 1,
      unseenProcesses: 0,
      ...inUse,
    },
    bootId: "unknown",
    ownUid: 0,
    ownIdentities: new Set(),
    ownPaths: [],
    isExcluded: null,
    ...facts,
  });
  return (each: Partial<Entry> = {}) => made.obstacle(root, "name", entry({ device, ...each }), 1);
}

test("nothing stands in the way of an ordinary entry", () => {
  expect(guard({})()).toBeNull();
});

test("another device below the folder is another file system, although nothing is mounted there (a subvolume)", () => {
  expect(guard({})({ device: 0x2dn })).toBe("mount_point");
});

test("an inode in use whose device could not be told keeps that inode", () => {
  const obstacle = guard({ inodes: new Set([100n]) });
  expect([obstacle(), obstacle({ inode: 101n })]).toEqual(["in_use", null]);
});

test("mappings and locks are known by the device of the super block", () => {
  const mapped = guard({ mapped: new Set(["65024:100"]) });
  expect([mapped(), mapped({ inode: 101n })]).toEqual(["in_use", null]);
  const locked = guard({ locked: new Set(["65024:100"]) });
  expect([locked(), locked({ inode: 101n })]).toEqual(["locked", null]);
  expect(guard({ mapped: new Set(["64768:100"]), locked: new Set(["64768:100"]) })()).toBeNull();
});

test("where lstat names another device than that (btrfs, overlay), the inode alone decides", () => {
  const device = 0x2en;
  const mapped = guard({ mapped: new Set(["65024:100"]) }, { device });
  expect([mapped(), mapped({ inode: 101n })]).toEqual(["in_use", null]);
  expect(guard({ locked: new Set(["65024:100"]) }, { device })()).toBe("locked");
});

test("a boot id that could not be read lets every private folder of systemd stay", () => {
  const name = "systemd-private-00000000000000000000000000000000-a.service-x";
  expect(isWellKnownName(name, "unknown")).toBe(true);
  expect(isWellKnownName(name, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")).toBe(false);
});
