import { describe, expect, it } from "vitest";
import { type Stats, statsOf } from "../../src/report/stats.ts";
import { statsReport } from "../../src/report/stats-text.ts";
import { createStyle } from "../../src/report/style.ts";
import type { ActionRecord } from "../../src/types/action.ts";
import type { Consultation } from "../../src/types/consultation.ts";
import type { RegistryRecord } from "../../src/types/problem.ts";
import type { TrailCycle, TrailFinding } from "../../src/types/trail.ts";
import { cycle } from "./cycles.ts";

const window = { from: "2026-11-13T22:00:00Z", to: "2026-11-20T22:00:00Z" };
const plain = createStyle({ env: {}, isTerminal: false, columns: 100 });

const finding = (rule: string) => ({ rule }) as TrailFinding;
const action = (type: string, source: string, more: Partial<ActionRecord> = {}) =>
  ({ type, source, result: "success", refusal: null, verified: true, ...more }) as ActionRecord;
const call = (more: Partial<Consultation> = {}) =>
  ({
    outcome: "answered",
    requests: 1,
    inputTokens: 3000,
    outputTokens: 200,
    cacheReadTokens: 800,
    cacheWriteTokens: 0,
    costDollars: 0.004,
    latencyMs: 1200,
    ...more,
  }) as Consultation;
const at = (ts: string, more: object = {}, why = "nothing_found", trigger = "schedule") =>
  cycle({ ...more, cycle: { ts, trigger, model: { asked: why === "asked", why, detail: "" } } } as never);
const line = (ts: string, event: string, key: string, more: object = {}) =>
  ({
    ts,
    event,
    key: `service:${key.padStart(16, "0")}`,
    source: "rule:a",
    action_result: "skipped",
    ...more,
  }) as RegistryRecord;

/** Newest first, as they are read. */
const cycles: TrailCycle[] = [
  at(
    "2026-11-20T21:00:00Z",
    { findings: [finding("disk-full")], actions: [action("clean_disk", "rule:disk-full")] },
    "every_finding_resolved",
    "wake",
  ),
  at("2026-11-19T10:05:00Z"),
  at(
    "2026-11-19T10:00:00Z",
    {
      findings: [finding("unit-failed"), finding("unit-failed")],
      consultation: call({ latencyMs: 4000 }),
      actions: [
        action("restart_service", "llm:claude-haiku-5-5"),
        action("kill_pid", "llm:claude-haiku-5-5", {
          result: "skipped",
          refusal: "not_a_candidate",
          verified: null,
        }),
      ],
    },
    "asked",
  ),
  at("2026-11-18T10:00:00Z", { findings: [finding("unit-failed")] }, "cooldown"),
  at(
    "2026-11-18T09:00:00Z",
    {
      findings: [finding("unit-failed")],
      consultation: call({
        outcome: "failed",
        inputTokens: 0,
        outputTokens: 0,
        cacheReadTokens: 0,
        costDollars: null,
      }),
    },
    "asked",
  ),
  at(
    "2026-11-18T08:00:00Z",
    {
      findings: [finding("service-down")],
      actions: [
        action("restart_service", "rule:service-down", { verified: false }),
        action("restart_service", "rule:service-down", { result: "failure", verified: null }),
        action("restart_service", "rule:service-down", {
          result: "skipped",
          refusal: "backoff",
          verified: null,
        }),
      ],
    },
    "no_key",
  ),
  at("2026-11-13T21:59:59Z", { findings: [finding("too-old")] }, "no_key"),
];
const records: RegistryRecord[] = [
  line("2026-11-20T21:00:00Z", "resolved", "3"),
  line("2026-11-20T20:59:00Z", "opened", "3"),
  line("2026-11-19T10:05:00Z", "resolved", "2"),
  line("2026-11-19T10:00:00Z", "action", "2", {
    source: "llm:claude-haiku-5-5",
    action_result: "success",
    verified: true,
  }),
  line("2026-11-18T09:00:00Z", "opened", "2"),
  line("2026-11-18T08:10:00Z", "resolved", "1"),
];

describe("the counts of days", () => {
  it("say what was found, asked, done, refused and spent", () => {
    expect(statsReport(statsOf(window, records, cycles), plain)).toBe(
      `2026-11-13 22:00 to 2026-11-20 22:00 UTC; the trail begins at 2026-11-18 08:00

Cycles    6 (5 by schedule, 1 by a wake-up); something was found in 5
Problems  2 opened, 3 resolved; half of them within 1 min, the longest after 1 d 1 h
Model     2 calls (1 answered, 1 failed): 4,000 tokens, 1.2 s at the median, 4.0 s at 95 %
          3 calls avoided (1 cooldown, 1 every_finding_resolved, 1 no_key)
Cost      $0.0040 in all; the price of 1 call is not known here; $0.0040 for each problem that the
            model's actions resolved (1), $0.0013 for each one resolved at all (3)
          2026-11-18  1 call      0 tokens  $0.0000
          2026-11-19  1 call  4,000 tokens  $0.0040
Actions   restart_service  rule   3 times  1 without effect, 1 failed, 1 backoff
          clean_disk       rule    1 time  1 done
          kill_pid         model   1 time  1 not_a_candidate
          restart_service  model   1 time  1 done
Rules     unit-failed   in 3 cycles
          disk-full      in 1 cycle
          service-down   in 1 cycle
`,
    );
  });

  it("say so when nothing ran", () => {
    expect(statsReport(statsOf(window, [], []), plain)).toBe(
      "2026-11-13 22:00 to 2026-11-20 22:00 UTC\n\nNo cycle in this time: is Argus running?\n",
    );
  });

  it("read no further back than they are asked", () => {
    let read = 0;
    function* endless(): Generator<TrailCycle> {
      for (let day = 20; ; day -= 1) {
        read += 1;
        yield at(`2026-11-${String(day).padStart(2, "0")}T10:00:00Z`);
      }
    }
    expect(statsOf(window, [], endless()).cycles.total).toBe(7);
    expect(read).toBe(8);
  });

  it("count a problem as the model's only when its action was seen to help in that outage", () => {
    const helped = (more: object): Stats["model"]["resolvedByModel"] =>
      statsOf(
        window,
        [
          line("2026-11-19T10:05:00Z", "resolved", "2"),
          line("2026-11-19T10:00:00Z", "action", "2", {
            source: "llm:m",
            action_result: "success",
            verified: true,
            ...more,
          }),
        ],
        [],
      ).model.resolvedByModel;
    expect(helped({})).toBe(1);
    expect(helped({ verified: false })).toBe(0);
    expect(helped({ verified: null })).toBe(0);
    expect(helped({ action_result: "failure" })).toBe(0);
    expect(helped({ source: "rule:a" })).toBe(0);
  });
});
