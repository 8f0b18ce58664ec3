/** Which file systems can fill up and somebody cares for: what df lists, without images, layers and windows on the kernel. */
import type { Mount } from "./mounts.ts";
import type { Files } from "./system.ts";

/** Windows on the kernel or on another program: nothing to fill. */
const pseudoTypes = new Set([
  "autofs",
  "binfmt_misc",
  "bpf",
  "cgroup",
  "cgroup2",
  "configfs",
  "debugfs",
  "devpts",
  "devtmpfs",
  "efivarfs",
  "fuse.gvfsd-fuse",
  "fuse.lxcfs",
  "fuse.portal",
  "fusectl",
  "hugetlbfs",
  "mqueue",
  "nfsd",
  "nsfs",
  "pipefs",
  "proc",
  "pstore",
  "ramfs",
  "resctrl",
  "rpc_pipefs",
  "securityfs",
  "selinuxfs",
  "smackfs",
  "sysfs",
  "tracefs",
]);
/** Images: full by nature. */
const imageTypes = new Set([
  "cramfs",
  "erofs",
  "fuse.snapfuse",
  "fuse.squashfuse",
  "iso9660",
  "romfs",
  "squashfs",
  "udf",
]);
/** One disk under several layers; the disk itself is in the list. */
const layerTypes = new Set(["aufs", "fuse.fuse-overlayfs", "overlay", "shiftfs"]);

const privateTrees = [
  "/proc/",
  "/sys/",
  "/dev/pts",
  "/run/user/",
  "/run/credentials/",
  "/run/netns/",
  "/run/host/",
];
/** A container engine puts single files there, out of the host's disk. */
const containerFiles = new Set(["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"]);

/**
 * `/proc/PID/mountinfo` as process 1 has it. A service in a sandbox sees the same file systems through mounts of its
 * own, many of them read-only and some in two places, and none of that is true of the machine. Where /proc hides other
 * users' processes, its own view has to do.
 */
export function readMountInfo(files: Files): string {
  return files.tryRead("/proc/1/mountinfo") ?? files.read("/proc/self/mountinfo");
}

/** What can fill up and somebody cares for, one row a file system: its shortest mount point. */
export function realFileSystems(mounts: readonly Mount[]): Mount[] {
  // A later mount on the same place hides the earlier one.
  const visible = new Map(mounts.map((mount) => [mount.mount, mount]));
  const byDevice = new Map<number, Mount>();
  for (const mount of visible.values()) {
    if (!isReal(mount)) continue;
    const known = byDevice.get(mount.deviceNumber);
    if (known === undefined || mount.mount.length < known.mount.length)
      byDevice.set(mount.deviceNumber, mount);
  }
  return [...byDevice.values()].sort((a, b) => (a.mount < b.mount ? -1 : 1));
}

function isReal({ mount, type, readOnly, options }: Mount): boolean {
  if (readOnly || pseudoTypes.has(type) || imageTypes.has(type)) return false;
  if (layerTypes.has(type)) return mount === "/";
  if (mount === "/dev" || containerFiles.has(mount)) return false;
  if (privateTrees.some((tree) => mount.startsWith(tree))) return false;
  if (type !== "tmpfs") return true;
  return (
    ["/", "/tmp", "/dev/shm", "/run"].includes(mount) || options.some((option) => option.startsWith("size="))
  );
}
