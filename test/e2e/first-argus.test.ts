/** Whoever comes from the first Argus: its files and settings, and every command, as a user meets them. */
import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { TrailCycle } from "../../src/types/trail.ts";
import { asLines, firstDedupKey, firstRegistry } from "../support/first-argus.ts";
import { type Argus, afterThis, argus } from "./argus.ts";

const fixture = (name: string) => resolve("test/fixtures/first-argus", name);

function comingFromFirst(lines: readonly object[]): Argus {
  const watch = argus();
  mkdirSync(join(watch.dir, "state"), { mode: 0o700 });
  writeFileSync(join(watch.dir, "state", "problems.jsonl"), asLines(lines), { mode: 0o600 });
  return watch;
}
const data = (watch: Argus, ...args: string[]) => {
  const { status, stdout, stderr } = watch.run(...args);
  expect([status, stderr], args.join(" ")).toEqual([0, ""]);
  return JSON.parse(stdout);
};

describe.each([
  [118, 11],
  [178, 12],
])("a registry of %i lines", (count, seed) => {
  const lines = firstRegistry(seed, count);

  test("goes through every command, and none of it is lost, alerted or announced to be over", () => {
    const watch = comingFromFirst(lines);
    const all = data(watch, "problems", "--all", "--json");
    expect(all).toHaveLength(count);
    for (const [index, line] of [...lines].reverse().entries()) expect(all[index]).toMatchObject(line);
    const keys = [...new Set<string>(all.map(({ key }: { key: string }) => key))];
    expect(keys.length).toBeLessThanOrEqual(20);
    const listed = watch.run("problems", "--all");
    expect(listed.stdout).toContain(`${count} lines`);
    expect(listed.stdout).not.toContain("passed over");
    expect(watch.run("problems").stdout).toContain("argus problems --all lists what was recorded before");

    const stats = data(watch, "stats", "--since", "3650d", "--json");
    const done = (type: string) => lines.filter(({ action_taken }) => action_taken.startsWith(type)).length;
    const asked = (action: string) =>
      stats.actions.find((row: { action: string }) => row.action === action)?.asked ?? 0;
    expect(stats.problems.opened).toBeGreaterThan(keys.length);
    expect(["alert", "restart_service", "clean_disk", "kill_pid", "log"].map(asked)).toEqual(
      ["alert", "restart_service", "clean_disk", "kill_orphan_tests", "log"].map(done),
    );
    expect(watch.run("stats", "--since", "3650d").stdout).toContain("first-argus");

    // Each start of the program costs: every key once, and the whole of three.
    let told = 0;
    for (const key of count === 118 ? keys : []) {
      const { past, problem } = data(watch, "explain", key, "--json");
      expect(problem).toMatchObject({ life: "resolved", resolvedBecause: "not_recorded" });
      told += past.length;
    }
    if (count === 118) expect(told).toBe(count);
    for (const key of keys.slice(0, 3)) {
      const text = watch.run("explain", key).stdout;
      expect(text).toContain("how it ended was not recorded");
      expect(text).toContain("the first Argus: ");
      expect(watch.run("ack", key)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("is not open"),
      });
    }

    const { problems, actions, notes } = watch.once();
    expect({ ...problems, notes }).toMatchObject({ resolved: [], notes: [] });
    expect(actions.filter(({ problem }) => keys.includes(problem))).toEqual([]);
    expect(readdirSync(join(watch.dir, "state"))).not.toContain("outbox");
    expect(data(watch, "problems", "--all", "--json").length).toBeGreaterThanOrEqual(count);
    expect(data(watch, "status", "--json").problems).toEqual([]);
    expect(watch.run("explain").status).toBe(0);
    expect(watch.run("summary").stdout).toContain("0 problems opened, 0 resolved, 0 open now");
  });
});

test("lines of today in the summary and the statistics are counted, and broken ones are said", () => {
  const now = new Date().toISOString().replace(/\.\d{3}Z$/, "Z");
  const lines = firstRegistry(13, 3).map((line) => ({
    ...{ ...line, ts: now, type: "service", description: "Service openclaw-gateway is down" },
    ...{ action_taken: "restart_service:openclaw-gateway", action_result: "failure" },
  }));
  const watch = comingFromFirst(lines);
  appendFileSync(join(watch.dir, "state", "problems.jsonl"), '{"ts":"2026-02-24T09:1');
  const { stdout } = watch.run("summary");
  expect(stdout).toContain("1 problem opened, 0 resolved, 0 open now");
  expect(stdout).toContain("restart_service: 0 succeeded, 3 failed");
  expect(watch.run("problems").stdout).toContain("1 problem, 0 open");
  expect(watch.run("status").stdout).toContain("1 line of");
});

test("what Argus could not read of the old settings is said of the old file", () => {
  const watch = argus();
  const first = join(watch.dir, "first");
  mkdirSync(first);
  const take = (text: string) => {
    writeFileSync(join(first, "argus.env"), text);
    const to = ["settings", "state", "executor", "logs", "home"].flatMap((name) => [
      `--${name}`,
      `/nowhere/${name}`,
    ]);
    return watch.run("take-over", first, ...to);
  };
  expect(take("# mine\nARGUS_INTERVAL=soon\nARGUS_DRY_RUN=perhaps\n")).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(
      /first\/argus\.env:2: ARGUS_INTERVAL is "soon", .* \(and 1 more like it\); change it there, and run this again/,
    ),
  });
  expect(take("ARGUS_UNKNOWN_OLD=5\nTELEGRAM_BOT_TOKEN=1:a\n")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("note Telegram is not set up: "),
  });
});

test("backoff and dedup are taken over once, said once, and kept", () => {
  const lines = firstRegistry(14, 20);
  const watch = comingFromFirst(lines);
  const state = (name: string) => join(watch.dir, "state", name);
  const epoch = Math.floor(Date.now() / 1000);
  const services = {
    "openclaw-gateway": { attempts: 3, last_attempt: epoch - 5, cooldown_until: epoch + 3000 },
  };
  writeFileSync(state("restart-backoff.json"), JSON.stringify({ services }), { mode: 0o600 });
  const keys = Object.fromEntries(lines.map((line) => [firstDedupKey(line), { last_seen: epoch, count: 1 }]));
  writeFileSync(state("dedup.json"), JSON.stringify({ keys }), { mode: 0o600 });
  copyFileSync(fixture("orphan-state.json"), state("orphan-state.json"));
  const before = data(watch, "status", "--json").backoffs;
  expect(before).toMatchObject([{ unit: "openclaw-gateway", state: "cooldown", attempts: 3 }]);
  expect(watch.once("--dry-run").notes).toEqual([]);
  for (const [name, old] of [
    ["restart-backoff.json", { services }],
    ["dedup.json", { keys }],
  ] as const)
    expect(JSON.parse(readFileSync(state(name), "utf8"))).toEqual(old);
  expect(readdirSync(join(watch.dir, "state")).filter((name) => /first-argus/.test(name))).toEqual([]);
  expect(watch.once().notes.sort()).toEqual([
    expect.stringMatching(
      /dedup\.json is one of the first Argus \(entries taken over: \d+; .*: 0\); it was kept as /,
    ),
    expect.stringMatching(
      /restart-backoff\.json is one of the first Argus \(taken over: openclaw-gateway\); it was kept/,
    ),
  ]);
  expect(watch.once().notes).toEqual([]);
  expect(JSON.parse(readFileSync(state("restart-backoff.json.first-argus-1"), "utf8"))).toEqual({ services });
  expect(data(watch, "status", "--json").backoffs[0].nextInSeconds).toBeGreaterThan(2900);
});

test("its settings do not stop the start, and check and doctor say what became of each", () => {
  const watch = argus();
  copyFileSync(fixture("argus.env"), join(watch.dir, "argus.env"));
  const { status, stdout, stderr } = watch.run("check");
  expect([status, stderr]).toEqual([0, ""]);
  const text = stdout.replace(/\s+(\|\s+)?/g, " ");
  for (const [name, now] of [
    ["ARGUS_PROBLEMS_FILE", "problems.jsonl lies in ARGUS_STATE_DIR now"],
    ["ARGUS_GATEWAY_PORT", "http://127.0.0.1:18505/"],
    ["ARGUS_STATS_WINDOW_DAYS", "argus stats --since 14d"],
    ["ARGUS_DISK_CLEAN_DRY_RUN", "disks are not cleaned"],
    ["ARGUS_LLM_BACKOFF_STATE_FILE", "ARGUS_LLM_DAILY_CALLS"],
  ] as const)
    expect(text.slice(text.indexOf(name))).toContain(now);
  expect(watch.run("doctor").stdout).toContain("settings of the first Argus that are not used as they stand");
  expect(watch.once().notes.filter((note) => note.includes("of the first Argus"))).not.toEqual([]);
});

test("with ARGUS_DISK_CLEAN_DRY_RUN nothing is removed, by hand neither", () => {
  const watch = argus({ ARGUS_DISK_CLEAN_DRY_RUN: "true", ARGUS_DISK_CLEAN_MAX_AGE_DAYS: "1" });
  const { status, stdout, stderr } = watch.run("clean");
  expect([status, stderr]).toEqual([1, "argus: nothing was cleaned\n"]);
  expect(stdout).toMatch(/^Would have .*\(ARGUS_DISK_CLEAN_DRY_RUN is set\)\.$/m);
  expect(watch.run("clean", "--last").stdout).toBe("Nothing was cleaned yet.\n");
});

test("a gateway outside systemd is an entry with a name: any answer is one, silence is alerted, nothing is restarted", async () => {
  const server = createServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  afterThis(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const watch = argus();
  const at = (number: number) => ({ url: `http://127.0.0.1:${number}/`, expectStatus: "any" });
  watch.settings({
    services: [
      { name: "gateway", endpoint: at(port) },
      { name: "gone", endpoint: at(1) },
      { unit: "never-installed-here", endpoint: at(1) },
    ],
  });
  // A run of its own, since spawnSync keeps this process from answering.
  const once = () =>
    new Promise<TrailCycle>((done) => {
      const run = watch.start("run", "--once", "--json");
      run.on("close", () => done(JSON.parse(run.output())));
    });
  // The rule wants to see it twice.
  await once();
  const cycle = await once();
  expect(cycle.findings.map(({ rule, subject }) => [rule, subject])).toEqual([
    ["endpoint-unreachable", "gone"],
  ]);
  expect(cycle.actions.map(({ type }) => type)).not.toContain("restart_service");
  expect(cycle.actions).toContainEqual(expect.objectContaining({ type: "alert", result: "success" }));
  const { detail } = cycle.collectors.find(({ name }) => name === "endpoints") ?? { detail: "" };
  expect(detail).toContain("1 of 2 endpoints well");
});
