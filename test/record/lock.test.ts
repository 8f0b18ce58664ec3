import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { acquireLock, readHolder } from "../../src/record/lock.ts";
import { createSystem } from "../../src/system/machine.ts";
import { processStart } from "../../src/system/process-start.ts";
import { utc } from "../../src/types/quantities.ts";
import { temporaryDir } from "./samples.ts";

const system = createSystem();
const { bootId } = system.clock.now();
const source = join(import.meta.dirname, "../../src");
let built: string;
let program: string;
let stateDir: string;
let children: ChildProcess[] = [];

/**
 * Waits for the folder `go-N`, tries for the lock of `state-N`, says what came of it, and keeps the lock until `end-N`.
 * Bundled, so that twenty of them start in a second.
 */
const contender = `
  import { existsSync, writeFileSync } from "node:fs";
  import { acquireLock } from ${JSON.stringify(join(source, "record/lock.ts"))};
  import { createSystem } from ${JSON.stringify(join(source, "system/machine.ts"))};
  const [base, name, rounds] = process.argv.slice(2);
  const until = async (path) => { while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve)); };
  const system = createSystem();
  writeFileSync(base + "/ready-" + name, "");
  for (let round = 0; round < Number(rounds); round += 1) {
    await until(base + "/go-" + round);
    let said;
    let lock = null;
    try { lock = await acquireLock(system, base + "/state-" + round, "argus run"); said = "mine " + process.pid; }
    catch (error) { said = error.message; }
    writeFileSync(base + "/said-" + round + "-" + name, said);
    await until(base + "/end-" + round);
    lock?.release();
  }
`;

beforeAll(() => {
  built = temporaryDir();
  program = join(built, "contender.mjs");
  buildSync({
    stdin: { contents: contender, resolveDir: source, loader: "ts" },
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
    banner: {
      js: 'import { createRequire as make } from "node:module"; const require = make(import.meta.url);',
    },
  });
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach(() => {
  stateDir = temporaryDir();
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(stateDir, { recursive: true, force: true });
});

function start(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "inherit", "inherit"] });
  children.push(child);
  return child;
}

async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    await system.clock.sleep(5);
  }
}

const staleLock = (nonce: string) =>
  JSON.stringify({
    version: 1,
    pid: 999_999_999,
    startTime: 1,
    bootId,
    since: "2026-02-19T23:30:00Z",
    what: "argus run",
    nonce,
  });

describe("twenty processes at once", () => {
  it("get one lock, whether there is none, a stale one, a torn one, or one whose taker died as well", async () => {
    const names = Array.from({ length: 20 }, (_, index) => String(index));
    const before: ((dir: string) => void)[] = [
      () => undefined,
      (dir) => writeFileSync(join(dir, "daemon.lock"), staleLock("stale")),
      (dir) => writeFileSync(join(dir, "daemon.lock"), ""),
      (dir) => {
        writeFileSync(join(dir, "daemon.lock"), staleLock("stale"));
        writeFileSync(join(dir, "daemon.lock.stale"), staleLock("taker"));
      },
      ...Array.from(
        { length: 8 },
        () => (dir: string) => writeFileSync(join(dir, "daemon.lock"), staleLock("stale")),
      ),
    ];
    for (const name of names) start([stateDir, name, String(before.length)]);
    await until(
      () => readdirSync(stateDir).filter((file) => file.startsWith("ready-")).length === names.length,
    );

    for (const [round, prepare] of before.entries()) {
      const dir = join(stateDir, `state-${round}`);
      mkdirSync(dir);
      prepare(dir);
      mkdirSync(join(stateDir, `go-${round}`));
      const said = await until(() => {
        const files = readdirSync(stateDir).filter((file) => file.startsWith(`said-${round}-`));
        const texts = files.map((file) => readFileSync(join(stateDir, file), "utf8"));
        return texts.length === names.length && texts.every((text) => text !== "") && texts;
      });
      const winners = said.filter((text) => text.startsWith("mine "));
      expect(winners, `round ${round}`).toHaveLength(1);
      const pid = winners[0]?.slice("mine ".length);
      const losers = said.filter((text) => !text.startsWith("mine "));
      for (const loser of losers)
        expect(loser).toContain(`Argus is already running on ${dir}: pid ${pid} (argus run) since 2`);
      mkdirSync(join(stateDir, `end-${round}`));
      await until(() => readdirSync(dir).length === 0);
    }
  }, 30_000);
});

describe("the lock", () => {
  it("names its holder, and is free after its release", async () => {
    const lock = await acquireLock(system, stateDir, "argus run --once");
    const holder = readHolder(system.files, stateDir, bootId);
    expect(holder).toMatchObject({ version: 1, pid: process.pid, what: "argus run --once", bootId });
    await expect(acquireLock(system, stateDir, "argus run")).rejects.toThrow(
      `Argus is already running on ${stateDir}: pid ${process.pid} (argus run --once) since ${utc(holder?.since ?? "")}`,
    );
    lock.release();
    expect(readHolder(system.files, stateDir, bootId)).toBeNull();
    (await acquireLock(system, stateDir, "argus run")).release();
  });

  it("of a process that was killed is taken over, with all that it left behind", async () => {
    const child = start([stateDir, "victim", "1"]);
    mkdirSync(join(stateDir, "state-0"));
    mkdirSync(join(stateDir, "go-0"));
    const dir = join(stateDir, "state-0");
    await until(() => readHolder(system.files, dir, bootId) !== null);
    const gone = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    writeFileSync(join(dir, "daemon.lock.new-torn"), "{");
    writeFileSync(join(dir, "daemon.lock.inner"), staleLock("inner"));
    const lock = await acquireLock(system, dir, "argus run");
    expect(readdirSync(dir)).toEqual(["daemon.lock"]);
    lock.release();
  });

  it("of a pid that another process has now, or of another boot, is stale", async () => {
    const holder = { ...JSON.parse(staleLock("n")), pid: process.pid };
    for (const stale of [
      holder,
      { ...holder, startTime: processStart(system.files, process.pid), bootId: "another" },
    ]) {
      writeFileSync(join(stateDir, "daemon.lock"), JSON.stringify(stale));
      expect(readHolder(system.files, stateDir, bootId)).toBeNull();
      (await acquireLock(system, stateDir, "argus run")).release();
    }
  });

  it("that was removed by hand and taken by another is not removed by the first one's release", async () => {
    const first = await acquireLock(system, stateDir, "argus run");
    rmSync(join(stateDir, "daemon.lock"));
    const second = await acquireLock(system, stateDir, "argus run");
    first.release();
    expect(readHolder(system.files, stateDir, bootId)).not.toBeNull();
    second.release();
  });

  it("in a folder that is not there is an error with the mend", async () => {
    const dir = join(stateDir, "none");
    await expect(acquireLock(system, dir, "argus run")).rejects.toThrow(
      `cannot lock ${join(dir, "daemon.lock")}: the folder does not exist; make it, or restart Argus, which makes it`,
    );
  });
});
