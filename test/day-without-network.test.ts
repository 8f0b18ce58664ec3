/** A day on which nothing outside the machine can be reached: the whole cycle, with real files and a clock of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createParts, openBook } from "../src/cli/parts.ts";
import { statusData } from "../src/cli/status.ts";
import { loadConfig } from "../src/config.ts";
import { runCycle } from "../src/cycle.ts";
import { createDelivery } from "../src/notify/deliver.ts";
import { statusReport } from "../src/report/status.ts";
import { createStyle } from "../src/report/style.ts";
import { createSystem } from "../src/system/machine.ts";
import type { System } from "../src/system/system.ts";
import type { OutboxMessage } from "../src/types/action.ts";
import { startModelServer } from "./escalate/model-server.ts";
import { startBotApi, token } from "./notify/bot-api.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const holds = (name: string, params: object) => ({
  name,
  description: "Holds on every machine",
  conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
  event: {
    type: "check",
    params: { condition: name, severity: "warning", subject: name, summary: `${name} holds`, ...params },
  },
});

/** What the rule about processes looks for: no other process on this machine is called so. */
const strayArguments = [`86399.${process.pid}`];
const strays: ChildProcess[] = [];

function startStray(): void {
  const stray = spawn("sleep", strayArguments, { stdio: "ignore" });
  strays.push(stray);
  ends.push(() => stray.kill("SIGKILL"));
}

const endsStrays = {
  name: "stray",
  description: "Ends a process that nobody wants",
  forEach: "process",
  conditions: {
    all: [{ fact: "process", path: "commandLine", operator: "equal", value: `sleep ${strayArguments}` }],
  },
  event: {
    type: "process",
    params: {
      condition: "stray",
      severity: "warning",
      subject: "a stray",
      summary: "a stray runs",
      actions: [{ type: "kill_pid", target: "{{process.pid}}" }],
      resolves: true,
    },
  },
};

it("rules go on, alerts queue, nothing is lost, and the cooldown is there to be seen", async () => {
  const dir = mkdtempSync(join(tmpdir(), "argus-day-"));
  ends.push(() => rmSync(dir, { recursive: true, force: true }));
  for (const folder of ["rules", "none"]) mkdirSync(join(dir, folder));
  for (const folder of ["state", "logs"]) mkdirSync(join(dir, folder), { mode: 0o700 });
  const rules = [
    holds("untended", {}),
    holds("noted", { actions: [{ type: "log", message: "noted" }], resolves: true }),
    endsStrays,
  ];
  writeFileSync(join(dir, "rules", "mine.json"), JSON.stringify({ rules }));
  writeFileSync(
    join(dir, "argus.json"),
    JSON.stringify({ processes: { killable: ["sleep"] }, tickets: { enabled: false } }),
  );

  // An address that no other test takes in the meantime.
  const ownAddress = { host: "127.83.14.7", port: 18_083 };
  const model = await startModelServer(ownAddress);
  const bot = await startBotApi();
  const [modelUrl, botUrl] = [model.url, bot.url];
  await model.close();
  await bot.close();

  const real = createSystem();
  let passedMs = 0;
  const system: System = {
    ...real,
    clock: {
      now: () => {
        const now = real.clock.now();
        return { ...now, wallMs: now.wallMs + passedMs, uptimeSeconds: now.uptimeSeconds + passedMs / 1000 };
      },
      monotonicMs: () => real.clock.monotonicMs() + passedMs,
      sleep: real.clock.sleep,
    },
  };
  const env = {
    ARGUS_CONFIG: join(dir, "argus.json"),
    ARGUS_RULES_DIR: join(dir, "rules"),
    ARGUS_LOCAL_RULES_DIR: join(dir, "none"),
    ARGUS_STATE_DIR: join(dir, "state"),
    ARGUS_INTERVAL: "900",
    ARGUS_LOG_DIR: join(dir, "logs"),
    ANTHROPIC_API_KEY: "sk-test",
    ANTHROPIC_BASE_URL: modelUrl,
  };
  const config = loadConfig({ system, env, workingDir: dir, programDir: resolve(".") });
  const parts = createParts(system, config, openBook(system, config));
  // The pauses between two messages pass at once.
  const pass = async (milliseconds: number) => {
    passedMs += milliseconds;
  };
  const delivery = createDelivery({ ...system, clock: { ...system.clock, sleep: pass } }, config.stateDir);
  const to = (apiUrl: string) => ({
    channels: [{ type: "telegram" as const, name: "telegram", token, chatId: "-100", apiUrl }],
    intervalSeconds: 900,
  });
  const signal = new AbortController().signal;
  const queued = () =>
    readdirSync(join(dir, "state", "outbox"))
      .filter((name) => name.endsWith(".json"))
      .map((name) => JSON.parse(readFileSync(join(dir, "state", "outbox", name), "utf8")) as OutboxMessage);
  const status = () => statusData(system, config);
  /** As on a terminal, its lines joined. */
  const statusText = () =>
    statusReport(status(), createStyle({ env: {}, isTerminal: false, columns: 80 }))
      .replace(/\n *\| /g, " ")
      .replace(/\s+/g, " ");

  const cycles = 24 * 4;
  const whys = new Map<string, number>();
  let noted = 0;
  let ended = 0;
  for (let number = 0; number < cycles; number += 1) {
    if (number % 32 === 5) startStray();
    const cycle = await runCycle(parts, "schedule", signal);
    whys.set(cycle.cycle.model.why, (whys.get(cycle.cycle.model.why) ?? 0) + 1);
    const worked = cycle.actions.filter(({ result }) => result === "success");
    noted += worked.filter(({ type }) => type === "log").length;
    ended += worked.filter(({ type, verified }) => type === "kill_pid" && verified === true).length;
    const delivered = await delivery.deliver(to(botUrl), signal, 50);
    expect(delivered.sent).toBe(0);
    passedMs += 900_000;
  }
  const asked = whys.get("asked") ?? 0;
  expect([...whys.keys()].sort()).toEqual(["asked", "cooldown"]);
  expect(asked).toBeGreaterThan(5);
  expect(asked).toBeLessThanOrEqual(25);
  expect(noted).toBe(cycles);
  expect(ended).toBe(3);
  expect(strays.map(({ signalCode }) => signalCode)).toEqual(["SIGTERM", "SIGTERM", "SIGTERM"]);
  // Another process asks: what it is told comes from the state alone.
  const unreachable = `${modelUrl} could not be reached: connection refused`;
  expect(status().model.cooldown).toMatchObject({ why: unreachable });
  expect(status().model.cooldown?.seconds).toBeGreaterThan(0);
  expect(statusText()).toMatch(
    /; not asked for another [^:]+: http:\/\/127\.83\.14\.7:18083 could not be reached/,
  );
  // One an hour about what nobody resolves, none about the rest, and none of them went anywhere.
  const all = queued();
  const waiting = all.length;
  // Three strays were killed, each of which is reported.
  const messages = all.filter(({ text }) => !text.includes("REPAIRED"));
  expect(waiting - messages.length).toBe(3);
  expect(messages.length).toBeGreaterThanOrEqual(23);
  expect(messages.length).toBeLessThanOrEqual(25);
  expect(messages.filter(({ text }) => !text.includes("untended holds"))).toEqual([]);
  expect(status().outbox).toMatchObject({ waiting });

  const back = await startBotApi();
  ends.push(() => back.close());
  const delivered = await delivery.deliver(to(back.url), signal, 600_000);
  expect(delivered).toMatchObject({ sent: waiting, waiting: 0, errors: [] });
  // A day's worth of the same is no news any more, but it is told, and how often.
  expect(back.told).toHaveLength(1);
  expect(back.told[0]?.text).toContain(`${waiting} messages of `);
  expect(back.told[0]?.text).toMatch(/^WARNING untended holds.* \(\d+ times, last /m);
  expect(queued()).toEqual([]);

  const again = await startModelServer(ownAddress);
  ends.push(() => again.close());
  // As long as the cooldown may be: after it the first cycle asks, is answered, and nothing is left of it.
  passedMs += 7_200_000;
  const cycle = await runCycle(parts, "schedule", signal);
  expect(cycle.cycle.model.why).toBe("asked");
  expect(cycle.consultation?.outcome).toBe("answered");
  expect(again.received).toHaveLength(1);
  expect(status().model.cooldown).toBeNull();
  expect(statusText()).not.toContain("not asked for another");
});
