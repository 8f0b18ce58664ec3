/** One boot of a host: systemd-nspawn on prepared ground, until systemd says that it is up. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { killGroup, run, sessionCgroup } from "./enter.ts";
import type { Kind } from "./kinds.ts";
import { childrenOf, type Ground, removeCgroup, rootInGround } from "./namespaces.ts";

export const checkout = resolve(fileURLToPath(new URL("../..", import.meta.url)));

export interface Boot {
  readonly child: ChildProcess;
  /** The host's process 1, by its number here. */
  readonly leader: number;
  /** What had failed when systemd was done with booting, one a line. */
  readonly failedUnits: string;
  /** Returns when no process of this boot is left. */
  kill(): Promise<void>;
}

/** @param networkOf process whose network it shares; null: a loopback of its own. */
export async function start(
  ground: Ground,
  name: string,
  uptimeSeconds: number,
  networkOf: number | null,
  kind: Kind,
): Promise<Boot> {
  // A cgroup that handed controllers to its children takes no processes again, so each boot has a fresh one.
  removeCgroup(ground.cgroup);
  mkdirSync(ground.cgroup);
  const boottime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  const monotonic = Number(process.hrtime.bigint() / 1_000_000_000n);
  const clocks = [
    `--boottime=${uptimeSeconds - Math.floor(boottime)}`,
    `--monotonic=${uptimeSeconds - monotonic}`,
  ];
  const nspawn = [
    ...["--register=no", "--keep-unit", `--machine=${name}`, `--directory=${rootInGround}`],
    ...(networkOf === null ? ["--private-network"] : []),
    ...["--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=pipe"],
    ...bindings(kind),
    ...(kind.bootId === "own"
      ? ["--boot"]
      : ["--kill-signal=SIGRTMIN+3", "--", "sh", "-c", withKernelsBootId]),
  ];
  const child = spawn(
    "nsenter",
    [
      ...["--target", String(ground.pid), "--mount", "--pid"],
      ...(networkOf === null ? [] : [`--net=/proc/${networkOf}/ns/net`]),
      "--",
      ...["sh", "-c", 'echo 0 > "$0/cgroup.procs" && exec "$@"', ground.cgroupInGround],
      ...["unshare", "--time", "--fork", "--kill-child", ...clocks, "--", "systemd-nspawn", ...nspawn],
    ],
    { stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-8192);
    });
  }
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      // The group, too: what was only just started is not in the cgroup yet.
      if (child.pid !== undefined) killGroup(child.pid);
      writeFileSync(`${ground.cgroup}/cgroup.kill`, "1");
      await ended;
    }
    await waitFor(() => !isPopulated(ground), 5_000, `the processes of ${name} to end`);
  };
  try {
    let leader = 0;
    await waitFor(
      () => {
        if (child.exitCode !== null) throw new Error(`systemd-nspawn ended with status ${child.exitCode}`);
        leader = findLeader(child.pid ?? 0) ?? 0;
        return leader !== 0;
      },
      10_000,
      `process 1 of ${name}`,
    );
    mkdirSync(sessionCgroup(ground), { recursive: true });
    let state = "";
    const systemctl = (...args: string[]) => run(ground, leader, ["systemctl", ...args], {});
    await waitFor(
      async () => {
        state = (await systemctl("is-system-running")).stdout;
        return state === "running" || state === "degraded";
      },
      20_000,
      `${name} to finish booting`,
    );
    const failed = await systemctl("list-units", "--state=failed", "--plain", "--no-legend");
    return { child, leader, kill, failedUnits: failed.stdout };
  } catch (error) {
    await kill();
    throw new Error(`${name} did not boot: ${error instanceof Error ? error.message : error}\n${output}`, {
      cause: error,
    });
  }
}

/** systemd-nspawn mounts an id of the boot over the kernel's; systemd reads it when it starts. */
const withKernelsBootId = "umount /proc/sys/kernel/random/boot_id && exec /lib/systemd/systemd";

/** What the overlay does not show: it has one file system, and the host's own /tmp and /run lie over it. */
function bindings({ release }: Kind): string[] {
  if (release !== null) return [checkout, process.execPath].map((path) => `--bind-ro=${path}`);
  const program = dirname(dirname(process.execPath));
  const hidden = statSync(program).dev !== statSync("/").dev || /^\/(tmp|run)\//.test(program);
  return [checkout, ...(hidden ? [program] : [])].map((path) => `--bind-ro=${path}`);
}

/** The first process of a pid namespace below the given one's: nsenter > unshare > systemd-nspawn > process 1. */
function findLeader(pid: number): number | null {
  for (const child of childrenOf(pid)) {
    const found = isFirstProcess(child) ? child : findLeader(child);
    if (found !== null) return found;
  }
  return null;
}

function isFirstProcess(pid: number): boolean {
  try {
    return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function isPopulated(ground: Ground): boolean {
  return /^populated 1$/m.test(readFileSync(`${ground.cgroup}/cgroup.events`, "utf8"));
}

export async function waitFor(
  predicate: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await predicate())) {
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}.`);
    await sleep(50);
  }
}
