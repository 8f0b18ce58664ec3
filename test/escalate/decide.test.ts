import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Handled } from "../../src/escalate/alerts.ts";
import { decide, type ModelLimits, type Situation } from "../../src/escalate/decide.ts";
import { emptyMemory, ended, type Memory, spentToday } from "../../src/escalate/memory.ts";
import { unresolvedOf } from "../../src/escalate/unresolved.ts";
import { handled, record, stoppedClock } from "./samples.ts";

const resolved = handled({ subject: "fine", resolves: true });
const open = handled({ subject: "open" });
const limits: ModelLimits = { hasKey: true, dailyCalls: 50, dailyTokens: 1000, review: "never" as const };
const situation = (more: Partial<Situation> = {}): Situation => ({
  handled: [open],
  paused: false,
  dryRun: false,
  diskGuard: false,
  ...more,
});
const now = stoppedClock().now();
const ending = {
  outcome: "answered",
  detail: "x",
  requests: 1,
  tokens: 10,
  costDollars: 0,
  rateLimited: false,
  retryAfterSeconds: null,
} as const;
const asked = (of: readonly Handled[], memory = emptyMemory(), at = now): Memory =>
  ended(memory, unresolvedOf(of), ending, 300, at);
const failed = ended(emptyMemory(), [], { ...ending, outcome: "failed", detail: "no network" }, 300, now);

describe("whether the model is asked", () => {
  it.each<[string, Partial<Situation>, Partial<ModelLimits>, Memory, string, string]>([
    ["nothing was found", { handled: [] }, {}, emptyMemory(), "nothing_found", "no rule fired"],
    [
      "rules resolve all",
      { handled: [resolved, resolved] },
      {},
      emptyMemory(),
      "every_finding_resolved",
      "rules cover all that was found",
    ],
    [
      "Argus is paused",
      { paused: true },
      {},
      emptyMemory(),
      "paused",
      "1 unresolved problem, but Argus is paused",
    ],
    [
      "a dry run",
      { dryRun: true },
      {},
      emptyMemory(),
      "dry_run",
      "1 unresolved problem, but a dry run asks nobody",
    ],
    [
      "the disk is full",
      { diskGuard: true },
      {},
      emptyMemory(),
      "disk_guard",
      "1 unresolved problem, but less than 100 MB are free for the state",
    ],
    [
      "there is no key",
      {},
      { hasKey: false },
      emptyMemory(),
      "no_key",
      "1 unresolved problem, but ANTHROPIC_API_KEY is not set, so they alert by themselves",
    ],
    [
      "it was asked just now",
      {},
      {},
      asked([open]),
      "same_unresolved_set",
      "1 unresolved problem, but the model was asked about them within the hour; again in 1 h at the latest",
    ],
    [
      "asking failed",
      {},
      {},
      failed,
      "cooldown",
      "1 unresolved problem, but asking failed, and is tried again in 5 min: no network",
    ],
    [
      "the requests are used",
      {},
      { dailyCalls: 1 },
      asked([resolved]),
      "daily_budget",
      "1 unresolved problem, but 1 of 1 requests of 24 hours are used (ARGUS_LLM_DAILY_CALLS)",
    ],
    [
      "the tokens are used",
      {},
      { dailyTokens: 10 },
      asked([resolved]),
      "daily_budget",
      "1 unresolved problem, but 10 of 10 tokens of 24 hours are used (ARGUS_LLM_DAILY_TOKENS)",
    ],
    [
      "none is allowed at all",
      {},
      { dailyCalls: 0 },
      emptyMemory(),
      "daily_budget",
      "1 unresolved problem, but 0 of 0 requests of 24 hours are used (ARGUS_LLM_DAILY_CALLS)",
    ],
    [
      "nothing stands against it",
      { handled: [resolved, open] },
      {},
      emptyMemory(),
      "asked",
      "1 unresolved problem",
    ],
    [
      "one is new",
      { handled: [open, handled({ subject: "new" })] },
      {},
      asked([open]),
      "asked",
      "2 unresolved problems, of which 1 with news",
    ],
  ])("%s", (_, more, less, memory, why, detail) => {
    expect(decide(situation(more), { ...limits, ...less }, memory, now)).toEqual({
      asked: why === "asked",
      why,
      detail,
    });
  });

  it("says the most fundamental reason when there are several", () => {
    const all = situation({ paused: true, dryRun: true, diskGuard: true });
    const none = { hasKey: false, dailyCalls: 0, dailyTokens: 0, review: "never" as const };
    const order = ["paused", "dry_run", "disk_guard", "no_key", "cooldown", "daily_budget"];
    const steps: [Situation, ModelLimits, Memory][] = [
      [all, none, failed],
      [{ ...all, paused: false }, none, failed],
      [{ ...all, paused: false, dryRun: false }, none, failed],
      [situation(), none, failed],
      [situation(), { ...none, hasKey: true }, failed],
      [situation(), { ...none, hasKey: true }, emptyMemory()],
    ];
    expect(steps.map(([one, two, three]) => decide(one, two, three, now).why)).toEqual(order);
  });
});

describe("the same unresolved set", () => {
  const why = (of: readonly Handled[], memory: Memory, at = now) =>
    decide(situation({ handled: of }), limits, memory, at).why;
  const clock = stoppedClock();
  clock.pass(1800);
  const halfAnHourLater = clock.now();
  clock.pass(1800);
  const anHourLater = clock.now();

  it("is told by its problems, not by their numbers or their wording", () => {
    const worded = handled({ subject: "open", summary: "open failed (timeout), 97.3 %", evidence: [] });
    expect(why([worded], asked([open]), halfAnHourLater)).toBe("same_unresolved_set");
  });

  it("is asked about again after an hour", () => {
    expect(why([open], asked([open]), halfAnHourLater)).toBe("same_unresolved_set");
    expect(why([open], asked([open]), anHourLater)).toBe("asked");
  });

  it("changes when a remedy fails that had not failed before", () => {
    const failing = handled({ subject: "open" }, [record()]);
    const other = handled({ subject: "open" }, [record(), record({ type: "clean_disk", target: null })]);
    expect(why([failing], asked([open]), halfAnHourLater)).toBe("asked");
    expect(why([failing], asked([failing]), halfAnHourLater)).toBe("same_unresolved_set");
    expect(why([other], asked([failing]), halfAnHourLater)).toBe("asked");
  });

  it("stays the same when the remedy fails in another way, or waits, or works for a while", () => {
    const failing = handled({ subject: "open" }, [record()]);
    for (const refusal of ["cooldown", "backoff", "budget_exhausted", "not_needed"] as const) {
      const refused = handled({ subject: "open" }, [record({ result: "skipped", refusal, verified: null })]);
      expect(why([refused], asked([failing]), halfAnHourLater)).toBe("same_unresolved_set");
    }
    expect(why([open], asked([failing]), halfAnHourLater)).toBe("same_unresolved_set");
  });

  it("stays the same when a part of it is resolved, and when that part comes back within the hour", () => {
    const other = handled({ subject: "other" });
    expect(why([open], asked([open, other]), halfAnHourLater)).toBe("same_unresolved_set");
    expect(why([open, other], asked([open, other]), halfAnHourLater)).toBe("same_unresolved_set");
  });

  it("is not changed by words: an alert or log that failed is no remedy", () => {
    const silent = handled({ subject: "open" }, [
      record({ type: "alert", target: null }),
      record({ type: "log", target: null }),
    ]);
    expect(why([silent], asked([open]), halfAnHourLater)).toBe("same_unresolved_set");
  });
});

describe("the memory", () => {
  it("stays bounded, whatever happens", () => {
    const subjects = fc.array(fc.nat(5000), { maxLength: 40 });
    const step = fc.record({
      subjects,
      seconds: fc.nat(4000),
      outcome: fc.constantFrom("answered", "failed", "refused", "truncated", "unusable"),
      requests: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const clock = stoppedClock();
        let memory = emptyMemory();
        for (const { subjects: named, seconds, outcome, requests } of steps) {
          clock.pass(seconds);
          const unresolved = unresolvedOf(named.map((each) => handled({ subject: `unit-${each}` })));
          memory = ended(memory, unresolved, { ...ending, outcome, requests }, 30, clock.now());
          expect(Object.keys(memory.asked).length).toBeLessThanOrEqual(1000);
          expect(memory.requests.length).toBeLessThanOrEqual(1000);
          expect(memory.cooldown?.seconds ?? 0).toBeLessThanOrEqual(7200);
          expect(spentToday(memory, clock.now()).requests).toBe(memory.requests.length);
        }
      }),
      { numRuns: 50 },
    );
  });
});
