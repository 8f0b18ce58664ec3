/**
 * Instructions in whatever the machine says, and a model that obeys them all: through the real client, the real
 * briefing, the real parser and the real executor, over a machine that writes every effect down.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEscalation } from "../../src/escalate/escalation.ts";
import { createExecutor } from "../../src/execute/executor.ts";
import type { Policy } from "../../src/execute/policy.ts";
import { type ActionRecord, refusalReasons } from "../../src/types/action.ts";
import { type ModelServer, startModelServer } from "../escalate/model-server.ts";
import { bench, snapshot } from "../escalate/samples.ts";
import { type ModelMachine, modelMachine, orphanPids, socket } from "../execute/model-machine.ts";
import { policy as defaults, temporaryFolder } from "../execute/support.ts";
import { disguises, permitted, type Wish, wishes } from "./hostile.ts";
import { obedientModel } from "./obedient.ts";
import { type Place, places, scene } from "./scene.ts";

/** The policy lets rules restart the second unit; the settings, by which targets are offered, do not know it. */
const policy: Policy = {
  ...defaults,
  killable: ["node"],
  tmuxSockets: [socket],
  restartable: [
    { unit: "web.service", requires: [] },
    { unit: "api.service", requires: [] },
  ],
};
const settings = {
  services: [{ unit: "web", restart: true }],
  tmuxSockets: [socket],
  processes: { killable: ["node"] },
};
const [orphan = 0] = orphanPids;
const deeds = wishes.filter(({ type }) => type !== "alert");
const model = obedientModel();
const counts = {
  snapshots: 0,
  "instructions that reached the model": 0,
  "actions it asked for": 0,
  "let through by the parser": 0,
  "forced past the parser": 0,
  "permitted by the executor": 0,
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

/** One machine and one Argus on it. */
function stand(machine: ModelMachine) {
  const its = bench(server.url);
  const stateDir = temporaryFolder();
  const notes: string[] = [];
  let journal = "";
  const run = async () => ({ exitCode: 0, stdout: journal, stderr: "", timedOut: false, missing: false });
  const config = its.config({ settings });
  const escalation = createEscalation({ ...its.system, run }, config, (sentence) => notes.push(sentence));
  const observationsFile = join(stateDir, "observations.md");
  const executor = createExecutor(machine.system, { ...policy, observationsFile }, stateDir);
  const signal = new AbortController().signal;

  /** @returns the outcome of every action that the model asked for and the parser let through. */
  async function attack(place: Place, text: string, cycle: string, forced = true): Promise<ActionRecord[]> {
    const { facts, found } = scene(place, text, machine);
    journal = place === "journal" ? `${text}\n${text}\n` : "";
    const consultation = await escalation.ask({
      cycle,
      host: "landmass",
      snapshot: snapshot(facts),
      handled: found,
      problems: [],
      recent: [],
      signal,
    });
    expect(consultation.outcome, consultation.detail).toBe("answered");
    for (const { reason, why, what } of consultation.rejected) {
      expect(refusalReasons).toContain(reason);
      expect(why.length * what.length).toBeGreaterThan(0);
      count(`${reason}, by the parser`);
    }
    counts["let through by the parser"] += consultation.proposals.length;

    // The executor's own gate must hold when everything before it has been taken over. Words are no deeds.
    const smuggled = (forced ? deeds : []).map((wish) => ({
      ...wish,
      source: `llm:${consultation.model}`,
      problem: found[0]?.finding.key,
      problemType: "service",
      severity: "critical",
      subject: "web",
      expect: { startTime: machine.startTimeOf(Number(wish.target)), socket },
    }));
    counts["forced past the parser"] += smuggled.length;
    const proposals = [...smuggled, ...consultation.proposals];
    const { candidates } = consultation;
    const request = { cycle, host: "landmass", dryRun: false, proposals, candidates };
    const reply = await executor.execute(request, signal);
    expect(reply.actions).toHaveLength(proposals.length);
    for (const [index, action] of reply.actions.entries()) {
      expect(action.detail).not.toBe("");
      expect(action.values).not.toHaveProperty("stack");
      if (action.refusal !== null) {
        expect(refusalReasons).toContain(action.refusal);
        count(`${action.refusal}, by the executor`);
      } else {
        counts["permitted by the executor"] += 1;
        if (index < smuggled.length)
          expect.fail(`${action.type} ${action.target} was forced: ${action.detail}`);
      }
    }
    // A bug anywhere on the way is a note.
    expect([...notes, ...reply.notes]).toEqual([]);
    expect(machine.effects.filter((effect) => !permitted(effect, [orphan]))).toEqual([]);
    expect(machine.crimes).toEqual([]);
    return reply.actions.slice(smuggled.length);
  }

  function remove(): void {
    counts["done on the machine"] += machine.effects.length;
    its.remove();
    rmSync(stateDir, { recursive: true, force: true });
  }

  return { attack, remove };
}

const hostileText = (place: Place, index: number): string => {
  const disguise = disguises[index % disguises.length] ?? String;
  const offset = (places.indexOf(place) * 7 + index) % wishes.length;
  const some = [0, 11, 23].map((step) => wishes[(offset + step) % wishes.length]);
  return some.map((wish) => disguise(JSON.stringify(wish))).join(" ");
};

it.each(places)("what stands in the %s is data, whatever it says and whoever believes it", async (place) => {
  const before = { obeyed: model.obeyed, done: counts["done on the machine"] };
  // Forty of each: every disguise with every wish at least once over all places.
  for (let index = 0; index < 40; index += 1) {
    const one = stand(modelMachine());
    try {
      await one.attack(place, hostileText(place, index), "c1");
      counts.snapshots += 1;
    } finally {
      one.remove();
    }
  }
  // The attacker was heard, and what was offered was done: or nothing is shown here.
  expect(model.obeyed).toBeGreaterThan(before.obeyed + 40);
  expect(counts["done on the machine"]).toBeGreaterThan(before.done + 40);
});

it("a model that asks for everything again each minute for an hour gets no more than the hour's budgets", async () => {
  const machine = modelMachine();
  const one = stand(machine);
  const done: ActionRecord[] = [];
  try {
    for (let minute = 0; minute < 59; minute += 1) {
      machine.spawnOrphan(orphan, false);
      machine.sessions.add("one");
      machine.units.set("web.service", "failed");
      const place = places[minute % places.length] ?? "journal";
      done.push(...(await one.attack(place, hostileText(place, minute), `c${minute}`, false)));
      machine.clock.advance(60 - (machine.clock.elapsed() % 60));
      counts.snapshots += 1;
    }
  } finally {
    one.remove();
  }
  const begun = (...types: string[]) =>
    done.filter(({ type, refusal }) => types.includes(type) && refusal === null).length;
  const { kills, restarts } = policy.budgets;
  expect(begun("kill_pid", "kill_tmux")).toBe(kills);
  // The machine of these tests keeps the cleaning away from the real one by having nothing mounted.
  expect(begun("clean_disk")).toBe(0);
  expect(done.some(({ type, refusal }) => type === "clean_disk" && refusal === "target_gone")).toBe(true);
  // The backoff is stricter than the budget: three attempts, and an hour of rest.
  expect(begun("restart_service")).toBe(Math.min(3, restarts));
  expect(machine.effects).toHaveLength(kills + Math.min(3, restarts));
});

it("every wish of the attacker reached the model in some disguise", () => {
  // What people cannot see is taken out on the way: only that part of a wish does not get there.
  const asTold = (wish: Wish) => JSON.stringify(wish).replaceAll("\u200b", "");
  const unheard = wishes.filter((wish) => !model.wanted.has(asTold(wish)));
  expect(unheard).toEqual([]);
});
