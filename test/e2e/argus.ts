/** The built program, run as a user runs it, on a state directory of its own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach } from "vitest";
import type { RegistryRecord } from "../../src/types/problem.ts";
import type { TrailCycle } from "../../src/types/trail.ts";

const program = resolve("dist/main.js");

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Argus {
  readonly dir: string;
  readonly env: Record<string, string>;
  run(...args: string[]): Run;
  /** `run --once --json`, which must succeed. */
  once(...args: string[]): TrailCycle;
  registry(): RegistryRecord[];
  state(name: string): string;
  start(...args: string[]): ChildProcess & { output(): string };
  settings(value: unknown): void;
  rule(name: string, value: unknown): void;
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});
export const afterThis = (clean: () => void): void => void cleanups.push(clean);

export function temporaryDir(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `argus-${name}-`));
  afterThis(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Rules whose verdict depends on how this machine is doing: a test about something else switches them off. */
const hostRules = [
  "load-high",
  "memory-full",
  "memory-hog-killable",
  "memory-high",
  "swap-thrashing",
  "swap-high",
  "disk-full",
  "disk-filling",
  "inodes-full",
  "unit-failed",
  "service-restart-loop",
];

/** @param extra further variables of the environment; nothing of the real one but PATH and HOME is passed on. */
export function argus(extra: Record<string, string> = {}): Argus {
  const dir = temporaryDir("e2e");
  mkdirSync(join(dir, "rules.d"));
  writeFileSync(join(dir, "argus.json"), "{}");
  const off = hostRules.map((name) => ({ name, enabled: false }));
  writeFileSync(join(dir, "rules.d", "00-host.json"), JSON.stringify({ rules: off }));
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: dir,
    ARGUS_CONFIG: join(dir, "argus.json"),
    ARGUS_STATE_DIR: join(dir, "state"),
    ARGUS_LOG_DIR: join(dir, "logs"),
    ARGUS_LOCAL_RULES_DIR: join(dir, "rules.d"),
    ...extra,
  };
  const run = (...args: string[]): Run => {
    const result = spawnSync(process.execPath, [program, ...args], { env, encoding: "utf8", maxBuffer: 1e9 });
    return { status: result.status, stdout: result.stdout, stderr: result.stderr };
  };
  return {
    dir,
    env,
    run,
    once(...args) {
      const result = run("run", "--once", "--json", ...args);
      if (result.status !== 0) throw new Error(`exit ${result.status}: ${result.stderr}`);
      return JSON.parse(result.stdout) as TrailCycle;
    },
    registry() {
      const path = join(dir, "state", "problems.jsonl");
      if (!existsSync(path)) return [];
      const lines = readFileSync(path, "utf8").trim().split("\n");
      return lines.map((line) => JSON.parse(line) as RegistryRecord);
    },
    state: (name) => join(dir, "state", name),
    start(...args) {
      const child = spawn(process.execPath, [program, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      child.stdout.on("data", (part: Buffer) => (output += part.toString()));
      child.stderr.on("data", (part: Buffer) => (output += part.toString()));
      afterThis(() => void child.kill("SIGKILL"));
      return Object.assign(child, { output: () => output });
    },
    settings: (value) => writeFileSync(join(dir, "argus.json"), JSON.stringify(value)),
    rule: (name, value) => writeFileSync(join(dir, "rules.d", name), JSON.stringify(value)),
  };
}

/** A report as one line: without the breaks, and without the marks of what goes on from the line above. */
export const unwrapped = (text: string): string => text.replace(/\n *\| /g, " ").replace(/\s+/g, " ");

export async function until(what: string, holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((wait) => setTimeout(wait, 20));
  }
}

export const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolveExit) => child.once("exit", (code) => resolveExit(code)));

export function alive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2] !== "Z";
  } catch {
    return false;
  }
}
