import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { realFileSystems } from "../../src/system/file-systems.ts";
import { createFiles } from "../../src/system/files.ts";
import { deviceNumber, isWithin, mayHang, mountOf, parseMountInfo } from "../../src/system/mounts.ts";

describe("parseMountInfo", () => {
  it("reads a line whatever number of tags stands before the dash", () => {
    const text = [
      "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard",
      "41 27 0:38 / /mnt/a rw shared:12 master:3 propagate_from:2 - nfs4 host:/export ro,vers=4.2",
      "",
    ].join("\n");
    expect(parseMountInfo(text)).toEqual([
      {
        id: 27,
        mount: "/",
        root: "/",
        deviceNumber: deviceNumber(254, 0),
        device: "/dev/vda",
        type: "ext4",
        readOnly: false,
        options: ["rw", "discard"],
      },
      expect.objectContaining({
        id: 41,
        mount: "/mnt/a",
        device: "host:/export",
        type: "nfs4",
        readOnly: true,
      }),
    ]);
  });

  it("decodes what the kernel escapes", () => {
    const text = "9 1 8:1 /a\\040b /mnt/two\\040words\\011\\134n\\012 rw - ext4 /dev/my\\040disk rw\n";
    expect(parseMountInfo(text)).toMatchObject([
      { mount: "/mnt/two words\t\\n\n", root: "/a b", device: "/dev/my disk" },
    ]);
  });

  it("passes over what is no mount", () => {
    expect(parseMountInfo("nonsense\n1 2 3\n1 2 8:1 / /x rw shared:1 ext4 /dev/x rw\n")).toEqual([]);
  });

  it("counts devices as stat does", () => {
    const [own] = parseMountInfo(createFiles("/").read("/proc/self/mountinfo")).filter(
      (each) => each.mount === "/proc",
    );
    expect(own?.deviceNumber).toBe(Number(execFileSync("stat", ["-c", "%d", "/proc"], { encoding: "utf8" })));
  });
});

describe("mountOf", () => {
  const mounts = parseMountInfo(
    "1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /home rw - ext4 b rw\n3 1 8:3 / /home rw - ext4 c rw\n",
  );

  it("finds the deepest mount, of two on one place the later", () => {
    expect(mountOf(mounts, "/home/x/y")?.device).toBe("c");
    expect(mountOf(mounts, "/homework")?.device).toBe("a");
    expect(mountOf([], "/x")).toBeNull();
    expect(isWithin("/a/b", "/a")).toBe(true);
    expect(isWithin("/ab", "/a")).toBe(false);
  });
});

/** A mount of each kind, as they are found on servers, laptops and in containers. */
function of(lines: string): string[] {
  return realFileSystems(parseMountInfo(lines)).map(({ mount }) => mount);
}

describe("realFileSystems", () => {
  it("lists disks, pools, shares and the places of memory that can fill up", () => {
    expect(
      of(`
22 27 0:21 / /proc rw - proc proc rw
23 27 0:22 / /sys rw - sysfs sysfs rw
24 27 0:6 / /dev rw - devtmpfs devtmpfs rw,size=12334492k
25 24 0:23 / /dev/shm rw - tmpfs tmpfs rw
26 24 0:24 / /dev/pts rw - devpts devpts rw
27 1 254:0 / / rw - ext4 /dev/vda1 rw
28 27 254:1 / /boot rw - ext4 /dev/vda2 rw
29 28 254:2 / /boot/efi rw - vfat /dev/vda3 rw
30 27 0:30 / /run rw - tmpfs tmpfs rw,size=2468412k
31 30 0:31 / /run/lock rw - tmpfs tmpfs rw,size=5120k
32 30 0:32 / /run/user/1000 rw - tmpfs tmpfs rw,size=2468408k
33 30 0:33 / /run/credentials/x.service ro - ramfs ramfs rw
34 27 0:34 / /tmp rw - tmpfs tmpfs rw
35 27 0:35 / /srv/pool rw - zfs tank/srv rw
36 27 0:36 / /mnt/nas rw - nfs4 nas:/export rw
37 27 0:37 / /mnt/sshfs rw - fuse.sshfs me@host: rw
38 27 0:38 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw
39 23 0:39 / /sys/fs/cgroup rw - tmpfs tmpfs rw,size=4096k
40 27 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro
41 27 11:0 / /media/cd rw - iso9660 /dev/sr0 rw
42 27 0:42 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
43 27 254:9 / /mnt/readonly ro - ext4 /dev/vdb rw
44 27 254:8 / /mnt/broken rw - ext4 /dev/vdc ro,errors=remount-ro
45 27 0:45 / /mnt/odd rw - tmpfs tmpfs rw,mode=755
`),
    ).toEqual([
      "/",
      "/boot",
      "/boot/efi",
      "/dev/shm",
      "/mnt/nas",
      "/mnt/sshfs",
      "/run",
      "/run/lock",
      "/srv/pool",
      "/tmp",
    ]);
  });

  it("lists one file system once, at its shortest mount point", () => {
    expect(
      of(`
1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 8:1 /srv /srv/data rw - ext4 /dev/sda1 rw
3 1 0:50 /@home /home/long rw - btrfs /dev/sdb rw
4 1 0:50 /@var /var rw - btrfs /dev/sdb rw
5 1 8:2 / /mnt rw - ext4 /dev/sdc rw
6 1 8:3 / /mnt rw - ext4 /dev/sdd rw
`),
    ).toEqual(["/", "/mnt", "/var"]);
  });

  it("counts the overlay of a container, and not the files that its engine put there", () => {
    expect(
      of(`
1 0 0:60 / / rw - overlay overlay rw,lowerdir=/a
2 1 0:61 / /dev rw - tmpfs tmpfs rw,size=65536k
3 1 8:1 /hosts /etc/hosts rw - ext4 /dev/sda1 rw
4 1 8:1 /resolv /etc/resolv.conf rw - ext4 /dev/sda1 rw
5 1 0:62 / /proc/acpi rw - tmpfs tmpfs rw,size=0k
`),
    ).toEqual(["/"]);
  });

  it("knows behind which ones another machine or program stands", () => {
    expect(["nfs", "nfs4", "cifs", "fuse.sshfs", "9p", "ceph"].filter((type) => !mayHang(type))).toEqual([]);
    expect(["ext4", "xfs", "zfs", "tmpfs", "btrfs", "overlay", "vfat"].filter(mayHang)).toEqual([]);
  });
});
