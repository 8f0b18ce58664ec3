/**
 * A tree that stands for the machine, with the clock thirty days ahead: all that a test makes is thirty days old
 * then, change and birth time included, and what is to be young gets a stamp of "now".
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import { type CleanOptions, cleanDisk } from "../../../src/execute/clean/clean.ts";
import { createSystem } from "../../../src/system/machine.ts";
import type { System } from "../../../src/system/system.ts";
import type { CleanReport } from "../../../src/types/clean.ts";

export const dayMs = 86_400_000;
export const bootId = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
export const home = "/home/someone";

const roots: string[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

export interface Machine {
  readonly root: string;
  readonly system: System;
  /** Where a path lies on the real machine. */
  at(path: string): string;
  /** Makes a file and the folders above it. */
  file(path: string, content?: string): string;
  folder(path: string): string;
  link(path: string, target: string): string;
  /** Gives an entry an access or modification time a moment before the machine's "now". */
  makeYoung(path: string, stamp?: "atime" | "mtime" | "both"): void;
  exists(path: string): boolean;
  clean(options?: Partial<CleanOptions>): Promise<CleanReport>;
  forecast(options?: Partial<CleanOptions>): Promise<CleanReport>;
}

/** @param proc where /proc of the tree leads; null for none. */
export function makeMachine({ proc = "/proc" }: { proc?: string | null } = {}): Machine {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "argus-clean-")));
  roots.push(root);
  const at = (path: string) => join(root, path);
  for (const path of ["/tmp", "/var/tmp", "/var/log", home]) mkdirSync(at(path), { recursive: true });
  if (proc !== null) symlinkSync(proc, at("/proc"));
  const real = createSystem({ root });
  const system: System = {
    ...real,
    clock: { ...real.clock, now: () => ({ ...real.clock.now(), bootId, wallMs: Date.now() + 30 * dayMs }) },
  };
  const clean = (options: Partial<CleanOptions> = {}) =>
    cleanDisk(system, {
      maxAgeDays: 7,
      homes: [home],
      logDir: "/var/lib/argus/logs",
      keep: [],
      dryRun: false,
      signal: new AbortController().signal,
      ...options,
    });
  return {
    root,
    system,
    at,
    file(path, content = "x") {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), content);
      return at(path);
    },
    folder(path) {
      mkdirSync(at(path), { recursive: true });
      return at(path);
    },
    link(path, target) {
      mkdirSync(dirname(at(path)), { recursive: true });
      symlinkSync(target, at(path));
      return at(path);
    },
    makeYoung(path, stamp = "both") {
      const { atime, mtime } = lstatSync(at(path));
      const young = new Date(Date.now() + 30 * dayMs - 60_000);
      lutimesSync(at(path), stamp === "mtime" ? atime : young, stamp === "atime" ? mtime : young);
    },
    exists: (path) => lstatSync(at(path), { throwIfNoEntry: false }) !== undefined,
    clean,
    forecast: (options = {}) => clean({ ...options, dryRun: true }),
  };
}

/** Everything below a folder that stays when it is only looked at: names, kinds, contents, modification times. */
export function portrait(path: string): string[] {
  const visit = (at: string): string[] => {
    const s = lstatSync(at, { bigint: true });
    const content = s.isFile() ? readFileSync(at, "latin1") : s.isSymbolicLink() ? readlinkSync(at) : "";
    const digest = createHash("sha1").update(content).digest("hex").slice(0, 8);
    const line = `${JSON.stringify(at.slice(path.length))} ${s.ino} ${s.mode.toString(8)} ${s.mtimeNs / 1000n} ${digest}`;
    if (!s.isDirectory()) return [line];
    return [
      line,
      ...readdirSync(at)
        .sort()
        .flatMap((name) => visit(join(at, name))),
    ];
  };
  return visit(path);
}

/** Starts a program that ends with the test, and waits until it has written a line. */
export async function running(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<ChildProcess> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
  });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code} before it was ready`)));
  });
  return child;
}

/** A node process that runs a few lines, says that it is ready and stays. */
export function node(script: string, ...args: string[]): Promise<ChildProcess> {
  return running(process.execPath, [
    "-e",
    `${script};console.log("ready");setInterval(()=>{},1000)`,
    ...args,
  ]);
}

export function paths(report: CleanReport): string[] {
  return report.removed.map((each) => each.path).sort();
}
