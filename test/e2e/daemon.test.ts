/** The daemon as systemd sees it: signals, exit statuses, one at a time, and what it leaves behind. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { writeIdleProgram } from "../idle-program.ts";
import { afterThis, alive, argus, ended, temporaryDir, until } from "./argus.ts";

const cycleState = (dir: string) =>
  JSON.parse(readFileSync(`${dir}/logs/cycle_state.json`, "utf8")) as Record<string, unknown>;

test("cycles go on by themselves, and SIGTERM ends the daemon within five seconds with exit status 0", async () => {
  const watch = argus({ ARGUS_INTERVAL: "1" });
  const daemon = watch.start("run");
  await until("three cycles", () => (daemon.output().match(/"msg":"cycle"/g) ?? []).length >= 3);
  const started = performance.now();
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
  expect(performance.now() - started).toBeLessThan(5000);
  expect(cycleState(watch.dir)).toMatchObject({ state: "idle", failuresInARow: 0 });
  const log = readFileSync(`${watch.dir}/logs/argus.log`, "utf8").trim().split("\n");
  for (const line of log) expect(JSON.parse(line)).toHaveProperty("level");
});

test("SIGTERM in the middle of an action ends the daemon within five seconds, and the log says how far it came", async () => {
  const dir = temporaryDir("stubborn");
  writeIdleProgram(`${dir}/node`);
  // What its starter ignores, it ignores too.
  const script = `trap "" TERM; ./node --test >/dev/null 2>&1 </dev/null & echo $!`;
  const pid = Number(spawnSync("sh", ["-c", script], { cwd: dir, encoding: "utf8" }).stdout);
  afterThis(() => void (alive(pid) && process.kill(pid, "SIGKILL")));
  const watch = argus({ ARGUS_INTERVAL: "1" });
  const daemon = watch.start("run");
  // The intent stands on the disk before the first signal is sent.
  const executor = watch.state("executor.json");
  await until(
    "the kill has begun",
    () => existsSync(executor) && readFileSync(executor, "utf8").includes("kill_pid"),
  );
  const started = performance.now();
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
  expect(performance.now() - started).toBeLessThan(5000);
  expect(alive(pid)).toBe(true);
  expect(daemon.output()).toContain("cut off, because Argus was told to stop");
});

test("a second one on the same state says who holds it, exit status 1; afterwards the next may run", async () => {
  const watch = argus({ ARGUS_INTERVAL: "60" });
  const daemon = watch.start("run");
  await until("the first cycle", () => daemon.output().includes('"msg":"cycle"'));
  for (const args of [["run"], ["run", "--once"]]) {
    const second = watch.run(...args);
    const hint = args.includes("--once")
      ? `; to have it look now: kill -USR1 ${daemon.pid}, then argus explain`
      : "";
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(
      new RegExp(
        `^argus: Argus is already running on ${watch.dir}/state: pid ${daemon.pid} \\(argus run\\) since 20[\\d :-]+ UTC${hint}\\n$`,
      ),
    );
  }
  expect(watch.run("status").stdout).toContain(String(daemon.pid));
  daemon.kill("SIGKILL");
  await ended(daemon);
  expect(watch.once().cycle.trigger).toBe("once");
});

test("a cycle cut off by kill -9 is said at the next start", async () => {
  const watch = argus();
  watch.once();
  const path = `${watch.dir}/logs/cycle_state.json`;
  // What a kill in the middle of a cycle leaves: running, and the holder is gone.
  writeFileSync(path, JSON.stringify({ ...cycleState(watch.dir), state: "running", finishedAt: null }));
  const next = watch.once();
  expect(next.findings).toMatchObject([{ rule: "argus-interrupted", remediation: "none", resolved: false }]);
  expect(next.actions).toMatchObject([{ type: "log", result: "success" }]);
});

test("SIGHUP and the schedule both take a new rule; a broken one keeps the last good set and is said", async () => {
  const watch = argus({ ARGUS_INTERVAL: "1" });
  const rule = (severity: string) => ({
    rules: [
      {
        name: "always",
        description: "Holds on every machine",
        conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
        event: {
          type: "check",
          params: {
            condition: "always",
            severity,
            subject: "host",
            summary: "there are cores",
            resolves: true,
          },
        },
      },
    ],
  });
  const daemon = watch.start("run");
  await until("the first cycle", () => daemon.output().includes('"msg":"cycle"'));
  watch.rule("mine.json", rule("info"));
  await until("the new rule fires", () => daemon.output().includes("there are cores"));
  watch.rule("mine.json", rule("urgent"));
  daemon.kill("SIGHUP");
  await until("the broken rule is said", () => daemon.output().includes("argus-rules-broken"));
  const text = daemon.output();
  expect(text).toContain(`${watch.dir}/rules.d/mine.json:`);
  expect(text).toContain('\\"urgent\\" is not known; known: critical, warning, info');
  const opened = watch.registry().filter(({ source }) => source === "rule:argus-rules-broken");
  expect(opened[0]).toMatchObject({ type: "argus", event: "opened", severity: "warning" });
  // The last good set is still in force.
  const before = text.split("there are cores").length;
  await until("the old rule fires on", () => daemon.output().split("there are cores").length > before);
  watch.rule("mine.json", rule("info"));
  await until("mended", () =>
    watch.registry().some(({ event, key }) => event === "resolved" && key === opened[0]?.key),
  );
});

test("settings that become wrong while it runs do not stop it, nor at its next start; repaired, they are taken up", async () => {
  const watch = argus({ ARGUS_INTERVAL: "1" });
  const daemon = watch.start("run");
  await until("the first cycle", () => daemon.output().includes('"msg":"cycle"'));
  watch.settings({ servcies: [] });
  daemon.kill("SIGHUP");
  await until("it is said", () => daemon.output().includes('did you mean \\"services\\"?'));
  const cycles = daemon.output().split('"msg":"cycle"').length;
  await until("it goes on", () => daemon.output().split('"msg":"cycle"').length > cycles);
  const problems = () => watch.registry().filter(({ source }) => source === "rule:argus-settings-broken");
  await until("a problem of Argus's own", () => problems().length > 0);
  const [opened] = problems();
  expect(opened).toMatchObject({ type: "argus", event: "opened", severity: "warning" });
  const { status, stdout } = watch.run("status");
  expect([status, stdout.replace(/\n *\| /g, " ").replace(/\n {2}/g, " ")]).toEqual([
    0,
    expect.stringContaining(
      `The settings cannot be used: ${watch.dir}/argus.json:1: servcies: unknown key; did you mean "services"?; the settings of `,
    ),
  ]);
  daemon.kill("SIGTERM");
  await ended(daemon);
  const next = watch.start("run");
  await until("the next one goes on", () => next.output().includes('"msg":"cycle"'));
  expect(next.output()).toMatch(/servcies: unknown key.*; the settings of \S+ \S+ UTC stay in force/);
  watch.settings({ services: [] });
  await until("repaired, without a word to the daemon", () =>
    watch.registry().some(({ event, key }) => event === "resolved" && key === opened?.key),
  );
});

test("cycles that fail are counted, told at every third in a row, and over when the cause is", async () => {
  const watch = argus({ ARGUS_INTERVAL: "1" });
  const daemon = watch.start("run");
  await until("the first cycle", () => daemon.output().includes('"msg":"cycle"'));
  // Nothing can be recorded in a directory, not even by root.
  const trail = watch.state("trail.jsonl");
  renameSync(trail, `${trail}.aside`);
  mkdirSync(trail);
  await until("three failures", () => Number(cycleState(watch.dir).failuresInARow) >= 3, 15_000);
  await until(
    "the alert",
    () => daemon.output().includes("cycles in a row failed") || watch.registry().length > 0,
  );
  rmSync(trail, { recursive: true });
  await until("a good cycle", () => cycleState(watch.dir).failuresInARow === 0, 15_000);
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
});
