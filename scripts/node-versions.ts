/**
 * A quick pass on each version of Node that Argus is for: its own check, a look at this machine, the daemon over some cycles, and a
 * message delivered. The versions come as packages of npm; the one that runs this is the first.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const majors = ["22", "24"];
const main = "dist/main.js";
/** As the units have them. */
const options = ["--max-semi-space-size=1", "--heap-growing-percent=10", "--no-opt"];

const folder = mkdtempSync(join(tmpdir(), "argus-nodes-"));
const received: string[] = [];
const receiver = createServer((request, response) => {
  let text = "";
  request.on("data", (chunk) => {
    text += chunk;
  });
  request.on("end", () => {
    received.push(text);
    response.end("{}");
  });
});
receiver.listen(0, "127.0.0.1");
await once(receiver, "listening");
const { port } = receiver.address() as AddressInfo;

try {
  for (const node of [process.execPath, ...majors.map(install)]) {
    const version = run(node, "--version");
    await pass(node, version);
    console.log(`ok  ${version}`);
  }
} finally {
  receiver.close();
  rmSync(folder, { recursive: true, force: true });
}

/** @returns the program. */
function install(major: string): string {
  const prefix = join(folder, `node-${major}`);
  const name = `node-${process.platform}-${process.arch}`;
  run(
    "npm",
    "install",
    "--silent",
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--prefix",
    prefix,
    `${name}@${major}`,
  );
  return join(prefix, "node_modules", name, "bin", "node");
}

async function pass(node: string, version: string): Promise<void> {
  const place = join(folder, version);
  run("mkdir", place);
  const settings = {
    channels: [
      {
        name: "test",
        type: "webhook",
        secretVariable: "ARGUS_SECRET_WEBHOOK",
        url: `http://127.0.0.1:${port}/`,
      },
    ],
    endpoints: [{ name: "nobody", url: "http://127.0.0.1:1", timeoutMilliseconds: 200 }],
  };
  writeFileSync(join(place, "argus.json"), JSON.stringify(settings));
  const env = {
    PATH: process.env["PATH"],
    HOME: place,
    ARGUS_CONFIG: join(place, "argus.json"),
    ARGUS_LOCAL_RULES_DIR: join(place, "rules.d"),
    ARGUS_STATE_DIR: join(place, "state"),
    ARGUS_LOG_DIR: join(place, "logs"),
    ARGUS_INTERVAL: "1",
    ARGUS_SECRET_WEBHOOK: "0123456789abcdef0123456789abcdef",
  };
  const argus = (...args: string[]) => {
    const result = spawnSync(node, [...options, main, ...args], { env, encoding: "utf8", timeout: 60_000 });
    if (result.status !== 0)
      throw new Error(
        `${version}: argus ${args.join(" ")}: ${result.status} ${result.stdout} ${result.stderr}`,
      );
    if (result.stderr.includes("Warning")) throw new Error(`${version} warns: ${result.stderr}`);
    return result.stdout;
  };
  argus("check");
  const { cycle, collectors } = JSON.parse(argus("run", "--once", "--dry-run", "--json"));
  const blind = collectors.filter(({ status }: { status: string }) => status !== "ok" && status !== "absent");
  if (cycle.dry_run !== true || blind.length > 0)
    throw new Error(`${version}: a dry run said ${JSON.stringify(cycle)}, without ${JSON.stringify(blind)}`);

  const before = received.length;
  const daemon = spawn(node, [...options, main, "run"], { env, stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  daemon.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  const exited = once(daemon, "exit");
  const end = Date.now() + 30_000;
  while (!received.slice(before).some((text) => text.includes("nobody"))) {
    if (Date.now() > end || daemon.exitCode !== null)
      throw new Error(`${version}: no alert came in 30 s. ${complaint}`);
    await sleep(50);
  }
  daemon.kill("SIGTERM");
  const [code] = await exited;
  const trail = join(place, "state", "trail.jsonl");
  if (code !== 0 || !existsSync(trail) || readFileSync(trail, "utf8").split("\n").length < 3)
    throw new Error(`${version}: the daemon ended with ${code}. ${complaint}`);
  argus("explain");
}

function run(program: string, ...args: string[]): string {
  const result = spawnSync(program, args, { encoding: "utf8" });
  if (result.error !== undefined || result.status !== 0)
    throw new Error(`${program} ${args.join(" ")}: ${result.error?.message ?? result.stderr}`);
  return result.stdout.trim();
}
