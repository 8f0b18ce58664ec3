/** Orphaned test runs, with real processes: what is ended, when, and what never is. */
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeIdleProgram } from "../idle-program.ts";
import { afterThis, alive, argus, temporaryDir, until } from "./argus.ts";

/** A process whose parent has ended: the pid of what `command` became. */
function orphan(command: string, cwd: string): number {
  const { stdout } = spawnSync("sh", ["-c", `${command} >/dev/null 2>&1 </dev/null & echo $!`], {
    cwd,
    encoding: "utf8",
  });
  const pid = Number(stdout.trim());
  afterThis(() => void (alive(pid) && process.kill(pid, "SIGKILL")));
  return pid;
}

function hangingTest(): string {
  const dir = temporaryDir("hang");
  writeFileSync(
    join(dir, "hang.test.js"),
    "require('node:test')('hangs', () => new Promise(() => setInterval(() => {}, 1e6)));\n",
  );
  return dir;
}

// Real node has pipes of its own, of which only root can tell that nobody else reads them.
test.runIf(process.getuid?.() === 0)(
  "a node --test run whose parent died is ended in the third scheduled cycle, and explain says so with the values",
  async () => {
    const dir = hangingTest();
    const pid = orphan(`${process.execPath} --test hang.test.js`, dir);
    await until("it runs", () => alive(pid));
    const watch = argus();
    for (const cycle of [1, 2]) {
      expect(watch.once().findings, `cycle ${cycle}`).toEqual([]);
      expect(alive(pid)).toBe(true);
    }
    const third = watch.once();
    expect(alive(pid)).toBe(false);
    expect(third.findings).toMatchObject([
      { rule: "orphan-node-test", type: "process", subject: "node --test", resolved: true },
    ]);
    expect(third.actions).toMatchObject([
      {
        type: "kill_pid",
        target: pid,
        source: "rule:orphan-node-test",
        result: "success",
        refusal: null,
        verified: true,
      },
    ]);

    const explained = watch.run("explain");
    expect(explained.status).toBe(0);
    for (const part of [
      "orphan-node-test",
      "processes.json:",
      `pid ${pid}`,
      "process.abandoned",
      "It is abandoned because",
      "3 cycles",
      "SIGTERM",
    ]) {
      expect(explained.stdout).toContain(part);
    }
    const [opened, acted] = watch.registry();
    expect(opened).toMatchObject({ event: "opened", action_taken: "none", action_result: "skipped" });
    expect(acted).toMatchObject({
      event: "action",
      action_taken: `kill_pid:${pid}`,
      action_result: "success",
    });
    // The cycle by hand waits for the settle time, and sees that it stays gone.
    expect(third.problems.resolved).toEqual([third.findings[0]?.key]);
    expect(watch.once().problems.open).toEqual([]);
  },
);

test("a live run with its parent alive is never touched, however many cycles see it", async () => {
  const dir = hangingTest();
  const parent = spawn("sh", ["-c", `"${process.execPath}" --test hang.test.js; :`], {
    cwd: dir,
    stdio: "ignore",
    detached: true,
  });
  afterThis(() => void (parent.pid !== undefined && process.kill(-parent.pid, "SIGKILL")));
  const children = () => spawnSync("pgrep", ["-P", String(parent.pid)], { encoding: "utf8" }).stdout.trim();
  await until("it runs", () => children() !== "");
  const pid = Number(children().split("\n")[0]);
  const watch = argus();
  for (let cycle = 0; cycle < 5; cycle += 1) expect(watch.once().actions).toEqual([]);
  expect(alive(pid)).toBe(true);
});

/** Named `node` by its very executable, and light enough to have two hundred of. */
function lightNode(): string {
  const dir = temporaryDir("light");
  writeIdleProgram(join(dir, "node"));
  return dir;
}

test("two hundred orphans: as many are ended as the budget allows, and the rest is said to be unresolved", async () => {
  const dir = lightNode();
  const { stdout } = spawnSync(
    "sh",
    [
      "-c",
      `i=0; while [ $i -lt 200 ]; do ./node --test >/dev/null 2>&1 </dev/null & echo $!; i=$((i+1)); done`,
    ],
    { cwd: dir, encoding: "utf8" },
  );
  const pids = stdout.trim().split("\n").map(Number);
  afterThis(() => {
    for (const pid of pids) if (alive(pid)) process.kill(pid, "SIGKILL");
  });
  expect(pids).toHaveLength(200);
  const watch = argus();
  watch.once();
  watch.once();
  const third = watch.once();
  expect(
    third.actions.filter(({ type, result }) => type === "kill_pid" && result === "success"),
  ).toHaveLength(20);
  expect(third.actions.filter(({ refusal }) => refusal === "budget_exhausted")).toHaveLength(180);
  expect(pids.filter(alive)).toHaveLength(180);
  expect(third.findings.filter(({ resolved }) => !resolved)).toHaveLength(180);
  // One problem and one message, whatever the number of processes.
  expect(new Set(third.findings.map(({ key }) => key)).size).toBe(1);
  expect(third.actions.filter(({ type }) => type === "alert")).toHaveLength(1);
  const fourth = watch.once();
  expect(pids.filter(alive)).toHaveLength(180);
  expect(fourth.actions.filter(({ type, result }) => type === "kill_pid" && result === "success")).toEqual(
    [],
  );
});

test("a process that ignores SIGTERM gets SIGKILL after five seconds", async () => {
  const dir = lightNode();
  const pid = orphan(`trap "" TERM; ./node --test`, dir);
  await until("it runs", () => alive(pid));
  const watch = argus();
  watch.once();
  watch.once();
  const third = watch.once();
  expect(alive(pid)).toBe(false);
  const action = third.actions.find(({ type }) => type === "kill_pid");
  expect(action).toMatchObject({ target: pid, result: "success", verified: true });
  expect(action?.detail).toContain("SIGKILL");
  expect(action?.duration_ms).toBeGreaterThan(4900);
});

test("a dry run says what it would do, and does not", async () => {
  const dir = lightNode();
  const pid = orphan(`./node --test`, dir);
  await until("it runs", () => alive(pid));
  const watch = argus();
  watch.once();
  watch.once();
  const third = watch.once("--dry-run");
  expect(third.actions).toMatchObject([
    { type: "kill_pid", target: pid, result: "skipped", refusal: "dry_run" },
  ]);
  expect(alive(pid)).toBe(true);
});
