/** Twenty thousand problems that end in one cycle: what they cost grows with their number, not with its square. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { recoveryProposals } from "../src/escalate/recovery.ts";
import { requiredFirst } from "../src/execute/order.ts";
import type { Policy } from "../src/execute/policy.ts";
import { createRegistry } from "../src/record/registry.ts";
import { createFiles } from "../src/system/files.ts";
import { mostInPiece, tell } from "../src/tell.ts";
import type { ActionRecord } from "../src/types/action.ts";
import { actionFor, cycleAt, serviceFinding } from "./record/samples.ts";

const files = createFiles("/");
const start = Date.parse("2026-02-19T23:30:00Z");
const many = 20_000;
let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "argus-ends-"));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

/** Of the processor, so that a busy machine changes nothing. */
function secondsOf(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

it("are ordered, ended, and put into words", { timeout: 120_000 }, () => {
  const registry = createRegistry({ files, stateDir, nowMs: () => start, note: () => undefined });
  const findings = Array.from({ length: many }, (_, number) => serviceFinding(`unit-${number}`));
  registry.recordFindings(findings, cycleAt(start));
  // What was said of each is forgotten when it ends.
  registry.recordActions(
    findings.map((finding) =>
      actionFor(finding, { result: "suppressed", refusal: "backoff", detail: "in 3 s" }),
    ),
    cycleAt(start),
  );
  const over = findings.map(({ key }) => ({
    key,
    because: "not_found" as const,
    goneAt: new Date(start).toISOString(),
  }));
  let proposals: readonly { readonly type: string }[] = [];
  const words = secondsOf(() => {
    proposals = recoveryProposals(registry.problems().values(), over, new Set(), start);
  });
  expect(proposals).toHaveLength(many);
  const cases = proposals.map((raw) => ({ raw }));
  const policy = { restartable: [{ unit: "web.service", requires: ["db.service"] }] } as unknown as Policy;
  const order = secondsOf(() => expect(requiredFirst(cases, policy)).toEqual(cases));
  const ends = secondsOf(() => expect(registry.recordResolved(over, cycleAt(start))).toHaveLength(many));
  // Quadratic, each of the three took more than ten seconds.
  expect(Math.max(words, order, ends)).toBeLessThan(6);
});

it("and do not fit into a new file are said so once, however often it is rotated", () => {
  const notes: string[] = [];
  const registry = createRegistry(
    { files, stateDir, nowMs: () => start, note: (sentence) => void notes.push(sentence) },
    { maxBytes: 60_000, keep: 2, mostCarriedBytes: 6_000 },
  );
  const findings = Array.from({ length: 100 }, (_, number) => serviceFinding(`unit-${number}`));
  registry.recordFindings(findings, cycleAt(start));
  for (let number = 0; number < 6; number += 1)
    registry.recordActions(
      findings.map((finding) => actionFor(finding)),
      cycleAt(start),
    );
  expect(files.stat(join(stateDir, "problems.jsonl.2"))).not.toBeNull();
  expect(notes.filter((each) => each.includes("do not fit"))).toHaveLength(1);
});

it("are asked of the executor in pieces, and what nobody heard of is dropped after each", async () => {
  const sizes: number[] = [];
  const heard = serviceFinding("heard");
  const executor = {
    execute: async ({ proposals }: { readonly proposals: readonly unknown[] }) => {
      sizes.push(proposals.length);
      const actions = proposals.map((raw): ActionRecord => {
        const end = actionFor(heard, { type: "alert", source: "self", target: null });
        return raw === many - 1 ? end : { ...end, result: "suppressed", refusal: "duplicate" };
      });
      return { actions, notes: [`piece ${sizes.length}`] };
    },
  };
  const request = { cycle: "c", host: "h", dryRun: false };
  const proposals = Array.from({ length: many }, (_, number) => number);
  const { actions, notes } = await tell(executor, { ...request, proposals }, new AbortController().signal);
  expect(sizes).toEqual(Array.from({ length: many / mostInPiece }, () => mostInPiece));
  expect([actions.length, notes.length]).toEqual([1, many / mostInPiece]);
  sizes.length = 0;
  await tell(executor, { ...request, proposals: [] }, new AbortController().signal);
  expect(sizes).toEqual([0]);
});
