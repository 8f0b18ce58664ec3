/** The model through the whole program: asked only about what is unresolved, and explained afterwards. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { action, reply, says, startModelServer } from "../escalate/model-server.ts";
import { type Argus, afterThis, argus, ended } from "./argus.ts";

const rule = (resolves: boolean) => ({
  rules: [
    {
      name: "always",
      description: "Holds on every machine",
      conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
      event: {
        type: "check",
        params: {
          condition: "always",
          severity: "warning",
          subject: "cores",
          summary: "there are cores",
          resolves,
        },
      },
    },
  ],
});

/** The server runs in this process, so the program must not block it. */
async function once(watch: Argus) {
  const child = watch.start("run", "--once", "--json");
  expect(await ended(child), child.output()).toBe(0);
  return JSON.parse(child.output());
}

async function withServer() {
  const server = await startModelServer();
  afterThis(() => void server.close());
  const env = { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.url };
  return { server, watch: argus(env) };
}

const messages = (watch: Argus): string[] =>
  readdirSync(watch.state("outbox"))
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(`${watch.state("outbox")}/${name}`, "utf8")).text as string);

test("is asked about what no rule resolves; its words go along with the rule's, and explain shows both", async () => {
  const { server, watch } = await withServer();
  watch.rule("mine.json", rule(false));
  server.will((response, received) => {
    const document = received.body.messages[0]?.content ?? "";
    const key = /check:[0-9a-f]{16}/.exec(document)?.[0] ?? "";
    const alert = action({
      type: "alert",
      problem: key,
      message: "More cores than needed.",
      confidence: 0.9,
    });
    says(reply({ assessment: "Nothing is wrong with cores.", actions: [alert] }))(response, received);
  });
  const first = await once(watch);
  expect(first.cycle.model).toMatchObject({ asked: true, why: "asked" });
  expect(first.consultation).toMatchObject({
    outcome: "answered",
    assessment: "Nothing is wrong with cores.",
  });
  expect(first.actions).toMatchObject([{ type: "alert", source: "llm:claude-haiku-5-5", result: "success" }]);
  expect(first.findings).toMatchObject([{ rule: "always", resolved: false }]);
  expect(messages(watch)).toHaveLength(1);
  expect(messages(watch)[0]).toContain("there are cores");
  expect(messages(watch)[0]).toContain("The model: More cores than needed.");

  const explained = watch.run("explain").stdout;
  for (const part of [
    "always",
    "mine.json:",
    "host.cores",
    "answered",
    "Nothing is wrong with cores.",
    first.findings[0].key,
  ]) {
    expect(explained).toContain(part);
  }
  const second = await once(watch);
  expect(second.cycle.model).toMatchObject({ asked: false, why: "same_unresolved_set" });
  expect(server.received).toHaveLength(1);
});

test("is not asked when rules resolve all that was found", async () => {
  const { server, watch } = await withServer();
  watch.rule("mine.json", rule(true));
  const cycle = await once(watch);
  expect(cycle.cycle.model).toMatchObject({ asked: false, why: "every_finding_resolved" });
  expect(server.received).toEqual([]);
});

test("when it does not answer, or there is no key, the finding alerts by itself", async () => {
  const { server, watch } = await withServer();
  watch.rule("mine.json", rule(false));
  server.will((response) => {
    response.writeHead(401, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ type: "error", error: { type: "authentication_error", message: "invalid key" } }),
    );
  });
  const failed = await once(watch);
  expect(failed.consultation).toMatchObject({ outcome: "failed", proposals: [] });
  expect(failed.actions).toMatchObject([{ type: "alert", source: "rule:always", result: "success" }]);
  expect(messages(watch)).toHaveLength(1);
  expect(watch.run("status").stdout).toMatch(/Model +claude-haiku-5-5: 1 of \d+ requests/);

  const keyless = argus();
  keyless.rule("mine.json", rule(false));
  const cycle = keyless.once();
  expect(cycle.cycle.model).toMatchObject({ asked: false, why: "no_key" });
  expect(cycle.actions).toMatchObject([{ type: "alert", source: "rule:always", result: "success" }]);
});

test("what it was asked, what it cost and which calls were avoided is counted by stats", async () => {
  const { watch } = await withServer();
  watch.rule("mine.json", rule(false));
  await once(watch);
  await once(watch);
  const stats = JSON.parse(watch.run("stats", "--json").stdout);
  expect(Date.parse(stats.to) - Date.parse(stats.from)).toBe(7 * 86_400_000);
  expect(stats).toMatchObject({
    cycles: { total: 2, byTrigger: { once: 2 }, withFindings: 2 },
    problems: { opened: 1, resolved: 0, secondsToHeal: null },
    // 4,000 tokens in, 200 out and 1,500 from the cache, at the price of the default model.
    model: {
      calls: 1,
      byOutcome: { answered: 1 },
      avoided: { same_unresolved_set: 1 },
      tokens: 5700,
      callsWithoutPrice: 0,
      days: [{ calls: 1, tokens: 5700 }],
      resolvedByModel: 0,
    },
    actions: [{ action: "alert", source: "rule", asked: 2, done: 1, refused: { duplicate: 1 } }],
    rules: [{ rule: "always", fired: 2 }],
  });
  expect(stats.model.costDollars).toBeCloseTo(0.000515, 9);
  const text = watch.run("stats", "--since", "24h").stdout;
  expect(text).toContain("1 call (1 answered): 5,700 tokens");
  expect(text).toContain("1 call avoided (1 same_unresolved_set)");
  expect(text).toContain("$0.0005 in all");
  expect(text).toContain("always  in 2 cycles");
  expect(watch.run("stats", "--since", "soon")).toMatchObject({
    status: 2,
    stdout: "",
    stderr: expect.stringContaining("such as 30m, 2h or 7d"),
  });
});

test("a daily look at the whole stands in the trail, and explain and summary tell what it came to", async () => {
  const { server, watch } = await withServer();
  watch.rule("mine.json", rule(true));
  watch.env["ARGUS_LLM_REVIEW"] = "daily";
  server.will(says(reply({ assessment: "The machine is well.", observations: ["/ fills slowly."] })));
  const dry = JSON.parse(watch.run("run", "--once", "--json", "--dry-run").stdout);
  expect(dry.cycle.model).toEqual({
    asked: false,
    why: "dry_run",
    detail: "the daily look at the whole is due, but a dry run asks nobody",
  });
  const first = await once(watch);
  expect(first.cycle.model).toMatchObject({ asked: true, why: "asked" });
  expect(first.consultation).toMatchObject({ outcome: "answered", told: { problems: [], candidates: 0 } });
  const second = await once(watch);
  expect(second.cycle.model).toMatchObject({ asked: false, why: "every_finding_resolved" });
  expect(server.received).toHaveLength(1);

  const explained = watch.run("explain", first.cycle.id).stdout;
  for (const part of ["about the whole", "The machine is well.", "/ fills slowly.", "it proposed nothing"])
    expect(explained).toContain(part);
  expect(watch.run("summary").stdout).toContain(
    "The model's look at the whole: The machine is well.\n- / fills slowly.",
  );
  expect(JSON.parse(watch.run("stats", "--json").stdout).model).toMatchObject({
    calls: 1,
    avoided: { every_finding_resolved: 1, dry_run: 1 },
  });
});
