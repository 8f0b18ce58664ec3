import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import { readStat } from "../../src/system/proc.ts";
import { createRun } from "../../src/system/run.ts";
import { createPrograms, type Programs } from "../collect/programs.ts";

let programs: Programs;
beforeEach(() => {
  programs = createPrograms();
});
afterEach(() => programs.dispose());

const run = () => createRun(programs.path);
const isGone = (pid: number) => {
  const stat = readStat(createFiles("/"), pid);
  return stat === null || stat.state === "Z";
};
/** A pid that a script wrote. */
const pidIn = (name: string) => Number(readFileSync(join(programs.folder, name), "utf8"));

describe("a program", () => {
  it("is run with its arguments as they are, without a shell, in plain English", async () => {
    programs.write("show", 'printf "%s|" "$@"; echo "$LC_ALL"');
    const result = await run()("show", ["a b", "$(id)", "*", "--", ""]);
    expect(result).toEqual({
      exitCode: 0,
      stdout: "a b|$(id)|*|--||C.UTF-8",
      stderr: "",
      timedOut: false,
      missing: false,
    });
  });

  it("tells its exit status and its complaint, and that it is not there", async () => {
    programs.write("fail", "echo no >&2; exit 3");
    expect(await run()("fail", [])).toMatchObject({ exitCode: 3, stderr: "no", missing: false });
    expect(await createRun(programs.alone)("nothing", [])).toMatchObject({ exitCode: null, missing: true });
  });

  it("tells that it is not there also where the path is closed to this user", async () => {
    // "Permission denied", as for a folder of somebody else's on the path.
    writeFileSync(join(programs.alone, "closed"), "", { mode: 0o600 });
    expect(await createRun(programs.alone)("closed", [])).toMatchObject({ exitCode: null, missing: true });
    const named = join(programs.alone, "closed");
    expect(await createRun()(named, [])).toMatchObject({ exitCode: null, missing: false });
  });

  it("reads what it is given", async () => {
    expect(await run()("cat", [], { input: "text" })).toMatchObject({ stdout: "text" });
  });
});

describe("a program whose time is up", () => {
  it("ends with all that it started, though that has inherited its output", async () => {
    programs.write("hang", `sleep 300 & echo $! > ${programs.folder}/child; sleep 300`);
    const result = await run()("hang", [], { timeoutMs: 500 });
    expect(result).toMatchObject({ timedOut: true, exitCode: null });
    await vi.waitUntil(() => isGone(pidIn("child")));
  });

  it("ends though it does not heed SIGTERM", async () => {
    programs.write("stubborn", `trap '' TERM; echo $$ > ${programs.folder}/own; while :; do sleep 1; done`);
    expect(await run()("stubborn", [], { timeoutMs: 500 })).toMatchObject({ timedOut: true, exitCode: null });
    await vi.waitUntil(() => isGone(pidIn("own")));
  });

  it("takes along what does not heed SIGTERM, though it heeds it itself", async () => {
    programs.write(
      "mixed",
      `(trap '' TERM; exec sleep 300) > /dev/null 2>&1 & echo $! > ${programs.folder}/child; sleep 300`,
    );
    expect(await run()("mixed", [], { timeoutMs: 500 })).toMatchObject({ timedOut: true });
    await vi.waitUntil(() => isGone(pidIn("child")));
  });

  it("is let go with what it said, when another group holds its output", async () => {
    programs.write("escape", `setsid sleep 20 & echo $! > ${programs.folder}/child; echo said; sleep 300`);
    const result = await run()("escape", [], { timeoutMs: 500 });
    expect(result).toMatchObject({ timedOut: true, stdout: "said" });
    process.kill(pidIn("child"), "SIGKILL");
  });

  it("may be stopped before that", async () => {
    programs.write("hang", `touch ${programs.folder}/up; sleep 300`);
    const stop = new AbortController();
    const result = run()("hang", [], { signal: stop.signal });
    await vi.waitUntil(() => existsSync(join(programs.folder, "up")), { timeout: 10_000 });
    stop.abort();
    expect(await result).toMatchObject({ timedOut: false, exitCode: null });
  });
});

it("a program that ended is not waited for when it left something behind", async () => {
  programs.write("leave", `sleep 30 & echo $! > ${programs.folder}/child; echo done`);
  expect(await run()("leave", [], { timeoutMs: 20_000 })).toMatchObject({
    exitCode: 0,
    stdout: "done",
    timedOut: false,
  });
  expect(isGone(pidIn("child"))).toBe(false);
  process.kill(pidIn("child"), "SIGKILL");
});

describe("when Argus itself ends", () => {
  const script = (more: string) => `
    import { createRun } from ${JSON.stringify(join(import.meta.dirname, "../../src/system/run.ts"))};
    ${more}
    void createRun(${JSON.stringify(programs.path)})("hang", []);
  `;
  async function start(more: string) {
    rmSync(join(programs.folder, "child"), { force: true });
    programs.write(
      "hang",
      `sleep 300 & echo $! > ${programs.folder}/child.new; mv ${programs.folder}/child.new ${programs.folder}/child; wait`,
    );
    const file = join(programs.folder, "argus.mts");
    writeFileSync(file, script(more));
    const root = join(import.meta.dirname, "../..");
    const argus = spawn(process.execPath, ["--import", "tsx", file], { cwd: root, stdio: "ignore" });
    const ended = once(argus, "exit") as Promise<[number | null, string | null]>;
    await vi.waitUntil(() => existsSync(join(programs.folder, "child")), { timeout: 20_000 });
    return { argus, ended };
  }

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("by %s, so do the programs", async (signal) => {
    const { argus, ended } = await start("");
    argus.kill(signal);
    expect(await ended).toEqual([null, signal]);
    await vi.waitUntil(() => isGone(pidIn("child")), { timeout: 10_000 });
  });

  it("in its own good time, a signal does not touch the programs before that", async () => {
    const { argus, ended } = await start(
      'process.on("SIGTERM", () => setTimeout(() => process.exit(7), 500));',
    );
    argus.kill("SIGTERM");
    await new Promise((go) => setTimeout(go, 100));
    expect(isGone(pidIn("child"))).toBe(false);
    expect(await ended).toEqual([7, null]);
    await vi.waitUntil(() => isGone(pidIn("child")), { timeout: 10_000 });
  });
});

describe("where a program runs", () => {
  it("is /, also where Argus was started in a folder that this user may not enter", async () => {
    expect(await run()("pwd", [])).toMatchObject({ stdout: "/" });
    expect(await run()("pwd", [], { directory: programs.folder })).toMatchObject({ stdout: programs.folder });
  });
});
