/** Which problems a coding agent is given, what it is told, and what its answer comes to. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Handled } from "../../src/escalate/alerts.ts";
import { handOffProposals } from "../../src/escalate/hand-off.ts";
import { createHandOffReader } from "../../src/escalate/hand-off-report.ts";
import { Proposal } from "../../src/types/action.ts";
import type { AgentResult, HandOffRun } from "../../src/types/hand-off.ts";
import { cycle } from "../report/cycles.ts";
import { madeUpSecret } from "../system/made-up-secrets.ts";
import { action, reply } from "./model-server.ts";
import { type Bench, bench, handled, problem, record, serviceFact, snapshot } from "./samples.ts";

let its: Bench;
beforeEach(() => {
  its = bench("http://127.0.0.1:9");
});
afterEach(() => its.remove());

const agent = { user: "agent", directory: "/srv/agent", command: ["claude", "-p"] };
const settings = { services: [{ unit: "web", restart: true }], handOff: agent };
const stop = new AbortController().signal;

const run = (more: Partial<HandOffRun> = {}): HandOffRun => ({
  id: "20261120100000-0001",
  problem: handled().finding.key,
  startedAt: "2026-11-20T09:59:00.000Z",
  state: "running",
  result: null,
  ...more,
});

interface Case {
  readonly found?: Handled;
  readonly openedAt?: string;
  readonly runs?: readonly HandOffRun[];
  /** When it was last handed off, before what the executor remembers. */
  readonly given?: string;
  /** When the model was asked; null: never. */
  readonly asked?: string | null;
  readonly config?: object;
}

async function proposed({
  found = handled(),
  openedAt = "2026-11-20T09:00:00Z",
  runs = [],
  given,
  asked = "2026-11-20T09:45:00Z",
  config = {},
}: Case = {}) {
  const context = {
    cycle: "c1",
    host: "landmass",
    snapshot: snapshot({ service: [serviceFact()] }),
    handled: [found],
    problems: [problem(found.finding, { openedAt })],
    recent: [
      cycle({
        findings: [{ ...found.finding, resolved: false, why: "" } as never],
        actions: [record({ problem: found.finding.key, detail: "it failed with token=hunter2" })],
      }),
    ],
    runs,
    lastGiven: () => given ?? null,
    wasAsked: (_: string, sinceMs: number) => asked !== null && Date.parse(asked) >= sinceMs,
    signal: stop,
  };
  return handOffProposals(its.system, its.config({ settings, ...config }), runs, () => context);
}

describe("a problem is given to the coding agent", () => {
  it("when it stays unresolved after the model was asked, with all that is known and no secret", async () => {
    const [proposal, ...more] = await proposed();
    expect(more).toEqual([]);
    expect(Proposal.safeParse(proposal).success).toBe(true);
    expect(proposal).toMatchObject({ type: "hand_off", source: "self", problem: handled().finding.key });
    const { incident = "" } = proposal ?? {};
    for (const part of [
      "Answer with ONE JSON object",
      '"allowed_actions"',
      '"restart_service"',
      "web failed (exit-code)",
      "it failed with",
    ])
      expect(incident).toContain(part);
    expect(incident).not.toContain("hunter2");
  });

  const cases: [string, Case, boolean][] = [
    ["it is open for half an hour", { openedAt: "2026-11-20T09:30:00Z" }, true],
    ["it is open for less", { openedAt: "2026-11-20T09:30:01Z" }, false],
    ["the model was not asked about it", { asked: null }, false],
    ["the model was asked about it in the outage before", { asked: "2026-11-20T08:00:00Z" }, false],
    ["there is no model to ask", { asked: null, config: { anthropicKey: null } }, true],
    [
      "it has been open for days, and was handed off when it began",
      { openedAt: "2026-11-15T10:00:00Z", given: "2026-11-15T10:40:00.000Z" },
      false,
    ],
    [
      "it was handed off days ago, in an outage before",
      { openedAt: "2026-11-20T09:00:00Z", given: "2026-11-15T10:40:00.000Z" },
      true,
    ],
    ["it is only worth a note", { found: handled({ severity: "info" }) }, false],
    ["rules resolve it", { found: handled({ resolves: true }) }, false],
    [
      "its rule asks for the agent, at once",
      { found: handled({ actions: [{ type: "hand_off" }] }), openedAt: "2026-11-20T10:00:00Z", asked: null },
      true,
    ],
    [
      "its rule asks for the agent, and says that nobody else need look",
      { found: handled({ actions: [{ type: "hand_off" }], resolves: true }) },
      true,
    ],
    [
      "it waits for approval",
      { found: handled({ resolves: true }, [record({ result: "skipped", refusal: "needs_approval" })]) },
      false,
    ],
    ["an agent is at work on another one", { runs: [run({ problem: "disk:0123456789abcdef" })] }, false],
    ["it was handed off in this outage", { runs: [run({ state: "ended" })] }, false],
    [
      "it was handed off in the very second in which it began",
      {
        openedAt: "2026-11-20T09:00:00Z",
        runs: [run({ state: "ended", startedAt: "2026-11-20T09:00:00.123Z" })],
      },
      false,
    ],
    [
      "it was handed off in the outage before",
      { runs: [run({ state: "ended", startedAt: "2026-11-20T08:00:00.000Z" })] },
      true,
    ],
    [
      "as many as the day allows were handed off",
      { runs: ["a", "b", "c"].map((id) => run({ id, problem: "disk:0123456789abcdef", state: "ended" })) },
      false,
    ],
    ["the settings name no agent", { config: { settings: { services: [] } } }, false],
  ];
  it.each(cases)("when %s", async (_, given, wanted) => {
    expect(await proposed(given)).toHaveLength(wanted ? 1 : 0);
  });
});

describe("that a problem was given to an agent", () => {
  const reader = () => createHandOffReader(its.system, its.config({ settings }), () => undefined);
  const key = handled().finding.key;

  it("is known for longer than the executor tells of it, also after a restart of Argus", () => {
    const first = reader();
    expect(first.lastGiven(key)).toBeNull();
    expect(first.read([run()], [], {})).toEqual([]);
    first.read([], [], {});
    expect(first.lastGiven(key)).toBe("2026-11-20T09:59:00.000Z");
    expect(reader().lastGiven(key)).toBe("2026-11-20T09:59:00.000Z");
    reader().read([run({ startedAt: "2026-11-19T09:59:00.000Z" })], [], {});
    expect(reader().lastGiven(key)).toBe("2026-11-20T09:59:00.000Z");
  });

  it("is known of the newest 200, so that the file does not grow", () => {
    for (let each = 0; each < 210; each += 1) {
      const startedAt = new Date(Date.UTC(2026, 10, 1, each)).toISOString();
      reader().read([run({ problem: `disk:${String(each).padStart(16, "0")}`, startedAt })], [], {});
    }
    expect(reader().lastGiven("disk:0000000000000009")).toBeNull();
    expect(reader().lastGiven("disk:0000000000000010")).not.toBeNull();
    expect(reader().lastGiven("disk:0000000000000209")).not.toBeNull();
  });
});

describe("what an agent leaves", () => {
  const result = (output: string, more: Partial<AgentResult> = {}): AgentResult => ({
    exitCode: 0,
    timedOut: false,
    seconds: 42,
    output,
    errors: "",
    ...more,
  });
  const read = (left: AgentResult | null, found: readonly Handled[] = [handled()]) => {
    const reader = createHandOffReader(its.system, its.config({ settings }), () => undefined);
    return reader.read([run({ state: "ended", result: left })], found, { service: [serviceFact()] });
  };
  const key = handled().finding.key;
  const restart = (target: string) =>
    action({ type: "restart_service", target, problem: key, reason: "its port is free again" });

  it("comes to proposals for what was offered, and to named rejections of the rest", () => {
    const text = reply({
      assessment: "The port was taken.",
      observations: ["Look at cron."],
      actions: [restart("web"), restart("sshd")],
    });
    const envelope = JSON.stringify({ type: "result", result: text, total_cost_usd: 0.12 });
    const [one] = read(result(envelope));
    expect(one?.report).toMatchObject({
      outcome: "answered",
      detail: "it asks for 1 action",
      assessment: "The port was taken.",
      observations: ["Look at cron."],
      rejected: [{ reason: "not_a_candidate" }],
      seconds: 42,
      costDollars: 0.12,
    });
    expect(one?.advice.proposals).toMatchObject([
      { type: "restart_service", target: "web", source: "llm:hand-off", problem: key },
    ]);
    expect(one?.advice.candidates).toEqual({ restart_service: ["web"] });
  });

  it("is told once, also after a restart of Argus", () => {
    expect(read(result("x"))).toHaveLength(1);
    expect(read(result("x"))).toEqual([]);
  });

  it("proposes nothing for a problem that is over", () => {
    const [one] = read(result(reply({ actions: [restart("web")] })), []);
    expect(one?.advice.proposals).toEqual([]);
    expect(one?.report).toMatchObject({ outcome: "answered", rejected: [{ reason: "not_allowlisted" }] });
    expect(one?.report.detail).toContain("the problem was over by then");
  });

  it("is kept as its report when it is no such answer, without secrets", () => {
    const secret = madeUpSecret("pass", 9);
    const [one] = read(result(`I found DB_PASSWORD=${secret} in the unit.`));
    expect(one?.report).toMatchObject({
      outcome: "text",
      assessment: "I found DB_PASSWORD=[redacted] in the unit.",
      costDollars: null,
    });
    expect(one?.advice).toEqual({ proposals: [], candidates: {} });
  });

  const failures: [AgentResult | null, string, string][] = [
    [null, "failed", "it left no result"],
    [result("", { timedOut: true, seconds: 900, exitCode: null }), "timed_out", "it was killed after 15 min"],
    [
      result(
        JSON.stringify({ subtype: "success", is_error: true, result: "Invalid API key", total_cost_usd: 0 }),
      ),
      "failed",
      "it says that it failed: Invalid API key",
    ],
    [result("", { exitCode: 1, errors: "not logged in" }), "failed", "it ended with status 1: not logged in"],
    [
      result("", { exitCode: null, errors: "there is no program claude here" }),
      "failed",
      "it was not started, or was killed by a signal: there is no program claude here",
    ],
  ];
  it.each(failures)("says how it failed: %j", (left, outcome, detail) => {
    const [one] = read(left);
    expect(one?.report).toMatchObject({ outcome, detail, proposals: [] });
  });
});
