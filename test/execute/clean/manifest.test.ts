/** What a cleaning leaves behind: the list of what it removed. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { CleanOptions } from "../../../src/execute/clean/clean.ts";
import { readLastCleaning } from "../../../src/execute/clean/last-manifest.ts";
import { home, type Machine, makeMachine } from "./machine.ts";

const stateDir = "/srv/state";
const of = {
  stateDir,
  cycle: "c1",
  source: "rule:disk-full",
  problem: "disk:0123456789abcdef",
  target: null,
};
const cleaned = (machine: Machine, options: Partial<CleanOptions> = {}) =>
  machine.clean({ of, keep: [stateDir], ...options });
const last = (machine: Machine, folder = stateDir) => {
  const cleaning = readLastCleaning(machine.system.files, folder);
  if (cleaning === null) throw new Error("there is no manifest");
  return cleaning;
};
const files = (machine: Machine) => readdirSync(machine.at(`${stateDir}/cleanings`)).sort();

const mounted: string[] = [];
afterEach(() => {
  for (const at of mounted.splice(0)) execFileSync("umount", ["-l", at]);
});
function mountSmall(machine: Machine, path: string, size: string): void {
  mkdirSync(machine.at(path), { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", machine.at(path)]);
  mounted.push(machine.at(path));
}

describe("a cleaning lists what it removes", () => {
  test("each entry with its kind, size, owner, newest stamp and folder of the safelist", async () => {
    const machine = makeMachine();
    machine.file("/tmp/build/a.o", "x".repeat(5000));
    machine.link("/tmp/build/link", "a.o");
    machine.file(`${home}/.cache/pip/wheel`, "xyz");
    const newest = new Date(statSync(machine.at("/tmp/build/a.o")).ctimeMs).toISOString();
    const report = await cleaned(machine);
    const { head, entries, end, file } = last(machine);
    expect(report.manifest).toBe(file);
    const { stateDir: _, ...whose } = of;
    expect(head).toMatchObject({ ...whose, version: 1, maxAgeDays: 7 });
    expect(entries.map(({ path, kind }) => [path, kind]).sort()).toEqual([
      [`${home}/.cache/pip/wheel`, "file"],
      ["/tmp/build", "directory"],
      ["/tmp/build/a.o", "file"],
      ["/tmp/build/link", "link"],
    ]);
    const uid = process.getuid?.() ?? -1;
    expect(entries.find(({ path }) => path === "/tmp/build/a.o")).toEqual({
      path: "/tmp/build/a.o",
      kind: "file",
      sizeBytes: 5000,
      uid,
      user: null,
      newest,
      root: "/tmp",
    });
    expect(end).toMatchObject({ units: 2, entries: 4, notListed: 0, complete: true });
    expect(end?.bytesReclaimed).toBe(report.bytesReclaimed);
    expect(statSync(machine.at(file)).mode & 0o777).toBe(0o600);
  });

  test("names the owner, and has the very bytes of a name that is no UTF-8", async () => {
    const machine = makeMachine();
    machine.file("/etc/passwd", `me:x:${process.getuid?.()}:0::/:/bin/sh\n`);
    const odd = [Buffer.from([0x66, 0xff, 0x0a, 0x22]), Buffer.from("é\u202e", "utf8")];
    for (const name of odd) writeFileSync(Buffer.concat([Buffer.from(machine.at("/tmp/")), name]), "");
    await cleaned(machine);
    const bytes = last(machine).entries.map(({ path, pathBytes, user }) => {
      expect(user).toBe("me");
      return Buffer.from(pathBytes ?? path, pathBytes === undefined ? "utf8" : "latin1").toString("hex");
    });
    expect(bytes.sort()).toEqual(
      odd.map((name) => Buffer.concat([Buffer.from("/tmp/"), name]).toString("hex")).sort(),
    );
  });

  test("a forecast leaves none", async () => {
    const machine = makeMachine();
    machine.file("/tmp/old");
    expect((await machine.forecast({ of })).manifest).toBeUndefined();
    expect(machine.exists(stateDir)).toBe(false);
    expect(readLastCleaning(machine.system.files, stateDir)).toBeNull();
  });

  test("one that is killed in the middle has listed all that is gone", { timeout: 60_000 }, async () => {
    const machine = makeMachine();
    const all = Array.from({ length: 6000 }, (_, index) => `/tmp/unit-${index % 3}/f${index}`);
    for (const path of all) machine.file(path);
    const root = join(import.meta.dirname, "../../..");
    const script = `
      import { cleanDisk } from "${root}/src/execute/clean/clean.ts";
      import { createSystem } from "${root}/src/system/machine.ts";
      const real = createSystem({ root: ${JSON.stringify(machine.root)} });
      const system = { ...real, clock: { ...real.clock, now: () => ({ ...real.clock.now(), wallMs: Date.now() + 30 * 86_400_000 }) } };
      await cleanDisk(system, { maxAgeDays: 7, homes: [], logDir: "/var/lib/argus/logs", keep: ["${stateDir}"],
        of: ${JSON.stringify(of)}, dryRun: false, signal: new AbortController().signal });`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const ended = once(child, "exit");
    while (machine.exists(all[1500] ?? "") && child.exitCode === null)
      await new Promise((done) => setTimeout(done, 1));
    child.kill("SIGKILL");
    await ended;
    const gone = all.filter((path) => !machine.exists(path));
    expect(gone.length).toBeGreaterThan(0);
    expect(gone.length).toBeLessThan(all.length);
    const { entries, end } = last(machine);
    const listed = new Set(entries.map(({ path }) => path));
    expect(end).toBeNull();
    expect(gone.filter((path) => !listed.has(path))).toEqual([]);
    expect(listed.size - gone.length).toBeLessThanOrEqual(4); // directories, and the one that it was at
  });

  test("beyond its full size a folder has one line with its count", { timeout: 120_000 }, async () => {
    const machine = makeMachine();
    const deep = `/tmp/${"d".repeat(250)}/${"e".repeat(250)}/${"f".repeat(250)}`;
    machine.folder(deep);
    for (let file = 0; file < 17_500; file += 1)
      writeFileSync(machine.at(`${deep}/${String(file).padStart(200, "n")}`), "");
    machine.file("/var/tmp/another/a");
    machine.file("/var/tmp/another/b");
    await cleaned(machine);
    const { entries, end, file } = last(machine);
    expect(statSync(machine.at(file)).size).toBeLessThan(17.1 * 1024 * 1024);
    const number = entries.reduce((sum, each) => sum + (each.entries ?? 1), 0);
    expect(number).toBe(17_503 + 3);
    expect(end).toMatchObject({ entries: number, complete: true });
    expect(end?.notListed).toBeGreaterThan(3);
    expect(entries.at(-1)).toMatchObject({ path: "/var/tmp/another", kind: "directory", entries: 3 });
  });
});

describe("the lists are kept", () => {
  test("the last twenty that removed something; those that did not push none out", async () => {
    const machine = makeMachine();
    for (let round = 0; round < 22; round += 1) {
      machine.file(`/tmp/old-${round}`);
      await cleaned(machine);
    }
    for (let round = 0; round < 7; round += 1) await cleaned(machine);
    expect(files(machine)).toHaveLength(25);
    expect(last(machine)).toMatchObject({ laterEmpty: 7, entries: [{ path: "/tmp/old-21" }] });
  });
});

describe("where it cannot be written", () => {
  test("nothing is removed", async () => {
    const machine = makeMachine();
    machine.file("/tmp/old");
    machine.file(`${stateDir}/cleanings`, "a file");
    const report = await cleaned(machine);
    expect(machine.exists("/tmp/old")).toBe(true);
    expect(report).toMatchObject({
      units: 0,
      errors: [expect.stringMatching(/could not be written .*: nothing was removed$/)],
    });
  });

  test.runIf(process.getuid?.() === 0)(
    "a full disk is no reason: the list follows when the cleaning has made room",
    async () => {
      const machine = makeMachine();
      mountSmall(machine, "/tmp", "1m");
      machine.folder("/tmp/state");
      for (let file = 0; file < 100; file += 1)
        machine.file(`/tmp/old-${String(file).padStart(3, "0")}`, "x".repeat(4096));
      fill(machine.at("/tmp/filler"));
      const report = await cleaned(machine, { of: { ...of, stateDir: "/tmp/state" }, keep: ["/tmp/state"] });
      expect(report.errors).toEqual([]);
      const { entries, end } = last(machine, "/tmp/state");
      expect(entries).toHaveLength(101);
      expect(end).toMatchObject({ entries: 101, complete: true });
    },
  );

  test.runIf(process.getuid?.() === 0)("where there is no room even then, that is said", async () => {
    const machine = makeMachine();
    mountSmall(machine, stateDir, "64k");
    fill(machine.at(`${stateDir}/filler`));
    machine.file("/tmp/old", "x".repeat(10_000));
    const report = await cleaned(machine);
    expect(machine.exists("/tmp/old")).toBe(false);
    expect(report.errors).toEqual([
      expect.stringMatching(/^there was no room for the list of what was removed/),
    ]);
    expect(report.removed).toMatchObject([{ path: "/tmp/old" }]);
  });
});

/** Until nothing more fits. */
function fill(path: string): void {
  for (;;) {
    try {
      writeFileSync(path, Buffer.alloc(4096), { flag: "a" });
    } catch {
      return;
    }
  }
}

test("what is listed is JSON, a line each", async () => {
  const machine = makeMachine();
  machine.file('/tmp/a"b\\c\n');
  await cleaned(machine);
  const lines = readFileSync(machine.at(last(machine).file), "utf8")
    .trimEnd()
    .split("\n");
  expect(lines.map((line) => JSON.parse(line).kind)).toEqual(["head", "file", "end"]);
});
