/**
 * The ground a host stands on: a mount and a pid namespace that hold its root file system. Nothing is mounted where
 * the rest of the machine can see it, and all of it, processes and mounts, is gone as soon as the process that made
 * it is: its first process reads a pipe that only the maker holds, and the kernel ends what lives in a pid namespace
 * whose first process has ended. So a run that was killed with SIGKILL leaves nothing but an empty cgroup, which the
 * next start removes.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Journal } from "./kinds.ts";

/** The host's root, as its ground sees it. */
export const rootInGround = "/run/root";
const cgroupPrefix = "argus-host-";

// Unified cgroups, as Debian boots with since 11, whatever this machine has: mounted over what is there, in here only.
// Of this machine's own root, the lists of enabled units, boot scripts and mounts make no sense in the host.
const layGround = `set -e
mount -t tmpfs -o mode=0755 argus-host /run
mkdir /run/upper /run/work /run/root
mount -t overlay -o lowerdir="$1",upperdir=/run/upper,workdir=/run/work argus-host /run/root
mount -t cgroup2 cgroup2 /sys/fs/cgroup
cd /run/root
test -x lib/systemd/systemd
if [ "$1" = / ]; then
  rm -rf etc/systemd etc/init.d etc/rc?.d etc/fstab etc/crypttab etc/cron* etc/argus var/lib/argus var/log/argus
fi
rm -rf var/log/journal
mkdir -p etc/systemd/system etc/systemd/journald.conf.d
if [ "$2" = persistent ]; then mkdir -p var/log/journal; fi
printf '[Journal]\\nStorage=%s\\n' "$2" >etc/systemd/journald.conf.d/kind.conf
for unit in getty.target console-getty.service systemd-networkd-wait-online.service; do
  ln -s /dev/null etc/systemd/system/$unit
done
cd /
echo ready
exec cat >/dev/null`;
const unshareArguments = (lower: string, journal: Journal) => [
  "--mount",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
  "--propagation",
  "private",
  "sh",
  "-c",
  layGround,
  ...["host", lower, journal],
];

const programs: readonly [program: string, debianPackage: string][] = [
  ["systemd-nspawn", "systemd-container"],
  ["dbus-daemon", "dbus"],
  ["systemctl", "systemd"],
  ["journalctl", "systemd"],
  ["unshare", "util-linux"],
  ["nsenter", "util-linux"],
  ["setpriv", "util-linux"],
  ["mount", "mount"],
];

/** One sentence when this machine cannot boot a host, null when it can. Tries the mounts and leaves none. */
export function whyNoHost(): string | null {
  if (process.geteuid?.() !== 0) return "Only root can boot a host.";
  const missing = whyMissing(programs);
  if (missing !== null) return missing;
  const trial = spawnSync("unshare", unshareArguments("/", "persistent"), {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  if (trial.status === 0 && trial.stdout === "ready\n") return null;
  return `This machine refuses the namespaces or mounts of a host: ${trial.stderr.trim().split("\n").at(-1) ?? "no reason given"}.`;
}

/** One sentence when one of these programs is not there, null when all are. */
export function whyMissing(wanted: readonly [program: string, debianPackage: string][]): string | null {
  const missing = wanted.find(([program]) => !isOnPath(program));
  return missing === undefined
    ? null
    : `The program ${missing[0]} is missing: apt-get install ${missing[1]}.`;
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface Ground {
  /** Process whose mount and pid namespace are the ground. */
  readonly pid: number;
  /** The host's cgroup: as this process reaches it, and as the ground does. It is made by `claimCgroup`. */
  readonly cgroup: string;
  readonly cgroupInGround: string;
  /** Ends every process and mount of it. */
  release(): Promise<void>;
}

/** @param lower the folder whose files the host begins with; "/" for those of this machine. */
export async function createGround(name: string, lower: string, journal: Journal): Promise<Ground> {
  const keeper = spawn("unshare", unshareArguments(lower, journal), {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let complaint = "";
  keeper.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  const ended = once(keeper, "exit");
  const ready = await Promise.race([once(keeper.stdout, "data").then(() => true), ended.then(() => false)]);
  const pid = keeper.pid === undefined ? undefined : childrenOf(keeper.pid)[0];
  if (!ready || pid === undefined)
    throw new Error(`The host's namespaces could not be made: ${complaint.trim()}`);
  const cgroups = `/proc/${pid}/root/sys/fs/cgroup`;
  removeAbandonedCgroups(cgroups);
  // The maker's pid tells the next start which cgroups nobody uses any more.
  const own = `${cgroupPrefix}${name}-${process.pid}`;
  return {
    pid,
    cgroup: join(cgroups, own),
    cgroupInGround: join("/sys/fs/cgroup", own),
    release: async () => {
      keeper.stdin.end();
      await ended;
    },
  };
}

/** The kernel unmounts it and frees its loop device with the ground, however that ends. */
export function mountInGround({ pid }: Ground, image: string, at: string): void {
  const enter = ["--target", String(pid), "--mount", "--"];
  const { status, stderr } = spawnSync(
    "nsenter",
    [...enter, "mount", "-o", "loop", image, `${rootInGround}${at}`],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${image} could not be mounted: ${stderr.trim()}`);
}

function removeAbandonedCgroups(cgroups: string): void {
  for (const name of readdirSync(cgroups)) {
    if (!name.startsWith(cgroupPrefix)) continue;
    const maker = Number(name.slice(name.lastIndexOf("-") + 1));
    if (!existsSync(`/proc/${maker}`)) removeCgroup(join(cgroups, name));
  }
}

/** A cgroup and all below it; they hold no processes, or this throws EBUSY. */
export function removeCgroup(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  }
  rmdirSync(path);
}

/** Child processes, oldest first; empty when the process is gone. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(/\s+/)
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}
