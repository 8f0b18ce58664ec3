/** What Argus is measured against: the floor, systeminformation, and Monit. */
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const buffer = Buffer.allocUnsafe(8192);

/** The least that anybody who wants to see every process must do: read /proc/PID/stat of each. */
export function floor(): number {
  let bytes = 0;
  for (const name of readdirSync("/proc")) {
    if (name.charCodeAt(0) > 57) continue;
    try {
      const descriptor = openSync(`/proc/${name}/stat`, "r");
      bytes += readSync(descriptor, buffer, 0, buffer.length, null);
      closeSync(descriptor);
    } catch {
      // It ended while we looked.
    }
  }
  return bytes;
}

export async function systemInformation(): Promise<unknown> {
  const { default: si } = await import("systeminformation");
  return Promise.all([si.processes(), si.mem(), si.fsSize(), si.services("cron,ssh"), si.currentLoad()]);
}

function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) * 10;
}

export function monitVersion(): string | null {
  const result = spawnSync("monit", ["-V"], { encoding: "utf8" });
  return result.error === undefined ? (/version ([\d.]+)/.exec(result.stdout)?.[1] ?? "?") : null;
}

/** Monit watching memory, load, swap, the root file system, a process by pattern and an endpoint: CPU a cycle. */
export async function monitCpuMs(cycles: number): Promise<number | null> {
  if (monitVersion() === null) return null;
  const dir = mkdtempSync(join(tmpdir(), "argus-bench-monit-"));
  const config = join(dir, "monitrc");
  writeFileSync(
    config,
    [
      "set daemon 1",
      `set pidfile ${dir}/pid`,
      `set statefile ${dir}/state`,
      `set idfile ${dir}/id`,
      `set log ${dir}/log`,
      "check system host",
      "  if loadavg (1min) per core > 100 then alert",
      "  if memory usage > 99% then alert",
      "  if swap usage > 99% then alert",
      "check filesystem root with path /",
      "  if space usage > 99% then alert",
      "  if inode usage > 99% then alert",
      'check process sleepers matching "sleep 3600"',
      "  if not exist for 64 cycles then alert",
      'check process tests matching "node --test"',
      "  if not exist for 64 cycles then alert",
      "check host endpoint with address 127.0.0.1",
      "  if failed port 9 type tcp for 64 cycles then alert",
      "",
    ].join("\n"),
    { mode: 0o600 },
  );
  const child = spawn("monit", ["-I", "-c", config], { stdio: "ignore" });
  const { pid } = child;
  try {
    if (pid === undefined) return null;
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    await wait(3000);
    const before = cpuMsOf(pid);
    await wait(cycles * 1000);
    return (cpuMsOf(pid) - before) / cycles;
  } finally {
    child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  }
}
