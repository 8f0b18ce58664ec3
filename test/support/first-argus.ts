/** Registries as the first Argus wrote them: one trouble in the many words of a model, with the actions of that time. */
import { createHash } from "node:crypto";

export interface FirstLine {
  ts: string;
  severity: string;
  type: string;
  description: string;
  action_taken: string;
  action_result: string;
  bead_id: string | null;
  host: string;
}

/** Small, seeded and well known (mulberry32): the same registry in each run. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const words: Readonly<Record<string, readonly string[]>> = {
  memory: [
    "Memory usage at {p}% on {h}",
    "High memory pressure: {p}% used",
    "RAM at {p}% ({n}GB of 32GB), above the warning threshold",
    "Memory usage is elevated at {p}%, top consumer is node (pid {n}12) with {n}.4GB",
    "Memory critically high ({p}%). node --max-old-space-size=4096 in /home/dev/app uses most of it",
    "System memory pressure detected: available memory down to {n}%",
    "memory: {p}% used, claude (PID {n}044) holds {n}00 MB; openclaw-gateway.service is the second largest",
    "Sustained memory usage of {p}% over the last {n} cycles - consider investigating",
    "Memory usage {p}% exceeds the 80% threshold; swap at {n}%",
    "Available RAM low: only {n}.2 GiB free of 31.3 GiB",
    "OOM risk: memory at {p}% with swap {p}% used",
  ],
  disk: [
    "Disk usage at {p}% on /",
    "Root filesystem is {p}% full",
    "disk usage at {p}% on /home",
    "/ is at {p}% capacity ({n}G free)",
    "Disk space running low: {p}% used on / - cleaned npm and pip caches",
    "Filesystem /dev/sda1 mounted on / at {p}%; largest: /home/dev/.cache/pip ({n}G), /var/log/journal ({n}G)",
    "Disk at {p}%. Old files in /tmp/build-{n} and /tmp/pytest-of-dev were candidates",
    "High disk utilisation on the root partition: {p}%",
    "Disk usage critical: {p}%",
    "/var is {p}% full, mostly /var/lib/docker/overlay2/{n}af3",
    "Inode usage on / at {p}%",
    "/home: {p}% used",
    "Disk {p}% used (78G / 92G)",
    "/ is {p}% full; freed {n}GB of /tmp files",
  ],
  service: [
    "Service openclaw-gateway is down",
    "openclaw-gateway.service failed (exit-code) and was restarted",
    "OpenClaw gateway is not responding on port 18500",
    "The gateway process is not listening on 127.0.0.1:18500 (connection refused)",
    "Gateway health check failed: HTTP 000 after {n}s",
    "mcp-agent-mail is inactive; attempted a restart",
    "Agent mail service unavailable - restart attempt {n}",
    "MCP Agent Mail is down (port 8765 closed)",
    "athena-web returned HTTP 502",
    "Athena web dashboard unreachable at http://127.0.0.1:9000/",
    "Service health is degraded: {n} of 3 checks failed",
    "Critical service down, restart failed after {n} attempts",
    "Service status check failed for athena-web: inactive (dead)",
    "Service `nginx` is not running",
    "Unit postgresql has failed {n} times",
    "Service monitoring was interrupted for {n} minutes",
    "The service is not running",
    "A service has failed its check",
    "Service unexpectedly stopped after {n} minutes",
    "nginx service is down",
    "Restarting the out-of-memory service is recommended",
  ],
  process: [
    "Orphaned node --test processes found: {n}",
    "{n} orphan node test processes (PPID 1) consuming {n}00 MB",
    "Killed {n} orphaned test runners left over from /home/dev/project-{n}",
    "Stale test processes detected: pids {n}01, {n}02",
    "{n} zombie processes present (parent pid {n}33)",
    "Process claude (pid {n}77) using {p}% CPU for {n} minutes",
    "Load average {n}.7 exceeds the number of cores",
    "High process count: {n}42",
    "Orphaned chrome processes: {n}",
    "node process {n}88 uses {n}.1GB RSS",
  ],
  swap: [
    "Swap usage at {p}%",
    "Swap thrashing: {n}0 MB/s in, {n}1 MB/s out",
    "Heavy swap activity detected ({p}% used, {n} MB/s)",
    "swap {p}% full while memory is at {p}%",
  ],
};

const actions: Readonly<Record<string, readonly string[]>> = {
  memory: ["alert:telegram", "log:observation", "none"],
  disk: ["clean_disk:safelist", "alert:telegram", "log:observation"],
  service: ["restart_service:{u}", "alert:telegram", "none"],
  process: ["kill_orphan_tests:{n}", "alert:telegram", "log:observation"],
  swap: ["alert:telegram", "none"],
};

export function firstRegistry(seed: number, count: number, host = "landmass"): FirstLine[] {
  const next = random(seed);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(next() * all.length)] as T;
  let atMs = Date.parse("2026-02-10T03:00:00Z");
  return Array.from({ length: count }, (_, index): FirstLine => {
    atMs += Math.floor(300_000 + next() * 7 * 3_600_000);
    const type = pick(Object.keys(words));
    const fill = (text: string) =>
      text
        .replaceAll("{p}", () => String(80 + Math.floor(next() * 20)))
        .replaceAll("{n}", () => String(1 + Math.floor(next() * 9)))
        .replaceAll("{u}", () => pick(["openclaw-gateway", "mcp-agent-mail", "openclaw-gateway.service"]))
        .replaceAll("{h}", host);
    return {
      ts: new Date(atMs).toISOString().replace(/\.\d{3}Z$/, "Z"),
      severity: pick(["critical", "warning", "info"]),
      type,
      // A model adds what it thinks about it: no two lines are alike.
      description: `${fill(pick(words[type] ?? []))}${next() < 0.4 ? fill(" (cycle {n}{n}{n}, trend rising)") : ""}`,
      action_taken: fill(pick(actions[type] ?? [])),
      action_result: pick(["success", "success", "failure", "skipped"]),
      bead_id: index % 17 === 0 ? `athena-${index}` : null,
      host,
    };
  });
}

export const asLines = (lines: readonly unknown[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join("");

/** As that Argus made them. */
export const firstDedupKey = ({ type, description }: Pick<FirstLine, "type" | "description">): string =>
  `${type}:${createHash("sha256").update(description).digest("hex").slice(0, 16)}`;
