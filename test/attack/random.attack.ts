/** A hundred thousand replies at random: near misses of every field, and noise; what is left goes to the executor. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { type Offered, readAnswer } from "../../src/escalate/answer.ts";
import { offerFor } from "../../src/escalate/candidates.ts";
import { unresolvedOf } from "../../src/escalate/unresolved.ts";
import { createExecutor } from "../../src/execute/executor.ts";
import type { Policy } from "../../src/execute/policy.ts";
import { actionTypes, refusalReasons } from "../../src/types/action.ts";
import { entityIdentity } from "../../src/types/facts.ts";
import { Settings } from "../../src/types/settings.ts";
import { handled, processFact, serviceFact, sessionFact } from "../escalate/samples.ts";
import { type ModelMachine, modelMachine, orphanPids, socket } from "../execute/model-machine.ts";
import { policy as defaults, temporaryFolder } from "../execute/support.ts";
import { permitted, wishes } from "./hostile.ts";

const replies = 100_000;
/** The budgets of one machine are spent soon: a new one for every so many keeps the door ajar. */
const perMachine = 25;
const policy: Policy = {
  ...defaults,
  killable: ["node"],
  tmuxSockets: [socket],
  restartable: [{ unit: "web.service", requires: [] }],
};
const settings = Settings.parse({
  services: [{ unit: "web", restart: true }],
  tmuxSockets: [socket],
  processes: { killable: ["node"] },
});
const source = "llm:claude-haiku-5-5";
const counts = {
  replies: 0,
  unusable: 0,
  "actions rejected": 0,
  proposals: 0,
  permitted: 0,
  refused: 0,
  "done on the machine": 0,
};
afterAll(() => {
  console.log(
    Object.entries(counts)
      .map(([what, number]) => `${String(number).padStart(8)}  ${what}`)
      .join("\n"),
  );
});

interface Round {
  readonly machine: ModelMachine;
  readonly executor: ReturnType<typeof createExecutor>;
  readonly stateDir: string;
  readonly offered: Offered;
  readonly candidates: Record<string, (string | number)[]>;
}

function newRound(): Round {
  const machine = modelMachine();
  const processes = orphanPids.map((pid) => processFact({ pid, startTime: machine.startTimeOf(pid) }));
  const one = sessionFact({ socket, name: "one" });
  const found = [
    handled({ summary: "web failed" }),
    handled({
      type: "session",
      subject: "one",
      condition: "stale",
      entity: { kind: "session", identity: entityIdentity("session", one) },
    }),
    handled({
      type: "memory",
      subject: "landmass",
      condition: "full",
      summary: "memory is 95 % used",
      entity: null,
    }),
    handled({ type: "disk", subject: "/data", condition: "full", entity: null }),
  ];
  const unresolved = unresolvedOf(found);
  const facts = {
    process: processes,
    service: [serviceFact()],
    session: [one],
  };
  const offer = offerFor(unresolved, found, facts, { settings });
  const candidates: Record<string, (string | number)[]> = {};
  for (const { type, target } of offer.candidates)
    if (target !== null) candidates[type] = [...(candidates[type] ?? []), target];
  const stateDir = temporaryFolder();
  return {
    machine,
    stateDir,
    executor: createExecutor(
      machine.system,
      { ...policy, observationsFile: join(stateDir, "observations.md") },
      stateDir,
    ),
    offered: { unresolved, candidates: offer.candidates, source, confidence: 0.6 },
    candidates,
  };
}

const same = Symbol("as it was offered");
const keys = newRound().offered.unresolved.map(({ key }) => key);
const strange = fc.oneof(
  fc.constantFrom(...wishes.map(({ target }) => target)),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.double(),
  fc.jsonValue({ maxDepth: 3 }),
);
/** Mostly sound, so that a single odd field is what the reply is about. */
const mostly = <T>(sound: fc.Arbitrary<T>, odd: fc.Arbitrary<unknown> = strange) =>
  fc.oneof({ weight: 12, arbitrary: sound as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: odd });
/** Something that was offered, with now and then another value in one field or several. */
const action = fc
  .record({
    offered: fc.constantFrom(
      ...newRound().offered.candidates.map(({ type, target, problems }) => ({
        type,
        target,
        problem: problems[0],
      })),
    ),
    type: mostly(
      fc.constant(same),
      fc.constantFrom<unknown>(...actionTypes, ...wishes.map(({ type }) => type), 7, null),
    ),
    target: mostly(fc.constant(same)),
    message: mostly(fc.constantFrom<unknown>(null, "what it makes of it")),
    problem: mostly(fc.constant(same), fc.oneof(fc.constantFrom(...keys), strange)),
    reason: mostly(fc.constant("because 7 > 5")),
    confidence: mostly(
      fc.integer({ min: 0, max: 100 }).map((each) => each / 100),
      fc.constantFrom<unknown>(2, -1, "0.9", null),
    ),
    extra: fc.constant("x"),
  })
  .map(({ offered, ...odd }) => ({
    ...odd,
    type: odd.type === same ? offered.type : odd.type,
    target: odd.target === same ? offered.target : odd.target,
    problem: odd.problem === same ? offered.problem : odd.problem,
  }));
const soundAction = action.map(({ extra: _, ...rest }) => rest);
const reply = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .record({
        assessment: mostly(fc.string({ maxLength: 30 })),
        observations: mostly(fc.array(fc.string({ maxLength: 30 }), { maxLength: 3 })),
        actions: mostly(
          fc.array(fc.oneof({ weight: 9, arbitrary: soundAction }, { weight: 1, arbitrary: action }), {
            maxLength: 6,
          }),
        ),
      })
      .map((each) => JSON.stringify(each)),
  },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
  {
    weight: 1,
    arbitrary: fc
      .array(soundAction, { minLength: 21, maxLength: 60 })
      .map((actions) => JSON.stringify({ assessment: "", observations: [], actions })),
  },
);

async function take(
  text: string,
  { machine, executor, offered, candidates }: Round,
  cycle: string,
): Promise<void> {
  counts.replies += 1;
  const answer = readAnswer(text, offered);
  if (typeof answer === "string") {
    expect(answer).not.toBe("");
    counts.unusable += 1;
    return;
  }
  for (const { reason, why, what } of answer.rejected) {
    expect(refusalReasons).toContain(reason);
    expect(why.length * what.length).toBeGreaterThan(0);
  }
  counts["actions rejected"] += answer.rejected.length;
  counts.proposals += answer.proposals.length;
  const request = { cycle, host: "landmass", dryRun: false, proposals: answer.proposals, candidates };
  const { actions, notes } = await executor.execute(request, new AbortController().signal);
  // The machine shows the cleaning no processes, so that it removes nothing here, and says so.
  expect(notes.filter((note) => !note.includes("/proc does not show the running processes"))).toEqual([]);
  for (const { refusal, detail, values } of actions) {
    expect(detail).not.toBe("");
    expect(values).not.toHaveProperty("stack");
    if (refusal !== null) expect(refusalReasons).toContain(refusal);
    counts[refusal === null ? "permitted" : "refused"] += 1;
  }
  expect(machine.crimes).toEqual([]);
}

it(`of ${replies.toLocaleString("en")} replies at random, nothing is done that was not offered, and nothing breaks`, async () => {
  let round = newRound();
  let taken = 0;
  const end = (): void => {
    expect(round.machine.effects.filter((effect) => !permitted(effect, orphanPids))).toEqual([]);
    counts["done on the machine"] += round.machine.effects.length;
    rmSync(round.stateDir, { recursive: true, force: true });
  };
  const oneReply = fc.asyncProperty(reply, async (text) => {
    if (taken > 0 && taken % perMachine === 0) {
      end();
      round = newRound();
    }
    taken += 1;
    await take(text, round, `c${taken}`);
  });
  await fc.assert(oneReply, { numRuns: replies });
  end();
  expect(counts.replies).toBe(replies);
  expect(counts["done on the machine"]).toBeGreaterThan(1000);
});
