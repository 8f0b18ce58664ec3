/** `npm run bench`: every figure of the README, measured on this machine in one run, beside the floor and the peers. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, release as kernel, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gather, processCount } from "./crowd.ts";
import { type Cost, measure, median } from "./measure.ts";
import { floor, monitCpuMs, monitVersion, systemInformation } from "./peers.ts";
import { judgeCost } from "./rules.ts";

const here = dirname(fileURLToPath(import.meta.url));
const programDir = resolve(here, "..");
const ms = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(1));
const say = (text: string) => process.stdout.write(`${text}\n`);

function table(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  rows.forEach((row, index) => {
    say(`| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`);
    if (index === 0) say(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  });
  say("");
}

/** Options of node in argus.service, so that what is measured is what runs. */
function serviceOptions(): string[] {
  const unit = readFileSync(join(programDir, "argus.service"), "utf8");
  return (/^ExecStart=\S+ (.*?) ?\S+\.js/m.exec(unit)?.[1] ?? "")
    .split(" ")
    .filter((option) => option !== "");
}

function inProcessOfItsOwn(script: string, ...args: string[]): string[][] {
  const run = spawnSync(process.execPath, [...serviceOptions(), join(here, script), programDir, ...args], {
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
}

function cycleCost(runs: number): Cost {
  const [cpuMs = Number.NaN, wallMs = Number.NaN] = (
    inProcessOfItsOwn("cycle.js", String(runs))[0] ?? []
  ).map(Number);
  return { cpuMs, wallMs };
}

async function cycles(): Promise<void> {
  const monit = monitVersion();
  say(`A whole nominal cycle (collect, detect, record), CPU in ms, median; ratio to the floor\n`);
  const rows: string[][] = [
    [
      "processes",
      "floor: stat only",
      "Argus",
      "wall",
      `Monit ${monit ?? "(not installed)"}`,
      "systeminformation",
      "Argus / floor",
      "Monit / floor",
    ],
  ];
  for (const extra of [0, 500, 5000]) {
    const crowd = extra === 0 ? null : await gather(extra);
    const count = processCount();
    const runs = extra === 5000 ? 20 : 60;
    const least = await measure(runs, floor);
    const argus = cycleCost(runs);
    const peer = await measure(extra === 5000 ? 1 : 5, systemInformation);
    const monitMs = await monitCpuMs(extra === 5000 ? 10 : 20);
    await crowd?.end();
    const ratio = (value: number) => `${(value / least.cpuMs).toFixed(1)}`;
    rows.push([
      String(count),
      ms(least.cpuMs),
      ms(argus.cpuMs),
      ms(argus.wallMs),
      monitMs === null ? "-" : ms(monitMs),
      ms(peer.cpuMs),
      ratio(argus.cpuMs),
      monitMs === null ? "-" : ratio(monitMs),
    ]);
  }
  table(rows);
}

async function judging(): Promise<void> {
  say("Judging alone (no collecting)\n");
  const rows = [["rules x processes", "CPU ms", "wall ms"]];
  for (const [rules, entities, runs] of [
    [100, 5000, 15],
    [1000, 300, 15],
    [20, 100, 50],
  ] as const) {
    const cost = await judgeCost(rules, entities, runs);
    rows.push([`${rules} x ${entities}`, ms(cost.cpuMs), ms(cost.wallMs)]);
  }
  table(rows);
}

function soak(): void {
  say("The daemon over time, started as argus.service starts it\n");
  table([["cycles", "RSS MiB", "CPU ms a cycle"], ...inProcessOfItsOwn("soak.js", "200", "2000")]);
}

function startUp(): void {
  say("Start-up: `argus run --once` with an empty state, to its end\n");
  const wall: number[] = [];
  for (let run = 0; run < 11; run += 1) {
    const dir = mkdtempSync(join(tmpdir(), "argus-bench-start-"));
    const env = {
      ...process.env,
      ARGUS_STATE_DIR: join(dir, "state"),
      ARGUS_LOG_DIR: join(dir, "logs"),
      ARGUS_CONFIG: join(programDir, "argus.json"),
    };
    const started = performance.now();
    const result = spawnSync(
      process.execPath,
      [join(programDir, "dist/main.js"), "run", "--once", "--json"],
      { env },
    );
    wall.push(performance.now() - started);
    rmSync(dir, { recursive: true, force: true });
    if (result.status !== 0) throw new Error(String(result.stderr));
  }
  const bare = [1, 2, 3, 4, 5].map(() => {
    const started = performance.now();
    spawnSync(process.execPath, ["-e", "0"]);
    return performance.now() - started;
  });
  table([
    ["what", "wall ms, median"],
    ["node -e 0", ms(median(bare))],
    ["argus run --once", ms(median(wall))],
  ]);
}

say(`${cpus()[0]?.model ?? "?"}, ${cpus().length} cores, Linux ${kernel()}, Node ${process.version}\n`);
await cycles();
await judging();
soak();
startUp();
