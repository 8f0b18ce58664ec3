/** Starts each way of a table with real processes, and finds what it started again. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createFiles } from "../../src/system/files.ts";
import { executableName, listPids } from "../../src/system/proc.ts";
import { processStart } from "../../src/system/process-start.ts";
import { writeIdleProgram } from "../idle-program.ts";
import { nodeAgent, npmCli, pythonAgent, sink, type Way } from "./way.ts";

const files = createFiles("/");

export interface Run {
  readonly way: Way;
  readonly pid: number;
  readonly startTime: number;
}

export const isAlive = ({ pid, startTime }: Run): boolean => processStart(files, pid) === startTime;

export const missing = ({ needs = [], root }: Way): boolean =>
  needs.some((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) ||
  (root === true && process.getuid?.() !== 0);

export interface Stage {
  /** Resolves when it runs, and what was to be killed is gone. */
  start(way: Way): Promise<Run>;
  /** Kills all that was started, by pid. */
  clear(): void;
}

export function createStage(): Stage {
  const root = mkdtempSync(join(tmpdir(), "argus-ways-"));
  const node = join(root, "bin", "node");
  mkdirSync(join(root, "bin"));
  writeIdleProgram(node);
  const shells: ChildProcess[] = [];
  let count = 0;

  async function start(way: Way): Promise<Run> {
    count += 1;
    const folder = join(root, String(count));
    mkdirSync(folder);
    const marker = `way-${process.pid}-${count}.test.mjs`;
    const hangs =
      'import test from "node:test"; test("hangs", () => new Promise(() => setInterval(() => {}, 1e6)));\n';
    const made = { "agent.mjs": nodeAgent, "agent.py": pythonAgent, "npm-cli.mjs": npmCli, "sink.mjs": sink };
    for (const [name, text] of Object.entries(made)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, marker), hangs);
    writeFileSync(join(folder, "cli.mjs"), `#!${process.execPath}\nsetInterval(() => {}, 1e6);\n`);
    const { HOME = "/", PATH = "" } = process.env;
    const variables = {
      N: node,
      REAL: process.execPath,
      T: marker,
      TSX: resolve("node_modules/tsx/dist/cli.mjs"),
    };
    const shell = spawn("bash", ["-c", way.script], {
      cwd: folder,
      detached: true,
      stdio: "ignore",
      env: { HOME, PATH, TERM: "xterm", ...variables, ...way.env },
    });
    shells.push(shell);
    if (way.stays !== true) await new Promise((done) => shell.once("exit", done));
    const pid = await found(marker, way);
    if (way.kill !== undefined) await kill(join(folder, way.kill));
    const startTime = processStart(files, pid);
    if (startTime === null) throw new Error(`${way.name}: it has ended`);
    return { way, pid, startTime };
  }

  return {
    start,
    clear() {
      for (const shell of shells) shell.kill("SIGKILL");
      // All that works in our folders, by number: it was started here.
      for (const pid of listPids(files)) {
        if (files.tryReadLink(`/proc/${pid}/cwd`)?.startsWith(`${root}/`) !== true) continue;
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has ended meanwhile.
        }
      }
      rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The process whose own arguments name the file, and whose executable is what was asked for. */
async function found(marker: string, { name, script }: Way): Promise<number> {
  for (let tries = 0; tries < 300; tries += 1) {
    const pids = listPids(files).filter((pid) => isRun(pid, marker));
    // The runner, not the tests that it starts.
    const [first] = pids.sort((one, other) => one - other);
    if (first !== undefined) return first;
    await sleep(50);
  }
  throw new Error(`${name}: nothing was started by ${script}`);
}

const wanted = new Set(["node", "worker"]);

function isRun(pid: number, marker: string): boolean {
  const path = files.tryReadLink(`/proc/${pid}/exe`);
  if (path === null || !wanted.has(executableName(path))) return false;
  const args = (files.tryRead(`/proc/${pid}/cmdline`) ?? "").split("\0");
  // The stand-ins for agents, npm and tsx are node too, and name what they start.
  if (
    args.some(
      (each) => ["agent.mjs", "npm-cli.mjs", "cli.mjs", "npm"].includes(basename(each)) && each !== "./cli",
    )
  )
    return false;
  return args.includes(marker);
}

async function kill(path: string): Promise<void> {
  while (!existsSync(path)) await sleep(20);
  await sleep(100);
  const pids = readFileSync(path, "utf8").trim().split(/\s+/).map(Number);
  for (const pid of pids) if (processStart(files, pid) !== null) process.kill(pid, "SIGKILL");
  while (pids.some((pid) => processStart(files, pid) !== null)) await sleep(20);
}
