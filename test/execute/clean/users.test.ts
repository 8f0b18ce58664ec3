/** Whose entries may go. Argus runs as root or as an ordinary user; both cases are asserted as whoever runs this. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
} from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { describe, expect, test } from "vitest";
import type { CleanReport } from "../../../src/types/clean.ts";
import { type Machine, makeMachine } from "./machine.ts";
import { makeProc } from "./proc-fixture.ts";

const asRoot = process.getuid?.() === 0;
const nobody = 65_534;

describe("root", () => {
  test("removes what belongs to others, as long as it sees into every process", async () => {
    for (const hidden of [false, true]) {
      const machine = makeMachine({ proc: null });
      makeProc(machine.at("/proc"), { hidden });
      const file = machine.file("/tmp/theirs/file");
      machine.file("/tmp/ours");
      if (asRoot) for (const path of [file, machine.at("/tmp/theirs")]) chownSync(path, nobody, nobody);
      const report = await machine.clean();
      expect(machine.exists("/tmp/ours")).toBe(false);
      expect(report.unseenProcesses).toBe(hidden ? 1 : 0);
      // An ordinary user cannot give the file away: it is its own, and goes either way.
      expect(machine.exists("/tmp/theirs/file")).toBe(asRoot && hidden);
      expect(report.kept.other_owner).toBe(asRoot && hidden ? 1 : 0);
    }
  });
});

describe("an ordinary user", () => {
  test("removes its own, leaves and counts what belongs to others, and knows beforehand what it may not", async () => {
    const machine = makeMachine();
    chmodSync(machine.root, 0o755);
    for (const path of ["/tmp", "/var/tmp"]) chmodSync(machine.at(path), 0o1777);
    const uid = asRoot ? nobody : (process.getuid?.() ?? 0);
    machine.file("/tmp/mine/deep/file");
    machine.file("/tmp/single");
    machine.file("/tmp/sealed/inner/file");
    machine.file("/tmp/mixed/foreign");
    machine.file("/tmp/foreign");
    mkdirSync(machine.at("/tmp/secret"));
    for (const path of everything(machine.at("/tmp"))) if (asRoot) chownSync(path, uid, uid);
    chmodSync(machine.at("/tmp/sealed/inner"), 0o555);
    chmodSync(machine.at("/tmp/secret"), 0o000);
    if (asRoot) for (const path of ["/tmp/mixed/foreign", "/tmp/foreign"]) chownSync(machine.at(path), 0, 0);

    const forecast = cleanAs(uid, machine, true);
    const report = cleanAs(uid, machine, false);

    expect(["/tmp/mine", "/tmp/single"].filter(machine.exists)).toEqual([]);
    expect(machine.exists("/tmp/sealed/inner/file")).toBe(true);
    expect(machine.exists("/tmp/mixed/foreign")).toBe(asRoot);
    expect(machine.exists("/tmp/foreign")).toBe(asRoot);
    expect(report.kept).toMatchObject({
      other_owner: asRoot ? 2 : 0,
      not_writable: 1,
      failed: 0,
      unreadable: 1,
    });
    if (asRoot) expect(report.unseenProcesses).toBeGreaterThan(0); // process 1, at the least
    expect(report.entries).toBe(forecast.entries);
    expect(report.removed).toEqual(forecast.removed);
    for (const path of ["/tmp/sealed/inner", "/tmp/secret"]) chmodSync(machine.at(path), 0o755);
  });
});

function everything(path: string): string[] {
  const below = lstatSync(path).isDirectory()
    ? readdirSync(path).flatMap((name) => everything(join(path, name)))
    : [];
  return [...below, path];
}

/** Runs the cleaning in a process of that user. */
function cleanAs(uid: number, machine: Machine, dryRun: boolean): CleanReport {
  const script = machine.at("/clean.cjs");
  buildSync({
    stdin: {
      contents: `
        import { cleanDisk } from "./src/execute/clean/clean.ts";
        import { createSystem } from "./src/system/machine.ts";
        const system = createSystem({ root: ${JSON.stringify(machine.root)} });
        const now = () => ({ ...system.clock.now(), wallMs: Date.now() + 30 * 86_400_000 });
        cleanDisk({ ...system, clock: { ...system.clock, now } }, {
          maxAgeDays: 7, homes: [], logDir: "/var/log", keep: [], dryRun: ${dryRun}, signal: new AbortController().signal,
        }).then((report) => console.log(JSON.stringify(report)));`,
      resolveDir: join(import.meta.dirname, "../../.."),
      loader: "ts",
    },
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile: script,
    logLevel: "error",
  });
  chmodSync(script, 0o644);
  const text = execFileSync(asRoot ? nodeForAll(machine) : process.execPath, [script], {
    cwd: "/",
    encoding: "utf8",
    ...(asRoot ? { uid, gid: uid } : {}),
  });
  return JSON.parse(text) as CleanReport;
}

/** Another user may not reach a node that lies in root's home. */
function nodeForAll(machine: Machine): string {
  const path = machine.at("/node");
  if (existsSync(path)) return path;
  try {
    linkSync(process.execPath, path);
  } catch {
    copyFileSync(process.execPath, path); // on another file system
  }
  return path;
}
