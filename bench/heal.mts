/**
 * How long a crashed service is away: systemd's own Restart=always, Monit at a 5 s cycle, and Argus with its default
 * interval of 300 s, on one throwaway host. With `--idle MINUTES` also what the daemon takes while nothing happens.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { layDown, startUnits, succeed } from "../test/host/argus.ts";
import { bootHost, checkout, type Host, whyNoHost } from "../test/host/harness.ts";

const crashes = 50;
const monitCrashes = 20;
/** The limit on wake-ups is a burst of ten, then one in 5 s, and each heal has a second look: the burst is not to help. */
const spacingMs = 5_200;

const refusal = whyNoHost();
if (refusal !== null) {
  console.error(`bench:heal: ${refusal}`);
  process.exit(1);
}
const idleMinutes = Number(process.argv[process.argv.indexOf("--idle") + 1]);
const host = await bootHost({ name: "heal" });
try {
  await layDown(host);
  const rows: Row[] = [await underSystemd(host), ...(await underMonit(host)), await underArgus(host)];
  print(rows);
  if (process.argv.includes("--idle")) await idle(host, idleMinutes);
} finally {
  await host.stop();
}

interface Row {
  readonly who: string;
  readonly tookMs: number[];
}

async function crash(host: Host, who: string, args: readonly (string | number)[]): Promise<Row> {
  const argv = [process.execPath, join(checkout, "bench/crashes.mjs"), ...args.map(String)];
  const { stdout, stderr, exitCode } = await host.exec(argv, { timeoutMs: 900_000 });
  if (exitCode !== 0) throw new Error(`${who}: ${stderr}`);
  return { who, tookMs: JSON.parse(stdout) };
}

async function underSystemd(host: Host): Promise<Row> {
  await host.unit(
    "own.service",
    "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sleep infinity\nRestart=always\n",
  );
  await succeed(host, ["systemctl", "start", "own"]);
  return crash(host, "systemd Restart=always", ["own.service", crashes, 200]);
}

async function underMonit(host: Host): Promise<Row[]> {
  if (!existsSync("/usr/bin/monit")) {
    console.log("Monit is not installed here and is left out (apt-get install monit).");
    return [];
  }
  await host.unit("monitored.service", "[Service]\nExecStart=/bin/sleep 77777\n");
  await succeed(host, ["systemctl", "start", "monitored"]);
  const check =
    'check process monitored matching "^/bin/sleep 77777"\n  start program = "/usr/bin/systemctl start monitored"\n';
  host.write(
    "/etc/heal-monitrc",
    `set daemon 5\nset pidfile /run/heal-monit.pid\nset statefile /run/heal-monit.state\n${check}`,
    0o600,
  );
  await host.unit("heal-monit.service", "[Service]\nExecStart=/usr/bin/monit -I -c /etc/heal-monitrc\n");
  await succeed(host, ["systemctl", "start", "heal-monit"]);
  await sleep(6_000);
  const row = await crash(host, "Monit, 5 s cycle", ["monitored.service", monitCrashes, 1_000, 5_000]);
  await succeed(host, ["systemctl", "stop", "heal-monit", "monitored"]);
  return [row];
}

async function underArgus(host: Host): Promise<Row> {
  const units = Array.from({ length: crashes }, (_, index) => `crash${index}`);
  const services = units.map((unit) => ({ unit, restart: true }));
  host.write("/etc/argus/argus.json", JSON.stringify({ services, budgets: { restartsPerHour: 1000 } }));
  host.write("/etc/argus/argus.env", "", 0o600);
  await host.unit("crash0.service", "[Service]\nExecStart=/bin/sleep infinity\n");
  for (const unit of units.slice(1))
    host.write(`/etc/systemd/system/${unit}.service`, "[Service]\nExecStart=/bin/sleep infinity\n");
  await succeed(host, ["systemctl", "daemon-reload"]);
  await succeed(host, ["systemctl", "start", ...units]);
  await startUnits(host);
  await sleep(3_000);
  return crash(host, "Argus, 5 min interval", ["crash%.service", crashes, spacingMs]);
}

function print(rows: readonly Row[]): void {
  const [first] = rows.map(({ tookMs }) => at(tookMs, 0.5));
  console.log(
    "| from the kill to active again | crashes | median | 95 % | worst | median, in times of systemd's |",
  );
  console.log("|---|---|---|---|---|---|");
  for (const { who, tookMs } of rows) {
    const [median, most, worst] = [0.5, 0.95, 1].map((share) => at(tookMs, share));
    const ratio = ((median ?? 0) / (first ?? 1)).toFixed(1);
    console.log(`| ${who} | ${tookMs.length} | ${ms(median)} | ${ms(most)} | ${ms(worst)} | ${ratio} |`);
  }
}

function ms(value = 0): string {
  return `${Math.round(value)} ms`;
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Both units with every child they had, as the kernel counts it (proc(5), fields 14 to 17 of stat). */
async function idle(host: Host, minutes: number): Promise<void> {
  const units = ["argus", "argus-executor"];
  const ticks = async () => {
    const pids = await Promise.all(
      units.map((unit) => succeed(host, ["systemctl", "show", "--value", "-p", "MainPID", unit])),
    );
    return pids.map((pid) => {
      const fields = host.read(`/proc/${pid.trim()}/stat`).split(") ").at(-1)?.split(" ") ?? [];
      return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    });
  };
  await sleep(30_000); // what the crashes left to do
  const before = await ticks();
  await sleep(minutes * 60_000);
  const after = await ticks();
  for (const [index, unit] of units.entries()) {
    const spentMs = ((after[index] ?? 0) - (before[index] ?? 0)) * 10;
    const percent = (spentMs / (minutes * 60_000)) * 100;
    console.log(
      `${unit}, idle for ${minutes} minutes: ${spentMs} ms of CPU, ${percent.toFixed(3)} % of one core`,
    );
  }
}
