/** A day on which nothing outside the machine can be reached: the whole cycle, with real files and a clock of its own. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createParts, openBook } from "../src/cli/parts.ts";
import { loadConfig } from "../src/config.ts";
import { runCycle } from "../src/cycle.ts";
import { createDelivery } from "../src/notify/deliver.ts";
import { createSystem } from "../src/system/machine.ts";
import type { System } from "../src/system/system.ts";
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

it("rules go on, alerts queue, nothing is lost, and the cooldown is there to be seen", async () => {
  const dir = mkdtempSync(join(tmpdir(), "argus-day-"));
  ends.push(() => rmSync(dir, { recursive: true, force: true }));
  for (const folder of ["rules", "none"]) mkdirSync(join(dir, folder));
  for (const folder of ["state", "logs"]) mkdirSync(join(dir, folder), { mode: 0o700 });
  const rules = [
    holds("unresolved", {}),
    holds("resolved", { actions: [{ type: "log", message: "noted" }], resolves: true }),
  ];
  writeFileSync(join(dir, "rules", "mine.json"), JSON.stringify({ rules }));
  writeFileSync(join(dir, "argus.json"), "{}");

  const model = await startModelServer();
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
  const telegram = { token, chatId: "-100", apiUrl: botUrl };
  const signal = new AbortController().signal;
  const queued = () =>
    readdirSync(join(dir, "state", "outbox")).filter((name) => name.endsWith(".json")).length;

  const cycles = 24 * 4;
  const whys = new Map<string, number>();
  let noted = 0;
  for (let number = 0; number < cycles; number += 1) {
    const cycle = await runCycle(parts, "schedule", signal);
    whys.set(cycle.cycle.model.why, (whys.get(cycle.cycle.model.why) ?? 0) + 1);
    noted += cycle.actions.filter(({ type, result }) => type === "log" && result === "success").length;
    const delivered = await delivery.deliver({ telegram }, signal, 50);
    expect(delivered.sent).toBe(0);
    passedMs += 900_000;
  }
  const asked = whys.get("asked") ?? 0;
  expect([...whys.keys()].sort()).toEqual(["asked", "cooldown"]);
  expect(asked).toBeGreaterThan(5);
  expect(asked).toBeLessThanOrEqual(25);
  expect(noted).toBe(cycles);
  expect(parts.escalation.view().cooldown?.why).toBe(`${modelUrl} could not be reached: connection refused`);
  // One an hour, and none of them went anywhere.
  const waiting = queued();
  expect(waiting).toBeGreaterThanOrEqual(23);
  expect(waiting).toBeLessThanOrEqual(25);

  const back = await startBotApi();
  ends.push(() => back.close());
  const delivered = await delivery.deliver({ telegram: { ...telegram, apiUrl: back.url } }, signal, 600_000);
  expect(delivered).toMatchObject({ sent: waiting, waiting: 0, error: null });
  expect(back.told).toHaveLength(waiting);
  expect(queued()).toBe(0);
});
