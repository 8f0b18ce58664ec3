import { describe, expect, it } from "vitest";
import { summarise, summaryText } from "../../src/report/summary.ts";
import type { Problem, RegistryRecord } from "../../src/types/problem.ts";
import type { TrailCycle } from "../../src/types/trail.ts";

const window = { from: "2026-11-19T08:00:00Z", to: "2026-11-20T08:00:00Z" };

const record = (event: RegistryRecord["event"], action = "none", result = "skipped") =>
  ({ event, action_taken: action, action_result: result }) as RegistryRecord;

const cycle = (ts: string, trigger = "schedule", consultation: object | null = null) =>
  ({ cycle: { ts, trigger }, consultation }) as unknown as TrailCycle;

const problem = (severity: string, description: string, openedAt: string) =>
  ({ severity, description, openedAt, subject: "x", key: "service:0123456789abcdef" }) as Problem;

describe("the summary of a day", () => {
  it("counts what was opened, resolved, done and asked, and lists what is open, the worst first", () => {
    const summary = summarise(
      "landmass",
      window,
      [
        record("opened"),
        record("opened"),
        record("resolved"),
        record("action", "restart_service:web", "success"),
        record("action", "restart_service:web", "failure"),
        record("action", "kill_pid:42", "skipped"),
        record("action", "alert", "success"),
      ],
      [
        cycle("2026-11-20T07:55:00Z", "wake", {
          inputTokens: 900,
          outputTokens: 100,
          costDollars: 0.0014,
          told: { problems: ["service:0123456789abcdef"] },
        }),
        cycle("2026-11-19T08:00:00Z"),
        cycle("2026-11-19T07:59:00Z"),
      ],
      [
        problem("info", "web was slow", "2026-11-20T01:00:00Z"),
        problem("critical", "web is failed (exit-code)", "2026-11-20T02:00:00Z"),
      ],
    );
    expect(summaryText(summary)).toBe(
      `landmass: 2026-11-19 08:00 to 2026-11-20 08:00 UTC
2 problems opened, 1 resolved, 2 open now
restart_service: 1 succeeded, 1 failed
2 cycles, 1 of them woken by an event
the model was asked 1 time: 1,000 tokens, $0.0014

CRITICAL web is failed (exit-code) (since 2026-11-20 02:00 UTC)
argus explain service:0123456789abcdef

INFO web was slow (since 2026-11-20 01:00 UTC)
argus explain service:0123456789abcdef`,
    );
  });

  it("says what the model made of the whole, when it looked at it", () => {
    const review = (ts: string, assessment: string, problems: string[] = []) =>
      cycle(ts, "schedule", {
        outcome: "answered",
        assessment,
        observations: ["/data fills by 2 GB a day"],
        told: { problems },
        inputTokens: 1,
        outputTokens: 1,
        costDollars: null,
      });
    const cycles = [
      review("2026-11-20T07:00:00Z", "Not this one: it was about a problem.", ["service:0123456789abcdef"]),
      review("2026-11-20T06:00:00Z", "The machine is well."),
      review("2026-11-19T09:00:00Z", "The one of the day before."),
    ];
    const text = summaryText(summarise("landmass", window, [], cycles, []));
    expect(text).toContain(
      "\n\nThe model's look at the whole: The machine is well.\n- /data fills by 2 GB a day",
    );
    expect(text).not.toContain("Not this one");
    expect(text).not.toContain("day before");
  });

  it("of a day without anything says so, and asks whether Argus runs", () => {
    expect(summaryText(summarise("landmass", window, [], [], []))).toBe(
      `landmass: 2026-11-19 08:00 to 2026-11-20 08:00 UTC
0 problems opened, 0 resolved, 0 open now
no cycle in this time: is Argus running?
the model was not asked`,
    );
  });

  it("shows ten of many", () => {
    const open = Array.from({ length: 12 }, (_, n) => problem("info", `n${n}`, "2026-11-20T01:00:00Z"));
    const text = summaryText(summarise("landmass", window, [], [], open));
    expect(text.match(/INFO/g)).toHaveLength(10);
    expect(text).toContain("and 2 more: argus problems --open");
  });
});
