/**
 * Whatever a machine, a program, a model, a coding agent or whoever types calls itself or says: no control or direction
 * character leaves Argus unescaped, and none of their words begins a line. Every command of the program's own help, every
 * file of its folders and every request is looked at, so that a new one is covered by itself.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { openBench } from "./bench.ts";
import { faultsOf, hostileText, mark, worst } from "./hostile.ts";

const exits = [
  "a message in Telegram",
  "a button in Telegram",
  "the model's document",
  "an incident for the coding agent",
  "text at /hook",
  "summary at /api/v2/alerts",
  "given to",
  "an argument of bd",
  "the daemon's output",
  "argus.log",
  "trail.jsonl",
  "problems.jsonl",
  "observations.md",
  "summaries.jsonl",
  "last_response.json",
  "cycle_state.json",
  "relay.jsonl",
  "delivery.json",
  "tickets.json",
  "history/snapshot.json",
  ...[
    "run",
    "explain",
    "status",
    "problems",
    "summary",
    "stats",
    "approve",
    "silence",
    "ack",
    "pause",
    "doctor",
  ].map((name) => `argus "${name}"`),
  "standard error",
];

test("nothing that leaves moves a cursor, turns a direction, or begins a line of its own", async () => {
  const bench = await openBench();
  const texts = [worst, ...fc.sample(hostileText, { numRuns: 40, seed: 20261128 })];
  let number = 0;
  try {
    await bench.run({ next: () => texts[number++ % texts.length] ?? worst, typed: [worst] });
    // What did not reach an exit would prove nothing about it.
    for (const exit of exits) {
      const there = bench.left.filter(({ where, text }) => where.includes(exit) && text.includes(mark));
      expect(there.length, exit).toBeGreaterThan(0);
    }
    expect(
      bench.left.some(({ where, text }) => where === "an argument of bd" && text.includes("> Coding agent")),
    ).toBe(true);
    const faults = new Map(bench.left.flatMap((each) => faultsOf(each).map((fault) => [each.where, fault])));
    expect([...faults.values()].slice(0, 20)).toEqual([]);
  } finally {
    await bench.close();
  }
}, 60_000);
