/** Whole days, cycle by cycle, with a real server and the real SDK: how often the model is asked. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Handled } from "../../src/escalate/alerts.ts";
import { createEscalation, type Escalation } from "../../src/escalate/escalation.ts";
import type { ModelAnswer } from "../../src/types/trail.ts";
import { action, fails, type ModelServer, reply, says, startModelServer } from "./model-server.ts";
import { type Bench, bench, handled, record, serviceFact, snapshot } from "./samples.ts";

let server: ModelServer;
let its: Bench;
beforeEach(async () => {
  server = await startModelServer();
  its = bench(server.url);
});
afterEach(async () => {
  await server.close();
  its.remove();
});

interface Day {
  readonly answers: Map<ModelAnswer, number>;
  readonly outcomes: Map<string, number>;
}

/** @param each what one cycle found; it may move the clock and replace the escalation. */
async function run(
  cycles: number,
  seconds: number,
  escalation: () => Escalation,
  each: (cycle: number) => Handled[],
): Promise<Day> {
  const day: Day = { answers: new Map(), outcomes: new Map() };
  const count = <K>(map: Map<K, number>, key: K) => map.set(key, (map.get(key) ?? 0) + 1);
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const found = each(cycle);
    const one = escalation();
    const decision = one.decide({ handled: found, paused: false, dryRun: false, diskGuard: false });
    count(day.answers, decision.why);
    if (decision.asked) {
      const { outcome } = await one.ask({
        cycle: `c${cycle}`,
        host: "landmass",
        snapshot: snapshot({ service: [serviceFact()] }),
        handled: found,
        problems: [],
        recent: [],
        signal: new AbortController().signal,
      });
      count(day.outcomes, outcome);
    }
    its.clock.pass(seconds);
  }
  return day;
}

const interval = { intervalSeconds: 30 };
const cyclesOfADay = 2880;
const quiet = () => undefined;

describe("a day", () => {
  it("of health asks nobody, with and without findings that rules resolve", async () => {
    const one = createEscalation(its.system, its.config(interval), quiet);
    const resolved = handled({ resolves: true });
    const day = await run(
      1000,
      30,
      () => one,
      (cycle) => (cycle % 2 === 0 ? [] : [resolved]),
    );
    expect(Object.fromEntries(day.answers)).toEqual({ nothing_found: 500, every_finding_resolved: 500 });
    expect(server.received).toEqual([]);
  });

  it("of health asks once when a daily look is wanted, about the whole and without anything to propose", async () => {
    const one = createEscalation(its.system, its.config({ ...interval, model: { review: "daily" } }), quiet);
    const tempted = action({ type: "restart_service", target: "web", problem: "service:0123456789abcdef" });
    server.will(says(reply({ assessment: "All is well.", observations: ["/ fills"], actions: [tempted] })));
    const days = await run(
      2 * cyclesOfADay,
      30,
      () => one,
      () => [handled({ resolves: true })],
    );
    expect(Object.fromEntries(days.answers)).toEqual({
      asked: 2,
      every_finding_resolved: 2 * cyclesOfADay - 2,
    });
    expect(Object.fromEntries(days.outcomes)).toEqual({ answered: 2 });
    const [first] = server.received;
    const document = JSON.parse(first?.body.messages[0]?.content.split("\n\n")[1] ?? "");
    expect(document).toMatchObject({
      daily_look: "nothing is unresolved: look at the whole",
      problems: [],
      allowed_actions: {},
      facts: { services: [{ name: "web" }] },
    });
  });

  it("on which something is unresolved is not asked about twice because of the daily look, nor later", async () => {
    const one = createEscalation(its.system, its.config({ ...interval, model: { review: "daily" } }), quiet);
    const day = await run(
      120,
      30,
      () => one,
      (cycle) => (cycle < 10 ? [] : [handled()]),
    );
    expect(day.answers.get("asked")).toBe(2);
    expect(server.received).toHaveLength(2);
  });

  it("of trouble with the server tries the daily look again every two hours, with one request each", async () => {
    const one = createEscalation(its.system, its.config({ ...interval, model: { review: "daily" } }), quiet);
    server.will(fails(401, "authentication_error", "invalid key"));
    const day = await run(
      cyclesOfADay,
      30,
      () => one,
      () => [],
    );
    expect(Object.fromEntries(day.answers)).toEqual({ asked: 12, nothing_found: cyclesOfADay - 12 });
    expect(server.received).toHaveLength(12);
  });

  it("of one unresolved outage asks once an hour", async () => {
    const one = createEscalation(its.system, its.config(interval), quiet);
    const day = await run(
      cyclesOfADay,
      30,
      () => one,
      (cycle) => [handled({ summary: `web failed ${cycle} times` })],
    );
    expect(day.answers.get("asked")).toBe(24);
    expect(server.received).toHaveLength(24);
  });

  it("of an outage whose remedy is tried, waits and is exhausted in turn asks at most 25 times", async () => {
    const one = createEscalation(its.system, its.config(interval), quiet);
    const phases = [
      [],
      [record()],
      [record({ result: "skipped", refusal: "cooldown", verified: null })],
      [record({ result: "success", refusal: null, verified: false })],
      [record({ result: "skipped", refusal: "budget_exhausted", verified: null })],
    ];
    const day = await run(
      cyclesOfADay,
      30,
      () => one,
      (cycle) => [handled({}, phases[cycle % phases.length])],
    );
    expect(day.answers.get("asked")).toBeLessThanOrEqual(25);
    expect(server.received.length).toBeLessThanOrEqual(25);
  });

  it("of an outage in which one remedy fails and then another, in turn, asks once more for the second", async () => {
    const one = createEscalation(its.system, its.config(interval), quiet);
    const phases = [[record()], [record({ type: "clean_disk", target: null })], []];
    const day = await run(
      cyclesOfADay,
      30,
      () => one,
      (cycle) => [handled({}, phases[cycle % phases.length])],
    );
    expect(day.answers.get("asked")).toBe(25);
  });

  it("of three outages that come and go asks hardly more often", async () => {
    const one = createEscalation(its.system, its.config(interval), quiet);
    const names = ["web", "mail", "db"];
    const day = await run(
      cyclesOfADay,
      30,
      () => one,
      (cycle) =>
        names
          .filter((_, index) => Math.floor(cycle / (3 + index)) % 2 === 0)
          .map((subject) => handled({ subject })),
    );
    expect(day.answers.get("asked")).toBeLessThanOrEqual(30);
  });

  it("of an outage while Argus is started anew before each cycle asks no more", async () => {
    const config = its.config(interval);
    const day = await run(
      cyclesOfADay / 4,
      120,
      () => createEscalation(its.system, config, quiet),
      () => [handled()],
    );
    expect(day.answers.get("asked")).toBe(24);
  });

  it("of an outage while the clock is set to and fro asks no more", async () => {
    const one = createEscalation(its.system, its.config(interval), quiet);
    const day = await run(
      cyclesOfADay,
      30,
      () => one,
      (cycle) => {
        its.clock.setWallClock(cycle % 2 === 0 ? 100_000 : -100_000);
        return [handled()];
      },
    );
    expect(day.answers.get("asked")).toBe(24);
  });

  it("of an outage while the machine is started anew every two hours asks at most 25 times", async () => {
    const one = createEscalation(its.system, its.config(interval), quiet);
    const day = await run(
      cyclesOfADay,
      30,
      () => one,
      (cycle) => {
        if (cycle % 240 === 239) its.clock.reboot(20);
        return [handled()];
      },
    );
    expect(day.answers.get("asked")).toBeLessThanOrEqual(25);
  });

  it("without network sends few requests, cools down for up to two hours, and is over with the first answer", async () => {
    const config = its.config(interval);
    const away = await startModelServer();
    await away.close();
    const one = createEscalation(its.system, { ...config, model: { ...config.model, url: away.url } }, quiet);
    const day = await run(
      cyclesOfADay,
      30,
      () => one,
      () => [handled()],
    );
    const { failed = 0, ...others } = Object.fromEntries(day.outcomes);
    expect(others).toEqual({});
    expect(one.view().requests.used).toBeLessThanOrEqual(25);
    expect(failed).toBeLessThanOrEqual(25);
    expect(one.view().cooldown?.why).toBe(`${away.url} could not be reached: connection refused`);
    expect(day.answers.get("cooldown")).toBe(cyclesOfADay - failed);

    its.clock.pass(7200);
    const back = createEscalation(its.system, config, quiet);
    const next = await run(
      1,
      30,
      () => back,
      () => [handled()],
    );
    expect(Object.fromEntries(next.outcomes)).toEqual({ answered: 1 });
    expect(back.view()).toMatchObject({ failuresInARow: 0, cooldown: null });
  });

  it("on which every problem is a new one ends with the daily budget", async () => {
    const one = createEscalation(its.system, its.config(interval), quiet);
    const day = await run(
      cyclesOfADay / 4,
      120,
      () => one,
      (cycle) => [handled({ subject: `job-${cycle}` })],
    );
    expect(day.answers.get("asked")).toBe(50);
    expect(server.received).toHaveLength(50);
    expect(day.answers.get("daily_budget")).toBe(cyclesOfADay / 4 - 50);
  });

  it("of rate limits asks every half hour at the most", async () => {
    server.will(fails(429, "rate_limit_error", "slow down"));
    const one = createEscalation(its.system, its.config(interval), quiet);
    await run(
      cyclesOfADay,
      30,
      () => one,
      () => [handled()],
    );
    expect(server.received.length).toBeLessThanOrEqual(25);
  });
});
