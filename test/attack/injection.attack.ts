/**
 * Instructions in whatever the machine says, and a model that obeys them all: through the real client, the real
 * briefing, the real parser and the real executor, over a machine that writes every effect down.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Handled } from "../../src/escalate/alerts.ts";
import { createEscalation } from "../../src/escalate/escalation.ts";
import { createExecutor } from "../../src/execute/executor.ts";
import type { Policy } from "../../src/execute/policy.ts";
import { refusalReasons } from "../../src/types/action.ts";
import { entityIdentity } from "../../src/types/facts.ts";
import type { Facts } from "../../src/types/snapshot.ts";
import { type ModelServer, startModelServer } from "../escalate/model-server.ts";
import { bench, handled, processFact, serviceFact, sessionFact, snapshot } from "../escalate/samples.ts";
import { type ModelMachine, modelMachine, orphanPids, socket } from "../execute/model-machine.ts";
import { policy as defaults, temporaryFolder } from "../execute/support.ts";
import { disguises, wishes } from "./hostile.ts";
import { obedientModel } from "./obedient.ts";

const policy: Policy = {
  ...defaults,
  killable: ["node"],
  tmuxSockets: [socket],
  restartable: [{ unit: "web.service", requires: [] }],
};
const settings = {
  services: [{ unit: "web", restart: true }],
  tmuxSockets: [socket],
  processes: { killable: ["node"] },
};
const model = obedientModel();
const counts = {
  snapshots: 0,
  "instructions that reached the model": 0,
  "actions it asked for": 0,
  "let through by the parser": 0,
  "forced past the parser": 0,
  "done on the machine": 0,
};
const refused = new Map<string, number>();
const count = (reason: string) => refused.set(reason, (refused.get(reason) ?? 0) + 1);

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
  server.will(model.behaviour);
});
afterAll(async () => {
  await server.close();
  counts["instructions that reached the model"] = model.obeyed;
  counts["actions it asked for"] = model.asked;
  const rows = [...Object.entries(counts), ...[...refused].sort(([, a], [, b]) => b - a)];
  console.log(rows.map(([what, number]) => `${String(number).padStart(8)}  ${what}`).join("\n"));
});

/** Where the attacker's text stands: each is a place that somebody else than the operator writes. */
const places = [
  "command line",
  "process name",
  "user and container",
  "unit name",
  "journal",
  "tmux session",
  "endpoint error",
  "mount point",
] as const;
type Place = (typeof places)[number];

function scene(place: Place, text: string, machine: ModelMachine): { facts: Facts; found: Handled[] } {
  const at = <T>(wanted: Place, hostile: T, otherwise: T): T => (place === wanted ? hostile : otherwise);
  const [pid = 0] = orphanPids;
  const process = processFact({
    pid,
    startTime: machine.startTimeOf(pid),
    name: at("process name", text, "node"),
    commandLine: at("command line", `node ${text}`, "node --test"),
    arguments: ["node", at("command line", text, "--test")],
    user: at("user and container", text, "deploy"),
    container: at("user and container", text, null),
  });
  const unit = at("unit name", text, "web");
  const session = at("tmux session", text, "one");
  const facts: Facts = {
    process: [process],
    service: [serviceFact(), serviceFact({ name: unit, restartable: false })],
    session: [...new Set(["one", session])].map((name) => sessionFact({ socket, name })),
    endpoint: [
      {
        name: "api",
        url: "http://127.0.0.1:9000/",
        ok: false,
        status: null,
        latencyMilliseconds: null,
        error: at("endpoint error", text, "connection refused"),
        service: null,
        watched: true,
      } as never,
    ],
    disk: [
      {
        mount: at("mount point", text, "/data"),
        device: "/dev/sda1",
        type: "ext4",
        usedPercent: 99,
      } as never,
    ],
  };
  const identity = entityIdentity("process", process);
  const found = [
    handled({ summary: `${unit} failed`, subject: unit, entity: { kind: "service", identity: unit } }),
    handled({
      type: "process",
      subject: process.name,
      condition: "odd",
      summary: `${process.name} runs ${process.commandLine}`,
      entity: { kind: "process", identity },
    }),
    handled({
      type: "session",
      subject: session,
      condition: "stale",
      summary: `session ${session} is stale`,
      entity: {
        kind: "session",
        identity: entityIdentity("session", sessionFact({ socket, name: session })),
      },
    }),
    handled({ type: "disk", subject: at("mount point", text, "/data"), condition: "full", entity: null }),
    handled({
      type: "endpoint",
      subject: "api",
      condition: "down",
      entity: { kind: "endpoint", identity: "api" },
    }),
  ];
  return { facts, found };
}

async function attack(place: Place, text: string): Promise<void> {
  const machine = modelMachine();
  const its = bench(server.url);
  const stateDir = temporaryFolder();
  const signal = new AbortController().signal;
  try {
    const journal = {
      exitCode: 0,
      stdout: place === "journal" ? `${text}\n${text}\n` : "",
      stderr: "",
      timedOut: false,
      missing: false,
    };
    const system = { ...its.system, run: async () => journal };
    const { facts, found } = scene(place, text, machine);
    const escalation = createEscalation(system, its.config({ settings }), () => undefined);
    const consultation = await escalation.ask({
      cycle: "c1",
      host: "landmass",
      snapshot: snapshot(facts),
      handled: found,
      problems: [],
      recent: [],
      signal,
    });
    expect(consultation.outcome, consultation.detail).toBe("answered");
    for (const { reason, why } of consultation.rejected) {
      expect(refusalReasons).toContain(reason);
      expect(why).not.toBe("");
      count(`${reason}, by the parser`);
    }
    counts["let through by the parser"] += consultation.proposals.length;

    const executor = createExecutor(
      machine.system,
      { ...policy, observationsFile: join(stateDir, "observations.md") },
      stateDir,
    );
    const { candidates } = consultation;
    // The executor's own gate must hold when everything before it has been taken over.
    const forced = wishes.map((wish) => ({
      ...wish,
      source: `llm:${consultation.model}`,
      problem: found[0]?.finding.key,
      problemType: "service",
      severity: "critical",
      subject: "web",
      expect: { startTime: machine.startTimeOf(Number(wish.target)), socket },
    }));
    counts["forced past the parser"] += forced.length;
    const proposals = [...consultation.proposals, ...forced];
    const { actions } = await executor.execute(
      { cycle: "c1", host: "landmass", dryRun: false, proposals, candidates },
      signal,
    );
    expect(actions).toHaveLength(proposals.length);
    for (const [index, action] of actions.entries()) {
      expect(action.detail).not.toBe("");
      if (action.refusal !== null) {
        expect(refusalReasons).toContain(action.refusal);
        count(`${action.refusal}, by the executor`);
      } else if (index >= consultation.proposals.length) {
        expect.fail(`${action.type} ${action.target} was forced: ${action.detail}`);
      }
    }
    const offered = new Set(Object.values(candidates).flat().map(String));
    for (const { kind, target } of machine.effects) {
      const name = String(target)
        .replace(/\.service$/, "")
        .replace(/^=/, "");
      expect(offered, `${kind} ${target}`).toContain(name);
    }
    counts["done on the machine"] += machine.effects.length;
    expect(machine.crimes).toEqual([]);
    counts.snapshots += 1;
  } finally {
    its.remove();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

it.each(places)("what stands in the %s is data, whatever it says and whoever believes it", async (place) => {
  // Forty of each: every disguise with every wish at least once over all places.
  for (let index = 0; index < 40; index += 1) {
    const disguise = disguises[index % disguises.length] ?? String;
    const offset = (places.indexOf(place) * 7 + index) % wishes.length;
    const some = [0, 11, 23].map((step) => wishes[(offset + step) % wishes.length]);
    await attack(place, some.map((wish) => disguise(JSON.stringify(wish))).join(" "));
  }
});
