import { describe, expect, it } from "vitest";
import { type Stats, statsOf } from "../../src/report/stats.ts";
import { statsReport } from "../../src/report/stats-text.ts";
import { createStyle } from "../../src/report/style.ts";
import type { RegistryRecord } from "../../src/types/problem.ts";
import type { TrailCycle } from "../../src/types/trail.ts";
import { action, at, call, cycles, line, records, window } from "./days.ts";

const plain = createStyle({ env: {}, isTerminal: false, columns: 100 });

describe("the counts of days", () => {
  const counted = statsOf(window, records, cycles);

  it("say what was found, asked for, done and refused, by who asked for it", () => {
    expect(counted.cycles).toEqual({ total: 6, byTrigger: { schedule: 5, wake: 1 }, withFindings: 5 });
    const row = (source: string, action: string) =>
      counted.actions.find((each) => each.source === source && each.action === action);
    expect(row("rule", "restart_service")).toMatchObject({
      asked: 4,
      done: 0,
      withoutEffect: 1,
      failed: 1,
      notBegun: 1,
      refused: { backoff: 1 },
    });
    expect(row("model", "restart_service")).toMatchObject({ asked: 1, done: 1 });
    expect(row("agent", "restart_service")).toMatchObject({ asked: 1, done: 1 });
  });

  it("count what went no further than the reading of the reply, under no name that a model made up", () => {
    const ofModel = counted.actions.filter(({ source }) => source === "model");
    expect(ofModel.map(({ action, refused }) => [action, refused])).toEqual([
      ["kill_pid", { not_a_candidate: 2 }],
      ["restart_service", {}],
      ["unknown", { unknown_action: 1 }],
    ]);
    const stranger = at("2026-11-20T10:00:00Z", {
      actions: [action("rm -rf /", "llm:m", { refusal: "invalid" })],
    });
    expect(statsOf(window, [], [stranger]).actions).toMatchObject([{ action: "unknown", source: "model" }]);
  });

  it("account for every action that was asked for", () => {
    for (const { asked, done, withoutEffect, failed, notBegun, refused } of counted.actions) {
      const refusals = Object.values(refused).reduce((sum, number) => sum + number, 0);
      expect(done + withoutEffect + failed + notBegun + refusals).toBe(asked);
    }
  });

  it("say how long problems took to heal, of those that began in this time", () => {
    expect(counted.problems).toEqual({
      opened: 2,
      resolved: 3,
      secondsToHeal: { median: 60, worst: 90_300 },
    });
  });

  it("count the calls that were avoided by their reasons, and those that were made by day and outcome", () => {
    expect(counted.model).toEqual({
      calls: 2,
      byOutcome: { answered: 1, failed: 1 },
      avoided: { cooldown: 1, every_finding_resolved: 1, no_key: 1 },
      tokens: 4000,
      latencyMs: { median: 1200, percentile95: 4000 },
      costDollars: 0.004,
      callsWithoutPrice: 1,
      days: [
        { day: "2026-11-18", calls: 1, tokens: 0, costDollars: 0, callsWithoutPrice: 1 },
        { day: "2026-11-19", calls: 1, tokens: 4000, costDollars: 0.004, callsWithoutPrice: 0 },
      ],
      resolvedByModel: 1,
    });
  });

  it.each<[string, TrailCycle[], RegistryRecord[], string[]]>([
    [
      "what it cost is not known, when no call has a price",
      [at("2026-11-20T10:00:00Z", { consultation: call({ costDollars: null }) }, "asked")],
      records,
      [
        "Cost      not known for any call: no price for its model, or no answer",
        "          2026-11-20  1 call  4,000 tokens  not known",
      ],
    ],
    [
      "nothing was resolved for it",
      [at("2026-11-20T10:00:00Z", { consultation: call() }, "asked")],
      [],
      [
        "Cost      $0.0040 in all",
        "          the model's actions resolved no problem; no problem was resolved at all",
        "          2026-11-20  1 call  4,000 tokens  $0.0040",
      ],
    ],
    ["there was none", [at("2026-11-20T10:00:00Z")], [], ["Cost      none: the model was not asked"]],
  ])("say plainly when %s", (_, seen, heard, expected) => {
    const text = statsReport(statsOf(window, heard, seen), plain).split("\n");
    const first = text.findIndex((each) => each.startsWith("Cost"));
    expect(text.slice(first, text[text.length - 1] === "" ? -1 : undefined)).toEqual(expected);
  });

  it("count no call that was never sent", () => {
    const unsent = at("2026-11-20T10:00:00Z", { consultation: call({ requests: 0 }) }, "asked");
    expect(statsOf(window, [], [unsent]).model).toMatchObject({ calls: 0, tokens: 0, days: [] });
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
    expect(helped({ source: "llm:hand-off" })).toBe(0);
  });
});
