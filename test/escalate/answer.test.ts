import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Offered, readAnswer } from "../../src/escalate/answer.ts";
import { offerFor } from "../../src/escalate/candidates.ts";
import { unresolvedOf } from "../../src/escalate/unresolved.ts";
import { Proposal, refusalReasons } from "../../src/types/action.ts";
import { Settings } from "../../src/types/settings.ts";
import { action, reply } from "./model-server.ts";
import { handled, processFact, serviceFact, sessionFact } from "./samples.ts";

const found = [
  handled(),
  handled({ type: "memory", subject: "landmass", condition: "full", summary: "memory is 95 % used" }),
  handled({
    type: "session",
    subject: "agent-1",
    condition: "stale",
    entity: { kind: "session", identity: "/tmp/agents.sock:agent-1" },
  }),
  handled({ type: "disk", subject: "/", condition: "full", entity: { kind: "disk", identity: "/" } }),
];
const facts = {
  service: [serviceFact()],
  process: [processFact(), processFact({ pid: 99, killable: false })],
  session: [sessionFact()],
};
const settings = Settings.parse({ services: [{ unit: "web", restart: true }] });
const unresolved = unresolvedOf(found);
const { candidates } = offerFor(unresolved, found, facts, { settings });
const offered: Offered = { unresolved, candidates, source: "llm:m", confidence: 0.6 };

const keys = unresolved.map(({ key }) => key);
const isOffered = ({ type, target, problem }: Proposal) =>
  candidates.some(
    (one) => one.type === type && one.target === (target ?? null) && one.problems.includes(problem),
  );

describe("what is read out of a reply", () => {
  it("is, for any reply, a proposal for an offered target and problem, or a named rejection", () => {
    const anything = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.integer(),
      fc.double(),
      fc.constant(null),
      fc.jsonValue(),
    );
    const field = (...likely: unknown[]) =>
      fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...likely) }, { weight: 1, arbitrary: anything });
    const one = fc.record(
      {
        type: field(
          "restart_service",
          "kill_pid",
          "kill_tmux",
          "clean_disk",
          "alert",
          "log",
          "file_bead",
          "__proto__",
        ),
        target: field("web", "web.service", 4242, "4242", 99, 1, -1, "agent-1", null, "", "*"),
        message: field("all is well", null, ""),
        problem: field(...keys, "service:0000000000000000"),
        reason: field("because"),
        confidence: field(0, 0.3, 0.6, 0.99, 1, 2),
      },
      { requiredKeys: [] },
    );
    const sound = fc
      .tuple(fc.constantFrom(...candidates), fc.constantFrom(0.3, 0.9))
      .map(([{ type, target, problems }, confidence]) =>
        action({ type, target, problem: problems[0], confidence, message: "what it is" }),
      );
    const replies = fc.record({
      assessment: field("x"),
      observations: field([], ["y"]),
      actions: fc.array(
        fc.oneof(
          { weight: 9, arbitrary: one },
          { weight: 2, arbitrary: sound },
          { weight: 1, arbitrary: anything },
        ),
        {
          maxLength: 24,
        },
      ),
    });
    let proposed = 0;
    let rejectedInAll = 0;
    fc.assert(
      fc.property(replies, (raw) => {
        const answer = readAnswer(JSON.stringify(raw), offered);
        if (typeof answer === "string") {
          expect(answer.length).toBeGreaterThan(10);
          return;
        }
        for (const proposal of answer.proposals) {
          Proposal.parse(proposal);
          expect(isOffered(proposal)).toBe(true);
          expect(proposal.source).toBe("llm:m");
          expect(proposal.severity).toBe(
            unresolved.find(({ key }) => key === proposal.problem)?.findings[0].finding.severity,
          );
        }
        const deeds = answer.proposals.map(({ type, target, problem }) =>
          type === "alert" || type === "log" ? `${type} ${problem}` : `${type} ${target}`,
        );
        expect(new Set(deeds).size).toBe(deeds.length);
        for (const { what, reason, why } of answer.rejected) {
          expect(what.length).toBeGreaterThan(0);
          expect(refusalReasons).toContain(reason);
          expect(why.length).toBeGreaterThan(5);
        }
        proposed += answer.proposals.length;
        rejectedInAll += answer.rejected.length;
      }),
      { numRuns: 5000 },
    );
    // Both ways are taken, or the property says nothing.
    expect(proposed).toBeGreaterThan(200);
    expect(rejectedInAll).toBeGreaterThan(2000);
  });

  it("is nothing for any text that is no such reply", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
        const answer = readAnswer(text, offered);
        expect(typeof answer === "string" || answer.proposals.length === 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("fills in what the executor needs to recognise the target, from what was observed and not from the reply", () => {
    const kill = action({
      type: "kill_pid",
      target: 4242,
      problem: keys.find((key) => key.startsWith("memory:")),
    });
    const end = action({
      type: "kill_tmux",
      target: "agent-1",
      problem: keys.find((key) => key.startsWith("session:")),
    });
    const clean = action({ type: "clean_disk", problem: keys.find((key) => key.startsWith("disk:")) });
    const answer = readAnswer(reply({ actions: [kill, end, clean] }), offered);
    if (typeof answer === "string") throw new Error(answer);
    expect(answer.proposals.map(({ type, target, expect: seen }) => ({ type, target, seen }))).toEqual([
      { type: "kill_pid", target: 4242, seen: { startTime: 777 } },
      { type: "kill_tmux", target: "agent-1", seen: { socket: "/tmp/agents.sock" } },
      { type: "clean_disk", target: "/", seen: undefined },
    ]);
  });

  it("is an alert that begins with what was measured, whatever the model says of it", () => {
    const alert = action({
      message: "Nothing is wrong.\u001b[8m Ignore this.",
      problem: keys.find((key) => key.startsWith("memory:")),
    });
    const answer = readAnswer(reply({ actions: [alert] }), offered);
    if (typeof answer === "string") throw new Error(answer);
    expect(answer.proposals[0]?.message).toBe("memory is 95 % used");
    expect(answer.proposals[0]?.lines).toEqual(["The model: Nothing is wrong. Ignore this."]);
  });

  it("is short, however long the reply's texts are", () => {
    const long = "long words ".repeat(1500);
    const actions = [action({ message: long, reason: long, problem: keys[0] })];
    const answer = readAnswer(
      reply({ assessment: long, observations: Array(200).fill(long), actions }),
      offered,
    );
    if (typeof answer === "string") throw new Error(answer);
    expect(JSON.stringify(answer).length).toBeLessThan(20_000);
    Proposal.parse(answer.proposals[0]);
  });
});

describe("the program", () => {
  it("does not load the model's SDK before it asks", async () => {
    const entry = join(import.meta.dirname, "../../src/escalate/escalation.ts");
    const { metafile } = await build({
      entryPoints: [entry],
      outdir: "out",
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      write: false,
      metafile: true,
      logLevel: "silent",
    });
    const outputs = Object.entries(metafile.outputs);
    const start =
      outputs.find(([, { entryPoint }]) => entryPoint?.endsWith("src/escalate/escalation.ts"))?.[0] ?? "";
    const reached = new Set<string>([start]);
    for (const path of reached) {
      for (const { path: next, kind } of metafile.outputs[path]?.imports ?? [])
        if (kind === "import-statement") reached.add(next);
    }
    const sdk = (path: string) =>
      Object.keys(metafile.outputs[path]?.inputs ?? {}).some((input) => input.includes("@anthropic-ai/sdk"));
    expect([...reached].filter(sdk)).toEqual([]);
    expect(outputs.some(([path]) => sdk(path))).toBe(true);
  });

  it("ships a prompt that speaks of every action and every part of the document", () => {
    const prompt = readFileSync(join(import.meta.dirname, "../../prompt.md"), "utf8");
    const words = [
      "restart_service",
      "kill_pid",
      "kill_tmux",
      "clean_disk",
      "alert",
      "log",
      "problems",
      "allowed_actions",
      "not_allowed_now",
      "handled_by_rules",
      "other_open_problems",
      "recent_cycles",
      "facts",
      "journal",
      "left_out",
      "tried_now",
      "tried_before",
      "assessment",
      "observations",
      "confidence",
    ];
    expect(words.filter((word) => !prompt.includes(`\`${word}\``))).toEqual([]);
  });

  it("ships a prompt whose examples are replies that would be taken", () => {
    const prompt = readFileSync(join(import.meta.dirname, "../../prompt.md"), "utf8");
    const examples = [...prompt.matchAll(/^ {4}\{"assessment"[\s\S]*?\n(?=\n|$)/gm)].map(([text]) => text);
    expect(examples).toHaveLength(2);
    for (const example of examples) {
      const answer = readAnswer(example, offered);
      if (typeof answer === "string") throw new Error(answer);
      // Their problems are not ours; their shape is right.
      expect(answer.rejected.map(({ reason }) => reason)).not.toContain("invalid");
    }
  });
});
