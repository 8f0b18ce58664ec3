/** The relay and the summary of the day, through the whole program. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startBotApi, token } from "../notify/bot-api.ts";
import { type Argus, afterThis, argus, ended, until, unwrapped } from "./argus.ts";

/** Writes each body that it is given to a file of its own, and then does what the test wants. */
function relayOf(watch: Argus, does = "exit 0"): void {
  const path = join(watch.dir, "relay");
  writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$3" >> "$0.bodies"\n${does}\n`);
  chmodSync(path, 0o755);
  Object.assign(watch.env, {
    ARGUS_RELAY_ENABLED: "true",
    ARGUS_RELAY_BIN: path,
    ARGUS_RELAY_TO: "athena",
    ARGUS_RELAY_TIMEOUT: "1",
  });
}

const linesOf = (path: string): Record<string, unknown>[] =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
const bodies = (watch: Argus) => linesOf(join(watch.dir, "relay.bodies"));

const always = {
  rules: [
    {
      name: "always",
      description: "Holds on every machine",
      conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
      event: {
        type: "check",
        params: { condition: "always", severity: "warning", subject: "cores", summary: "there are cores" },
      },
    },
  ],
};

/** As if the summary had been sent two days ago. */
function isDue(watch: Argus): void {
  const at = new Date(Date.now() - 1000);
  watch.env["ARGUS_SUMMARY_AT"] = "00:00";
  watch.env["TZ"] = "UTC";
  mkdirSync(watch.state(""), { recursive: true, mode: 0o700 });
  writeFileSync(
    watch.state("summary.json"),
    JSON.stringify({ version: 1, servedMs: at.getTime() - 2 * 86_400_000 }),
  );
}

test("a problem goes by the relay; what it does not take stands in a file, and status and doctor say so", () => {
  const watch = argus();
  watch.rule("always.json", always);
  relayOf(watch);
  watch.once();
  expect(bodies(watch)).toMatchObject([
    { event: "argus.problem", problem_type: "check", message: "there are cores", action_taken: "none" },
  ]);
  expect(watch.run("status").stdout).toContain("empty: everything was delivered (relay)");
  expect(watch.run("doctor").stdout).toContain("alerts: relay");

  relayOf(watch, "echo out of paper >&2; exit 1");
  watch.env["ARGUS_DEDUP_WINDOW"] = "0";
  watch.once();
  expect(linesOf(watch.state("relay.jsonl"))).toMatchObject([{ event: "argus.problem", subject: "cores" }]);
  const status = unwrapped(watch.run("status").stdout);
  expect(status).toMatch(
    /empty; relay: \S+relay failed with exit status 1: out of paper; what it did not take/,
  );
  expect(unwrapped(watch.run("doctor").stdout)).toMatch(/out of paper.*notify --test --channel relay/);
});

test("doctor says beforehand that the relay is not there", () => {
  const watch = argus({
    ARGUS_RELAY_ENABLED: "true",
    ARGUS_RELAY_BIN: "no-such-relay",
    ARGUS_RELAY_TO: "athena",
  });
  const said = unwrapped(watch.run("doctor").stdout);
  expect(said).toContain("no-such-relay does not exist here: what it is to send is written to");
  expect(said).toContain("set ARGUS_RELAY_BIN in argus.env");
});

test("argus notify --test goes by the relay, and writes nothing when it fails", async () => {
  const watch = argus();
  relayOf(watch);
  expect(watch.run("notify", "--test")).toMatchObject({
    status: 0,
    stdout: `no daemon runs: sent from this process\nrelay: sent: ${join(watch.dir, "relay")} took it for athena (exit status 0)\n`,
  });
  expect(bodies(watch)).toMatchObject([
    { event: "argus.test", message: expect.stringContaining("a test of Argus") },
  ]);
  relayOf(watch, "sleep 60");
  const failed = watch.run("notify", "--test", "--channel", "relay");
  expect([failed.status, failed.stdout]).toEqual([1, expect.stringContaining("did not end within 1 s")]);
  expect(existsSync(watch.state("relay.jsonl"))).toBe(false);
});

test("the summary of the day says what argus summary --json says, once", () => {
  const watch = argus();
  watch.rule("always.json", always);
  relayOf(watch);
  isDue(watch);
  watch.once();
  watch.once();
  const daily = bodies(watch).filter(({ event }) => event === "argus.daily_summary");
  expect(daily).toHaveLength(1);
  const said = JSON.parse(watch.run("summary", "--json").stdout) as Record<string, unknown>;
  const sent = daily[0]?.["summary"] as Record<string, unknown>;
  expect(Object.keys(sent)).toEqual(Object.keys(said));
  expect(sent).toMatchObject({ host: said["host"], opened: 1, open: said["open"], silenced: [] });
  expect(daily[0]?.["message"]).toMatch(/\n1 problem opened, 0 resolved, 1 open now\n/);
  expect(linesOf(watch.state("summaries.jsonl"))).toMatchObject([{ opened: 1, text: daily[0]?.["message"] }]);
  // Where the daemon sends it, the timer of an installation does not.
  expect(watch.run("summary", "--send", "--daily").status).toBe(0);
  watch.once();
  expect(bodies(watch).filter(({ event }) => event === "argus.daily_summary")).toHaveLength(1);
  expect(watch.run("summary", "--send").status).toBe(0);
  watch.once();
  expect(bodies(watch).filter(({ event }) => event === "argus.daily_summary")).toHaveLength(2);
});

test("without the relay the timer's summary goes to Telegram; with a relay that fails it does too", async () => {
  const api = await startBotApi();
  afterThis(() => void api.close());
  const watch = argus({ TELEGRAM_BOT_TOKEN: token, TELEGRAM_CHAT_ID: "-100", TELEGRAM_API_URL: api.url });
  const once = async () => expect(await ended(watch.start("run", "--once"))).toBe(0);
  const summaries = () => api.told.filter(({ text }) => text.includes("problems opened"));
  await once();
  expect(watch.run("summary", "--send", "--daily").status).toBe(0);
  await once();
  expect(summaries()).toHaveLength(1);
  relayOf(watch, "exit 1");
  isDue(watch);
  await once();
  await once();
  await once();
  expect(summaries()).toHaveLength(2);
}, 30_000);

test("a relay that hangs delays no cycle of the daemon", async () => {
  const watch = argus({ ARGUS_INTERVAL: "1", ARGUS_DEDUP_WINDOW: "0" });
  watch.rule("always.json", always);
  relayOf(watch, "sleep 60");
  watch.env["ARGUS_RELAY_TIMEOUT"] = "60";
  const daemon = watch.start("run");
  const cycles = () => daemon.output().split('"msg":"cycle"').length - 1;
  await until("the relay hangs", () => bodies(watch).length > 0);
  const before = cycles();
  await until("it has looked three times more", () => cycles() >= before + 3);
  expect(bodies(watch)).toHaveLength(1);
  expect(daemon.output()).not.toContain("took longer than the interval");
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
}, 30_000);

test("a daemon whose cycles fail tells people once, and that it is over", async () => {
  const api = await startBotApi();
  afterThis(() => void api.close());
  const watch = argus({
    ...{ TELEGRAM_BOT_TOKEN: token, TELEGRAM_CHAT_ID: "-100", TELEGRAM_API_URL: api.url },
    ARGUS_INTERVAL: "1",
  });
  mkdirSync(watch.state("trail.jsonl"), { recursive: true, mode: 0o700 });
  const daemon = watch.start("run");
  await until("it is told", () => api.told.length > 0, 20_000);
  expect(api.told[0]?.text).toMatch(/CRITICAL Argus: 3 cycles in a row failed: .*trail\.jsonl/);
  const failed = () => daemon.output().split('"msg":"the cycle failed"').length - 1;
  await until("it has failed six times", () => failed() >= 6);
  expect(api.told).toHaveLength(1);
  rmdirSync(watch.state("trail.jsonl"));
  await until("its end is told", () => api.told.length > 1, 20_000);
  expect(api.told[1]?.text).toMatch(/RESOLVED .*cycles in a row failed/);
  daemon.kill("SIGTERM");
  await ended(daemon);
  expect(api.told).toHaveLength(2);
}, 60_000);
