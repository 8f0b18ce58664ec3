/** The daily look at the whole (`ARGUS_LLM_REVIEW=daily`), with a real server and the real SDK. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Handled } from "../../src/escalate/alerts.ts";
import { createEscalation, type Escalation } from "../../src/escalate/escalation.ts";
import type { Problem } from "../../src/types/problem.ts";
import type { Config } from "../../src/types/settings.ts";
import {
  action,
  breaksOff,
  fails,
  hangs,
  type ModelServer,
  reply,
  says,
  startModelServer,
} from "./model-server.ts";
import { type Bench, bench, handled, problem, snapshot } from "./samples.ts";

let server: ModelServer;
let its: Bench;
let notes: string[];
beforeEach(async () => {
  server = await startModelServer();
  its = bench(server.url);
  notes = [];
});
afterEach(async () => {
  await server.close();
  its.remove();
});

const daily = (more: Partial<Config["model"]> = {}) =>
  its.config({ intervalSeconds: 30, model: { review: "daily", ...more } });
const escalation = (config: Config = daily()): Escalation =>
  createEscalation(its.system, config, (sentence) => notes.push(sentence));

const situation = (found: readonly Handled[] = []) => ({
  handled: found,
  paused: false,
  dryRun: false,
  diskGuard: false,
});
const ask = (
  one: Escalation,
  found: readonly Handled[] = [],
  problems: readonly Problem[] = [],
  signal = new AbortController().signal,
) =>
  one.ask({
    cycle: "c1",
    host: "landmass",
    snapshot: snapshot(),
    handled: found,
    problems,
    recent: [],
    signal,
  });

const sent = (index = 0) =>
  JSON.parse(server.received[index]?.body.messages[0]?.content.split("\n\n")[1] ?? "");
const saved = () => JSON.parse(readFileSync(join(its.folder, "state/escalation.json"), "utf8"));

const trouble = [handled()];
const isDue = "the daily look at the whole is due, but ";

describe("the daily look", () => {
  it("is asked for once in 24 hours, also by an Argus that was started anew", async () => {
    expect(escalation().decide(situation())).toEqual({
      asked: true,
      why: "asked",
      detail: "nothing is unresolved; this is the daily look at the whole",
    });
    await ask(escalation());
    expect(escalation().decide(situation())).toMatchObject({ asked: false, why: "nothing_found" });
    its.clock.pass(86_399);
    expect(escalation().decide(situation()).asked).toBe(false);
    its.clock.pass(1);
    expect(escalation().decide(situation()).asked).toBe(true);
  });

  it("is told what came and went within the day, and what is open, with what was tried", async () => {
    const restarts = [
      {
        ts: "2026-11-20T02:00:00Z",
        cycle: "c0",
        action: "restart_service:mail",
        result: "success" as const,
        reason: "active again",
      },
    ];
    const over = (subject: string, resolvedAt: string, openings: string[] = []) =>
      problem(handled({ subject }).finding, { life: "resolved", resolvedAt, openings, actions: restarts });
    const problems = [
      over("before", "2026-11-19T09:59:59Z"),
      over("early", "2026-11-19T10:00:00Z"),
      over("mail", "2026-11-20T02:01:00Z", [
        "2026-11-19T09:00:00Z",
        "2026-11-20T01:00:00Z",
        "2026-11-20T02:00:00Z",
      ]),
      problem(handled({ subject: "slow" }).finding),
    ];
    await ask(escalation(), [handled({ resolves: true })], problems);
    const document = sent();
    expect(document.ended_in_24_hours).toMatchObject([
      {
        description: "mail failed (exit-code)",
        ended: "2026-11-20T02:01:00Z",
        times_in_24_hours: 2,
        tried: [{ action: "restart_service:mail", result: "success", reason: "active again" }],
      },
      { description: "early failed (exit-code)" },
    ]);
    expect(document.other_open_problems).toMatchObject([
      { description: "slow failed (exit-code)", times_in_24_hours: 1, tried: [] },
    ]);
  });

  it("stays in size, and says what it left out, when hundreds of problems came and went", async () => {
    const problems = Array.from({ length: 300 }, (_, number) =>
      problem(handled({ subject: `unit-${number}`, summary: "x".repeat(2000) }).finding, {
        life: "resolved",
        resolvedAt: "2026-11-20T02:00:00Z",
      }),
    );
    const { told } = await ask(escalation(), [], problems);
    expect(told.bytes).toBeLessThanOrEqual(48_000);
    expect(told.cut).toContain("280 of 300 problems that ended in 24 hours left out");
  });

  it("adds nothing to a question about trouble", async () => {
    const over = problem(handled({ subject: "mail" }).finding, {
      life: "resolved",
      resolvedAt: "2026-11-20T02:00:00Z",
    });
    await ask(escalation(), trouble, [over]);
    const document = sent();
    expect(document.problems).toHaveLength(1);
    expect(Object.keys(document)).not.toContain("daily_look");
    expect(Object.keys(document)).not.toContain("ended_in_24_hours");
    expect(document.other_open_problems).toEqual([]);
  });

  it("can propose nothing, whatever the answer asks for", async () => {
    const actions = ["restart_service", "clean_disk", "alert", "log"].map((type) =>
      action({
        type,
        target: type === "restart_service" ? "web" : null,
        message: "x",
        problem: "service:0123456789abcdef",
      }),
    );
    server.will(says(reply({ assessment: "All is well.", observations: ["/ fills"], actions })));
    const consultation = await ask(escalation(), [handled({ resolves: true })]);
    expect(consultation).toMatchObject({
      outcome: "answered",
      assessment: "All is well.",
      observations: ["/ fills"],
      proposals: [],
      candidates: {},
    });
    expect(consultation.rejected.map(({ reason }) => reason)).toEqual(actions.map(() => "not_allowlisted"));
  });

  it("is not asked for when it is not wanted", () => {
    const one = escalation(its.config({ model: { review: "never" } }));
    expect(one.decide(situation())).toMatchObject({ asked: false, why: "nothing_found" });
    expect(server.received).toEqual([]);
  });
});

describe("what stands against any question stands against the daily look, and is said:", () => {
  it.each<[string, object, string]>([
    ["paused", { paused: true }, "Argus is paused"],
    ["dry_run", { dryRun: true }, "a dry run asks nobody"],
    ["disk_guard", { diskGuard: true }, "less than 100 MB are free for the state"],
  ])("%s", (why, more, reason) => {
    expect(escalation().decide({ ...situation(), ...more })).toEqual({
      asked: false,
      why,
      detail: isDue + reason,
    });
  });

  it("no_key", () => {
    const keyless = escalation({ ...daily(), anthropicKey: null });
    const detail = `${isDue}ANTHROPIC_API_KEY is not set`;
    expect(keyless.decide(situation())).toEqual({ asked: false, why: "no_key", detail });
  });

  it("daily_budget", () => {
    const detail = `${isDue}0 of 0 requests of 24 hours are used (ARGUS_LLM_DAILY_CALLS)`;
    const spent = escalation(daily({ dailyCalls: 0 }));
    expect(spent.decide(situation())).toEqual({ asked: false, why: "daily_budget", detail });
  });

  it("cooldown, after a question about trouble had failed", async () => {
    server.will(fails(401, "authentication_error", "invalid key"));
    const one = escalation();
    await ask(one, trouble);
    const decision = one.decide(situation());
    expect(decision).toMatchObject({ asked: false, why: "cooldown" });
    expect(decision.detail).toMatch(
      /^the daily look at the whole is due, but asking failed, and is tried again in /,
    );
  });

  it("nothing, on a day on which it is not due: then there is nothing to ask about", async () => {
    const one = escalation();
    await ask(one);
    expect(one.decide({ ...situation(), paused: true }).why).toBe("nothing_found");
  });
});

describe("a daily look that fails", () => {
  it.each([
    ["is refused for the key", fails(401, "authentication_error", "invalid key")],
    ["meets an overloaded server", fails(529, "overloaded_error", "later")],
    ["is cut off", breaksOff],
    ["gets a reply of another shape", says("All is well.")],
    ["gets a reply that ends in the middle", says(reply({}), { stopReason: "max_tokens" })],
  ])("and %s sends one request and puts off no question about trouble", async (_, behaviour) => {
    server.will(behaviour);
    const one = escalation();
    expect((await ask(one)).outcome).not.toBe("answered");
    expect(server.received).toHaveLength(1);
    its.clock.pass(30);
    expect(one.decide(situation())).toMatchObject({ asked: false, why: "nothing_found" });
    expect(one.decide(situation(trouble))).toMatchObject({ asked: true, why: "asked" });
    expect(escalation().decide(situation(trouble))).toMatchObject({ asked: true, why: "asked" });
    expect(one.view()).toMatchObject({ requests: { used: 1 }, failuresInARow: 0, cooldown: null });
  });

  it("is tried again after two hours, and then not before the next day when it was answered", async () => {
    server.will(fails(401, "authentication_error", "invalid key"), says(reply({})));
    const one = escalation();
    await ask(one);
    its.clock.pass(7199);
    expect(one.decide(situation()).asked).toBe(false);
    its.clock.pass(1);
    expect(one.decide(situation()).asked).toBe(true);
    await ask(one);
    its.clock.pass(7200);
    expect(one.decide(situation()).asked).toBe(false);
  });

  it("for a limit of the server leaves it alone for as long as it says, with trouble as well", async () => {
    server.will(fails(429, "rate_limit_error", "slow down", { "retry-after": "3600" }));
    const one = escalation();
    await ask(one);
    its.clock.pass(3599);
    expect(one.decide(situation(trouble))).toMatchObject({ asked: false, why: "cooldown" });
    its.clock.pass(1);
    expect(one.decide(situation(trouble)).asked).toBe(true);
  });

  it("by the end of Argus is no reason to ask again at once, nor to put off a question about trouble", async () => {
    server.will(hangs);
    const stop = new AbortController();
    const asked = ask(escalation(), [], [], stop.signal);
    while (server.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const next = escalation();
    expect(next.view().requests.used).toBe(1);
    expect(next.decide(situation())).toMatchObject({ asked: false, why: "nothing_found" });
    expect(next.decide(situation(trouble)).asked).toBe(true);
    stop.abort();
    await asked;
  });
});

describe("the memory of a version before the daily look", () => {
  it("is read: what was spent and asked still counts, and a look is due", async () => {
    await ask(escalation(), trouble);
    const { reviewedAt: _, reviewTriedAt: __, ...before } = saved();
    mkdirSync(join(its.folder, "state"), { recursive: true });
    writeFileSync(join(its.folder, "state/escalation.json"), JSON.stringify(before));
    const one = escalation();
    expect(notes).toEqual([]);
    expect(one.view().requests.used).toBe(1);
    expect(one.decide(situation(trouble)).why).toBe("same_unresolved_set");
    expect(one.decide(situation()).asked).toBe(true);
  });
});
