import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEscalation, type Escalation } from "../../src/escalate/escalation.ts";
import { problemKey } from "../../src/system/problem-key.ts";
import { Consultation } from "../../src/types/consultation.ts";
import type { Config } from "../../src/types/settings.ts";
import type { Snapshot } from "../../src/types/snapshot.ts";
import { madeUpSecret } from "../system/made-up-secrets.ts";
import {
  action,
  breaksOff,
  fails,
  floods,
  hangs,
  type ModelServer,
  message,
  reply,
  says,
  sends,
  startModelServer,
} from "./model-server.ts";
import { type Bench, bench, handled, processFact, record, serviceFact, snapshot } from "./samples.ts";

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

const web = problemKey("service", "web", "down");
const down = handled();
const facts = { service: [serviceFact()], process: [processFact()] };

function escalation(config: Config = its.config()): Escalation {
  return createEscalation(its.system, config, (sentence) => notes.push(sentence));
}

function ask(
  of: Escalation = escalation(),
  more: { snapshot?: Snapshot; signal?: AbortSignal; handled?: (typeof down)[] } = {},
) {
  return of.ask({
    cycle: "c1",
    host: "landmass",
    snapshot: more.snapshot ?? snapshot(facts),
    handled: more.handled ?? [down],
    problems: [],
    recent: [],
    signal: more.signal ?? new AbortController().signal,
  });
}

const situation = { handled: [down], paused: false, dryRun: false, diskGuard: false };
const lastResponse = () => JSON.parse(readFileSync(join(its.folder, "logs/last_response.json"), "utf8"));

describe("a question to the model", () => {
  it("counts for the outage in which it was asked, and for no later one", async () => {
    server.will(says(reply({})));
    const of = escalation();
    const nowMs = its.clock.now().wallMs;
    expect(of.wasAsked(web, 0)).toBe(false);
    await ask(of);
    expect(of.wasAsked(web, nowMs)).toBe(true);
    expect(escalation().wasAsked(web, nowMs)).toBe(true);
    expect(of.wasAsked(web, nowMs + 1)).toBe(false);
  });

  it("is answered with proposals for what was offered, in the form that the executor takes", async () => {
    server.will(
      says(
        reply({
          assessment: "web crashed once.",
          observations: ["It restarts often."],
          actions: [
            action({
              type: "restart_service",
              target: "web",
              problem: web,
              reason: "result exit-code, 2 restarts",
            }),
            action({ type: "log", message: "web crashed", problem: web }),
          ],
        }),
      ),
    );
    const consultation = await ask();
    expect(Consultation.parse(JSON.parse(JSON.stringify(consultation)))).toEqual(consultation);
    expect(consultation).toMatchObject({
      outcome: "answered",
      detail: "the model asks for 2 actions",
      model: "claude-haiku-5-5",
      assessment: "web crashed once.",
      observations: ["It restarts often."],
      candidates: { restart_service: ["web"] },
      rejected: [],
      requests: 1,
      inputTokens: 4000,
      outputTokens: 200,
      cacheReadTokens: 1500,
      told: { problems: [web], candidates: 1, cut: [] },
    });
    const about = {
      source: "llm:claude-haiku-5-5",
      problem: web,
      problemType: "service",
      severity: "warning",
      subject: "web",
    };
    expect(consultation.proposals).toEqual([
      {
        type: "restart_service",
        target: "web",
        ...about,
        reason: "result exit-code, 2 restarts (confidence 90 %)",
      },
      { type: "log", message: "web crashed", ...about, reason: "because 7 > 5 (confidence 90 %)" },
    ]);
    // 4000 at 0.10, 1500 at a tenth of it, 200 at 0.50 dollars a million.
    expect(consultation.costDollars).toBeCloseTo(0.0004 + 0.000015 + 0.0001, 9);
    expect(notes).toEqual([]);
  });

  it("goes to the server of the settings, with the operator's prompt as the cacheable system block", async () => {
    writeFileSync(join(its.folder, "prompt.md"), "Another prompt.");
    await ask();
    expect(server.received).toHaveLength(1);
    const [{ path, headers, body }] = server.received as [(typeof server.received)[number]];
    expect(path).toBe("/v1/messages");
    expect(headers.authorization).toBe("Bearer test-key");
    expect(headers["anthropic-version"]).toBeDefined();
    expect(Object.keys(headers).filter((name) => name.startsWith("x-stainless"))).toEqual([]);
    expect(body.model).toBe("claude-haiku-5-5");
    expect(body.system).toEqual([
      { type: "text", text: "Another prompt.", cache_control: { type: "ephemeral" } },
    ]);
    expect(body.output_config?.format?.type).toBe("json_schema");
    expect(body.thinking).toEqual({ type: "disabled" });
    expect(body).not.toHaveProperty("temperature");
    const [, document] = body.messages[0]?.content.split("\n\n") ?? [];
    expect(JSON.parse(document ?? "").problems[0].key).toBe(web);
  });

  it("asks for the shape of the reply, with the actions that the settings allow", async () => {
    const settings = { model: { mayPropose: ["alert", "log"] } };
    await ask(escalation(its.config({ settings })));
    const schema = JSON.stringify(server.received[0]?.body.output_config?.format?.schema);
    expect(schema).toContain('"enum":["alert","log"]');
    expect(schema).not.toContain("kill_pid");
  });

  it("takes nothing from the environment that was set for other programs", async () => {
    const before = { ...process.env };
    process.env.ANTHROPIC_BASE_URL = "http://127.0.0.1:9";
    process.env.ANTHROPIC_AUTH_TOKEN = "another";
    process.env.ANTHROPIC_CUSTOM_HEADERS = "x-secret: abc";
    try {
      expect((await ask()).outcome).toBe("answered");
      expect(server.received[0]?.headers.authorization).toBe("Bearer test-key");
      expect(server.received[0]?.headers).not.toHaveProperty("x-secret");
    } finally {
      for (const name of ["ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS"]) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });

  it("keeps the reply in last_response.json, redacted and for nobody else to read", async () => {
    const secret = madeUpSecret("anthropic", 1);
    server.will(says(reply({ assessment: `the log shows ${secret}` })));
    const consultation = await ask();
    const kept = lastResponse();
    expect(kept).toMatchObject({ cycle: "c1", requestId: "req_1", stopReason: "end_turn" });
    expect(JSON.parse(kept.text).assessment).toBe("the log shows [redacted]");
    expect(JSON.stringify(kept)).not.toContain(secret);
    expect(consultation.assessment).toBe("the log shows [redacted]");
    expect(statSync(join(its.folder, "logs/last_response.json")).mode & 0o777).toBe(0o600);
  });

  it("picks the text out of blocks of other kinds, and joins it", async () => {
    const text = reply({});
    const content = [
      { type: "thinking", thinking: "hm", signature: "x" },
      { type: "text", text: text.slice(0, 20) },
      { type: "text", text: text.slice(20) },
    ];
    server.will(says("", { content }));
    expect((await ask()).outcome).toBe("answered");
  });
});

describe("an action of which the model is not sure", () => {
  it("becomes an alert with the proposal in it, and all words on one problem one alert", async () => {
    server.will(
      says(
        reply({
          actions: [
            action({
              type: "restart_service",
              target: "web",
              problem: web,
              confidence: 0.3,
              reason: "may help",
            }),
            action({ type: "alert", message: "web is down since noon.", problem: web }),
          ],
        }),
      ),
    );
    const { proposals, rejected } = await ask();
    expect(rejected).toEqual([]);
    expect(proposals).toHaveLength(1);
    expect(proposals[0]).toMatchObject({ type: "alert", problem: web, source: "llm:claude-haiku-5-5" });
    expect(proposals[0]?.message).toBe("web failed (exit-code)");
    expect(proposals[0]?.lines).toEqual([
      "The model: web is down since noon.",
      "The model: Proposed, not done: restart_service web (confidence 30 %, wanted 60 %): may help",
    ]);
  });
});

describe("a server in trouble", () => {
  const answered = says(reply({}));

  it("is asked again when the trouble passes within seconds: overload, its own errors, a cut connection", async () => {
    server.will(fails(529, "overloaded_error", "Overloaded"), breaksOff, answered);
    expect(await ask()).toMatchObject({ outcome: "answered", requests: 3 });
    expect(server.received).toHaveLength(3);
  });

  it("that cuts every connection in the middle of its answer is a sentence, and cools down", async () => {
    server.will(breaksOff);
    const one = escalation();
    expect(await ask(one)).toMatchObject({
      outcome: "failed",
      detail: `${server.url} could not be reached: connection reset`,
      requests: 3,
      proposals: [],
    });
    expect(one.decide(situation).why).toBe("cooldown");
  });

  it("is left alone after three requests, then probed with one, while the cooldown doubles up to two hours", async () => {
    server.will(fails(500, "api_error", "Internal"));
    const one = escalation();
    expect(await ask(one)).toMatchObject({
      outcome: "failed",
      detail: "the server answered with status 500 (Internal)",
      requests: 3,
      proposals: [],
    });
    expect(one.decide(situation)).toMatchObject({ asked: false, why: "cooldown" });
    expect(one.view()).toMatchObject({
      failuresInARow: 1,
      cooldown: { seconds: 300 },
      requests: { used: 3, limit: 50 },
    });

    const cooldowns: number[] = [];
    for (let failure = 2; failure <= 8; failure += 1) {
      its.clock.pass(one.view().cooldown?.seconds ?? 0);
      expect(one.decide(situation).why).toBe("asked");
      expect((await ask(one)).requests).toBe(1);
      cooldowns.push(one.view().cooldown?.seconds ?? 0);
    }
    expect(cooldowns).toEqual([600, 1200, 2400, 4800, 7200, 7200, 7200]);
    server.will(answered);
    its.clock.pass(7200);
    expect(await ask(one)).toMatchObject({ outcome: "answered" });
    expect(one.view()).toMatchObject({ failuresInARow: 0, cooldown: null });
  });

  it.each([
    [401, "authentication_error", "the server refused the key; check ANTHROPIC_API_KEY (no)"],
    [403, "permission_error", "the key may not use claude-haiku-5-5 (no)"],
    [400, "invalid_request_error", "the server answered with status 400 (no)"],
    [413, "request_too_large", "the server answered with status 413 (no)"],
  ])("is not asked again after status %i, and the mend is said", async (status, type, detail) => {
    server.will(fails(status, type, "no"));
    expect(await ask()).toMatchObject({ outcome: "failed", detail, requests: 1 });
  });

  it("names the model that the server does not know", async () => {
    server.will(fails(404, "not_found_error", "model: gone"));
    const { detail } = await ask();
    expect(detail).toBe(
      `${server.url} does not know the model claude-haiku-5-5; check ARGUS_MODEL and ANTHROPIC_BASE_URL (model: gone)`,
    );
  });

  it.each([
    ["without retry-after: half an hour", {}, 1800],
    ["with a short one: still half an hour", { "retry-after": "20" }, 1800],
    ["with a long one: as long as it says", { "retry-after": "5400" }, 5400],
    ["with one beyond reason: a day", { "retry-after": "9999999" }, 86_400],
    ["with one that is no number", { "retry-after": "soon" }, 1800],
  ])("is left alone after a rate limit %s", async (_, headers, seconds) => {
    server.will(fails(429, "rate_limit_error", "slow down", headers));
    const one = escalation();
    expect(await ask(one)).toMatchObject({
      outcome: "failed",
      detail: "the rate limit is reached (slow down)",
      requests: 1,
    });
    expect(one.view().cooldown).toEqual({ seconds, why: "the rate limit is reached (slow down)" });
  });

  it("may say by a date when the rate limit ends", async () => {
    const at = new Date(Date.now() + 7_200_000).toUTCString();
    server.will(fails(429, "rate_limit_error", "slow down", { "retry-after": at }));
    const one = escalation();
    await ask(one);
    expect(one.view().cooldown?.seconds).toBeGreaterThan(7100);
  });

  it("is waited for as long as the settings say, and no longer", async () => {
    server.will(hangs);
    const one = escalation(its.config({ model: { timeoutSeconds: 1 } }));
    expect(await ask(one)).toMatchObject({ outcome: "failed", detail: "no answer within 1 s", requests: 1 });
    expect(one.view().failuresInARow).toBe(1);
  });

  it("may take its time within them", async () => {
    server.will((response, received) => void setTimeout(() => answered(response, received), 300));
    expect((await ask()).outcome).toBe("answered");
  });

  it("is let go when Argus is told to stop, and nothing cools down for it", async () => {
    const stop = new AbortController();
    server.will(() => stop.abort());
    const one = escalation();
    expect(await ask(one, { signal: stop.signal })).toMatchObject({
      outcome: "failed",
      detail: "Argus was told to stop",
    });
    expect(one.view()).toMatchObject({ failuresInARow: 0, cooldown: null, requests: { used: 1 } });
    expect(one.decide(situation).why).toBe("asked");
  });

  it("that is not there is a sentence", async () => {
    const one = escalation(its.config({ model: { url: "http://127.0.0.1:9", dailyCalls: 1 } }));
    expect(await ask(one)).toMatchObject({
      outcome: "failed",
      detail: "http://127.0.0.1:9 could not be reached: connection refused",
      requests: 1,
    });
  });

  it("that redirects is not followed: what is told is meant for the server of the settings", async () => {
    const elsewhere = await startModelServer();
    server.will(sends(307, "", { location: `${elsewhere.url}/v1/messages` }));
    expect(await ask()).toMatchObject({ outcome: "failed", detail: "the server answered with status 307" });
    expect(elsewhere.received).toEqual([]);
    await elsewhere.close();
  });
});

describe("a reply of no use", () => {
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  it.each<[string, string, string]>([
    ["no JSON", "I would restart web.", "the reply is not JSON, or has text around it"],
    ["text around it", `Here you are:\n${reply({})}`, "the reply is not JSON, or has text around it"],
    [
      "two code blocks",
      `\`\`\`json\n${reply({})}\n\`\`\`\n`.repeat(2),
      "the reply is not JSON, or has text around it",
    ],
    ["nothing", "", "the reply is empty"],
    ["half of it", reply({}).slice(0, 30), "the reply is not JSON, or has text around it"],
    ["another shape", '{"verdict":"kill"}', "the reply has another shape than it was asked for"],
    ["more than the shape", reply({ run: "rm -rf /" }), "the reply has another shape than it was asked for"],
    ["a list", "[]", "the reply has another shape than it was asked for"],
    ["null", "null", "the reply has another shape than it was asked for"],
    ["a well", deep, "the reply has another shape than it was asked for"],
    [
      "actions that are no list",
      reply({ actions: { type: "alert" } }),
      "the reply has another shape than it was asked for",
    ],
    [
      "observations of objects",
      reply({ observations: [{ a: 1 }] }),
      "the reply has another shape than it was asked for",
    ],
    [
      "a thousand actions",
      reply({
        actions: Array.from({ length: 1000 }, () =>
          action({ type: "restart_service", target: "web", problem: web }),
        ),
      }),
      "the reply holds 1000 actions; no more than 20 are taken",
    ],
  ])("is refused as a whole: %s", async (_, text, detail) => {
    server.will(says(text));
    const one = escalation();
    const consultation = await ask(one);
    expect(consultation).toMatchObject({
      outcome: "unusable",
      proposals: [],
      requests: 1,
      inputTokens: 4000,
    });
    expect(consultation.detail.startsWith(detail), consultation.detail).toBe(true);
    expect(one.decide(situation).why).toBe("cooldown");
    expect(lastResponse().consultation.outcome).toBe("unusable");
  });

  it.each<[string, string, string, Record<string, string>]>([
    ["no JSON at all", "{ this is not", "what the server sent is not JSON", {}],
    [
      "a page for people",
      "<html>Sign in</html>",
      "what the server sent is no message of the Messages API",
      { "content-type": "text/html" },
    ],
    ["JSON of another API", '{"choices":[]}', "what the server sent is no message of the Messages API", {}],
    [
      "a message without content",
      '{"type":"message","content":null}',
      "what the server sent is no message of the Messages API",
      {},
    ],
    ["null", "null", "what the server sent is no message of the Messages API", {}],
    [
      "tokens below zero",
      message(reply({}), { usage: { input_tokens: -5 } }),
      "what the server sent is no message of the Messages API",
      {},
    ],
  ])("is refused below the SDK: %s", async (_, body, detail, headers) => {
    server.will(sends(200, body, headers));
    expect(await ask()).toMatchObject({ outcome: "unusable", detail, requests: 1 });
  });

  it("is cut off after half a megabyte, whatever the server has to say", async () => {
    const sent = { bytes: 0 };
    server.will(floods(50_000_000, sent));
    const before = process.memoryUsage().rss;
    expect(await ask()).toMatchObject({
      outcome: "unusable",
      detail: "the reply is larger than 524 kB",
      requests: 1,
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    // What was on its way in the sockets' buffers, and far from fifty.
    expect(sent.bytes).toBeLessThan(12_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  });

  it("is cut off as well when it says that it failed, or packs what it sends", async () => {
    const page = JSON.stringify({ type: "error", error: { type: "api_error", message: "a".repeat(5e6) } });
    server.will(sends(500, page));
    expect(await ask()).toMatchObject({
      outcome: "unusable",
      detail: "the reply is larger than 524 kB",
      requests: 1,
    });
    const packed = gzipSync(message("a".repeat(5e7)));
    expect(packed.length).toBeLessThan(100_000);
    server.will((response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      response.end(packed);
    });
    const before = process.memoryUsage().rss;
    expect(await ask()).toMatchObject({ outcome: "unusable", detail: "what the server sent is not JSON" });
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  });

  it("that was cut off before its end is said to be", async () => {
    server.will(says(reply({}), { stopReason: "max_tokens" }));
    expect(await ask()).toMatchObject({
      outcome: "truncated",
      proposals: [],
      detail: "the reply was cut off before its end (max_tokens)",
    });
  });

  it("by which the model declines is an answer: it is not asked the same again within the hour", async () => {
    server.will(says("", { stopReason: "refusal", content: [] }));
    const one = escalation();
    expect(await ask(one)).toMatchObject({ outcome: "refused", proposals: [] });
    expect(one.decide(situation).why).toBe("same_unresolved_set");
    expect(one.view().failuresInARow).toBe(0);
  });
});

describe("parts of a reply that go no further", () => {
  const restart = (more: Record<string, unknown>) =>
    action({ type: "restart_service", target: "web", problem: web, ...more });
  it.each<[string, unknown, string, string]>([
    ["an unknown action", restart({ type: "run_shell" }), "unknown_action", "there is no such action"],
    [
      "an action of JavaScript's own",
      restart({ type: "constructor" }),
      "unknown_action",
      "there is no such action",
    ],
    [
      "an action without a candidate",
      restart({ type: "kill_tmux", target: "agent-1" }),
      "not_allowlisted",
      "the action was not offered",
    ],
    ["a foreign target", restart({ target: "sshd" }), "not_a_candidate", "the target was not offered"],
    [
      "a target with its unit type",
      restart({ target: "web.service" }),
      "not_a_candidate",
      "the target was not offered",
    ],
    [
      "a target that begins alike",
      restart({ target: "web " }),
      "not_a_candidate",
      "the target was not offered",
    ],
    [
      "a target of look-alike letters",
      restart({ target: "wеb" }),
      "not_a_candidate",
      "the target was not offered",
    ],
    [
      "a target with a control character",
      restart({ target: "web\u0000" }),
      "not_a_candidate",
      "the target was not offered",
    ],
    [
      "a target with a hidden character",
      restart({ target: "we\u200bb" }),
      "not_a_candidate",
      "the target was not offered",
    ],
    [
      "a target that is a path",
      restart({ target: "../../web" }),
      "not_a_candidate",
      "the target was not offered",
    ],
    ["no target", restart({ target: null }), "not_a_candidate", "the target was not offered"],
    [
      "a foreign problem",
      restart({ problem: "service:0000000000000000" }),
      "not_a_candidate",
      "the target was not offered for this problem",
    ],
    ["no reason", restart({ reason: undefined }), "invalid", "it does not have the shape of an action"],
    ["an empty reason", restart({ reason: " \u200b" }), "invalid", "its reason is empty"],
    [
      "a confidence above all",
      restart({ confidence: 7 }),
      "invalid",
      "it does not have the shape of an action",
    ],
    [
      "a confidence in words",
      restart({ confidence: "high" }),
      "invalid",
      "it does not have the shape of an action",
    ],
    [
      "a nested target",
      restart({ target: { unit: "web" } }),
      "invalid",
      "it does not have the shape of an action",
    ],
    [
      "a nested message",
      action({ problem: web, message: { text: "x" } }),
      "invalid",
      "it does not have the shape of an action",
    ],
    [
      "a nested problem",
      restart({ problem: { key: web } }),
      "invalid",
      "it does not have the shape of an action",
    ],
    [
      "an action within an action",
      restart({ reason: restart({}) }),
      "invalid",
      "it does not have the shape of an action",
    ],
    [
      "a list of actions in the list",
      [restart({}), restart({})],
      "invalid",
      "it does not have the shape of an action",
    ],
    [
      "a confidence that is a number in text",
      restart({ confidence: "0.9" }),
      "invalid",
      "it does not have the shape of an action",
    ],
    ["a type that is a number", restart({ type: 7 }), "invalid", "it does not have the shape of an action"],
    ["a list of targets", restart({ target: ["web"] }), "invalid", "it does not have the shape of an action"],
    ["an unknown key", restart({ command: "reboot" }), "invalid", "it does not have the shape of an action"],
    ["text", "restart_service web", "invalid", "it does not have the shape of an action"],
    ["null", null, "invalid", "it does not have the shape of an action"],
    ["an alert of nothing", action({ problem: web, message: "  " }), "invalid", "its message is empty"],
    [
      "an alert with a target",
      action({ problem: web, message: "x", target: "web" }),
      "not_a_candidate",
      "the target was not offered",
    ],
  ])("%s", async (_, raw, reason, why) => {
    server.will(says(reply({ actions: [raw] })));
    const { outcome, proposals, rejected, detail } = await ask();
    expect({ outcome, proposals, detail }).toEqual({
      outcome: "answered",
      proposals: [],
      detail: "the model asks for nothing; 1 action went no further",
    });
    expect(rejected).toHaveLength(1);
    expect(rejected[0]?.reason).toBe(reason);
    expect(rejected[0]?.why.startsWith(why), rejected[0]?.why).toBe(true);
  });

  it("are the repetitions: each deed once, each problem one alert", async () => {
    const actions = [
      restart({}),
      restart({ reason: "again" }),
      action({ problem: web, message: "a" }),
      action({ problem: web, message: "b" }),
    ];
    server.will(says(reply({ actions })));
    const { proposals, rejected } = await ask();
    expect(proposals.map(({ type }) => type)).toEqual(["restart_service", "alert"]);
    expect(rejected.map(({ what, reason }) => `${what}: ${reason}`)).toEqual([
      "restart_service web: duplicate",
      "alert: duplicate",
    ]);
  });

  it("are pids that came as text: only the very number that was offered counts", async () => {
    const memory = handled({
      type: "memory",
      subject: "landmass",
      condition: "full",
      summary: "memory is 95 % used",
    });
    const { key } = memory.finding;
    const kill = (target: unknown) => action({ type: "kill_pid", target, problem: key });
    server.will(says(reply({ actions: [kill("4242"), kill(4242.5), kill(-4242), kill(1), kill(4242)] })));
    const { proposals, rejected } = await ask(escalation(), { handled: [memory] });
    expect(proposals).toMatchObject([
      { type: "kill_pid", target: 4242, expect: { startTime: 777 }, problem: key },
    ]);
    expect(rejected.map(({ reason }) => reason)).toEqual([
      "not_a_candidate",
      "invalid",
      "not_a_candidate",
      "not_a_candidate",
    ]);
  });

  it("do not take the sound parts with them, and their text is made harmless", async () => {
    const evil = `web\u001b[2J\n${madeUpSecret("github", 3)}`;
    server.will(says(reply({ actions: [restart({ target: evil }), restart({})] })));
    const { proposals, rejected } = await ask();
    expect(proposals).toHaveLength(1);
    expect(rejected[0]?.what).toBe("restart_service web [redacted]");
  });
});

describe("what stands in the way on this side", () => {
  it("is a prompt that is not there: an error that names the file, and nothing is sent", async () => {
    rmSync(join(its.folder, "prompt.md"));
    const one = escalation();
    const { outcome, detail, requests } = await ask(one);
    expect({ outcome, requests }).toEqual({ outcome: "failed", requests: 0 });
    expect(detail).toBe(
      `${join(its.folder, "prompt.md")} cannot be read; the model is told there what it is (ARGUS_PROMPT_FILE)`,
    );
    expect(server.received).toEqual([]);
    expect(one.decide(situation).why).toBe("asked");
  });

  it("is a key that no header can hold: it is not repeated anywhere", async () => {
    const secret = madeUpSecret("alnum40", 4);
    const { outcome, detail } = await ask(
      escalation(its.config({ anthropicKey: `${secret}\u0000${secret}` })),
    );
    expect(outcome).toBe("failed");
    expect(`${detail} ${notes.join(" ")}`).not.toContain(secret);
    expect(server.received).toEqual([]);
  });

  it("is not the end of the line that a key was copied with", async () => {
    expect((await ask(escalation(its.config({ anthropicKey: "test-key\n" })))).outcome).toBe("answered");
    expect(server.received[0]?.headers.authorization).toBe("Bearer test-key");
  });

  it("is an empty prompt", async () => {
    writeFileSync(join(its.folder, "prompt.md"), " \n\n");
    const { detail } = await ask();
    expect(detail).toBe(
      `${join(its.folder, "prompt.md")} is empty; the model is told there what it is (ARGUS_PROMPT_FILE)`,
    );
    expect(server.received).toEqual([]);
  });

  it("is a state folder in which the request cannot be counted: then it is not sent", async () => {
    const one = escalation();
    writeFileSync(join(its.folder, "state"), "a file where the folder should be");
    const { outcome, detail } = await ask(one);
    expect(outcome).toBe("failed");
    expect(detail).toMatch(/^escalation.json could not be written, so the model was not asked: /);
    expect(server.received).toEqual([]);
    expect(one.decide(situation).why).toBe("cooldown");
  });

  it("is a log folder in which the reply cannot be kept: that is said, and the answer counts", async () => {
    writeFileSync(join(its.folder, "logs"), "a file where the folder should be");
    expect((await ask()).outcome).toBe("answered");
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^last_response.json could not be written: /);
  });

  it("is an Argus that ended while it waited: the next one counts the request and cools down", async () => {
    server.will(hangs);
    const stop = new AbortController();
    const asked = ask(escalation(), { signal: stop.signal });
    while (server.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const next = escalation();
    expect(next.view()).toMatchObject({ requests: { used: 1 }, failuresInARow: 1 });
    expect(next.decide(situation)).toMatchObject({ asked: false, why: "cooldown" });
    stop.abort();
    await asked;
  });

  it("is a state file that cannot be understood: it is set aside and said", async () => {
    mkdirSync(join(its.folder, "state"));
    writeFileSync(join(its.folder, "state/escalation.json"), '{"version":99}');
    expect(escalation().decide(situation).asked).toBe(true);
    expect(existsSync(join(its.folder, "state/escalation.json.corrupt-1"))).toBe(true);
    expect(notes).toHaveLength(1);
  });
});

describe("what is remembered", () => {
  it("outlives Argus: asked, spent and cooled down", async () => {
    await ask();
    const next = escalation();
    expect(next.decide(situation).why).toBe("same_unresolved_set");
    expect(next.view()).toMatchObject({
      requests: { used: 1, limit: 50 },
      tokens: { used: 5700, limit: 1_000_000 },
      last: { outcome: "answered", detail: "the model asks for nothing" },
    });
  });

  it("holds the daily budget of requests, the repeated ones included", async () => {
    server.will(fails(500, "api_error", "x"));
    const one = escalation(its.config({ model: { dailyCalls: 2 } }));
    expect((await ask(one)).requests).toBe(2);
    its.clock.pass(7200);
    expect(one.decide(situation)).toMatchObject({ why: "daily_budget" });
    its.clock.pass(86_400);
    expect(one.decide(situation).why).toBe("asked");
  });

  it("holds the daily budget of tokens", async () => {
    const one = escalation(its.config({ model: { dailyTokens: 5000 } }));
    await ask(one);
    its.clock.pass(3600);
    expect(one.decide(situation)).toMatchObject({
      why: "daily_budget",
      detail: "1 unresolved problem, but 5700 of 5000 tokens of 24 hours are used (ARGUS_LLM_DAILY_TOKENS)",
    });
  });
});

describe("evidence", () => {
  function journalctl(script: string): void {
    mkdirSync(join(its.folder, "bin"), { recursive: true });
    writeFileSync(join(its.folder, "bin/journalctl"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(its.folder, "bin/journalctl"), 0o755);
  }
  const told = () => JSON.parse(server.received[0]?.body.messages[0]?.content.split("\n\n")[1] ?? "");

  it("is the tail of the failed unit's journal, without its secrets", async () => {
    const secret = madeUpSecret("pass", 9);
    journalctl(`echo "$@" > ${join(its.folder, "arguments")}
/bin/echo '2026-11-20T10:00:00+0000 web[7]: connecting with DB_PASSWORD=${secret}'
/bin/echo '2026-11-20T10:00:01+0000 web[7]: Error: listen EADDRINUSE 127.0.0.1:8080'`);
    await ask();
    expect(told().journal).toEqual([
      {
        unit: "web",
        lines: [
          "2026-11-20T10:00:00+0000 web[7]: connecting with DB_PASSWORD=[redacted]",
          "2026-11-20T10:00:01+0000 web[7]: Error: listen EADDRINUSE 127.0.0.1:8080",
        ],
      },
    ]);
    expect(readFileSync(join(its.folder, "arguments"), "utf8")).toContain("--unit=web");
  });

  it("that cannot be had is said to be missing", async () => {
    await ask();
    expect(told().journal).toEqual([{ unit: "web", missing: "there is no journalctl here" }]);
  });

  it("is not collected for what rules resolved", async () => {
    journalctl(`echo called >> ${join(its.folder, "called")}`);
    const resolved = handled({ subject: "other", resolves: true });
    const memory = handled({ type: "memory", subject: "landmass", condition: "full" });
    await ask(escalation(), { handled: [resolved, memory] });
    expect(existsSync(join(its.folder, "called"))).toBe(false);
    expect(told().journal).toEqual([]);
  });

  it("tells what was tried: the model never sees a failed remedy as a candidate again", async () => {
    const failed = handled({ rule: "service-down", resolves: true }, [record()]);
    const consultation = await ask(escalation(), { handled: [failed] });
    expect(consultation.candidates).toEqual({});
    expect(told().problems[0].findings[0].tried_now).toEqual([
      {
        action: "restart_service web",
        result: "failure",
        refusal: null,
        verified: false,
        detail: "it failed again",
      },
    ]);
    expect(told().not_allowed_now).toEqual([
      "restart_service web: a rule asked for it in this cycle already",
    ]);
  });
});
