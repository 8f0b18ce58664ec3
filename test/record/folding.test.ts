import { expect, it } from "vitest";
import { createFold } from "../../src/record/folding.ts";
import { findingRecord, resolvedRecord } from "../../src/record/records.ts";
import type { Problem } from "../../src/types/problem.ts";
import { cycleAt, serviceFinding } from "./samples.ts";

const start = Date.parse("2026-02-19T23:30:00Z");
const limits = { problems: 100, characters: 1_000_000 };

function opened(number: number, severity: "critical" | "warning") {
  const finding = serviceFinding(`unit-${number}`, { severity });
  return findingRecord("opened", [finding], cycleAt(start + number * 60_000));
}

it("keeps what is open and worst when there is too much, and says how many it left out", () => {
  const fold = createFold({ limits });
  for (let number = 0; number < 1000; number += 1)
    fold.take(opened(number, number < 10 ? "critical" : "warning"));
  const { problems, leftOut } = fold.result();
  expect(problems.size).toBe(100);
  expect(leftOut).toBe(900);
  const subjects = [...problems.values()].map(({ subject }) => subject);
  expect(subjects).toEqual(expect.arrayContaining(["unit-0", "unit-9", "unit-999", "unit-910"]));
});

it("gives up what has ended before anything that is open, and misses nothing by it", () => {
  const fold = createFold({ limits, recentMs: start + 10_000 * 60_000 });
  fold.take(opened(0, "warning"));
  for (let number = 1; number < 1000; number += 1) {
    const record = opened(number, "critical");
    fold.take(record);
    const problem = { ...record, life: "open", rules: record.rules ?? [] } as unknown as Problem;
    const gone = { key: record.key, because: "not_found" as const, goneAt: record.ts };
    fold.take(resolvedRecord(problem, gone, cycleAt(start + number * 60_000)));
  }
  const { problems, leftOut } = fold.result();
  expect([...problems.values()].filter(({ life }) => life === "open").map(({ subject }) => subject)).toEqual([
    "unit-0",
  ]);
  expect([problems.size, leftOut]).toEqual([100, 0]);
});

it("is bounded by the length of the texts as well", () => {
  const fold = createFold({ limits: { problems: 1000, characters: 20_000 } });
  for (let number = 0; number < 300; number += 1) fold.take(opened(number, "warning"));
  const { problems, leftOut } = fold.result();
  expect(problems.size).toBeLessThan(50);
  expect(problems.size + leftOut).toBe(300);
});

it("of some problems only, knows them whatever else there is", () => {
  const wanted = opened(3, "warning");
  const fold = createFold({ limits: { problems: 1, characters: 10_000 }, keys: new Set([wanted.key]) });
  for (let number = 0; number < 50; number += 1) fold.take(opened(number, "critical"));
  fold.take(wanted);
  expect([...fold.result().problems.keys()]).toEqual([wanted.key]);
});
