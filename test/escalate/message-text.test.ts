/** What a message says: what, where, since when, which values, what was done, what to do, and how to ask for more. */
import { describe, expect, it } from "vitest";
import { alertProposals } from "../../src/escalate/alerts.ts";
import type { Finding } from "../../src/types/finding.ts";
import type { Evidence } from "../../src/types/trail.ts";
import { bench, manualClock } from "../execute/support.ts";
import { handled, problem, record } from "./samples.ts";

const saw = (path: string, value: unknown, more: Partial<Evidence> = {}): Evidence => ({
  fact: "disk",
  path,
  operator: "greaterThan",
  wanted: 0,
  saw: value,
  result: true,
  ...more,
});
const disk: Partial<Finding> = {
  rule: "disk-full",
  type: "disk",
  subject: "/",
  condition: "full",
  severity: "critical",
  summary: "/ is 91.2 % full (7.12 GB left)",
  evidence: [saw("usedPercent", 91.2345), saw("availableBytes", 7_120_000_000)],
};
const nowMs = Date.UTC(2026, 10, 20, 22, 40, 0);

/** The text that leaves the machine, through the executor's own alert. */
async function told(finding: Partial<Finding>, openSeconds = 0, actions = [record()]) {
  const one = handled(finding, actions);
  const { key } = one.finding;
  const openedAt = new Date(nowMs - openSeconds * 1000).toISOString();
  const problems = new Map([[key, problem(one.finding, { openedAt, openings: [openedAt] })]]);
  const argus = bench({ system: { clock: manualClock() } });
  await argus.run(alertProposals([one], { problems, nowMs }));
  const [message] = argus.outbox();
  return { text: message?.text, note: message?.notes?.[0], key, openedAt };
}

describe("a message", () => {
  it("says all that a person needs, in this order", async () => {
    const { text, note, key, openedAt } = await told(
      {
        ...disk,
        evidence: [...(disk.evidence ?? []), saw("inodesUsedPercent", 97.25)],
        advice: "Find what is large with du -xh /, then move or remove it.",
      },
      5400,
      [
        record({
          type: "clean_disk",
          target: null,
          result: "failure",
          detail: "removed nothing: nothing is old enough",
        }),
      ],
    );
    expect(text).toBe(
      [
        "landmass: CRITICAL / is 91.2 % full (7.12 GB left)",
        "Since 2026-11-20 21:10 UTC (1 h 30 min).",
        "Seen: disk.inodesUsedPercent 97.3 %.",
        "clean_disk: removed nothing: nothing is old enough",
        "What to do: Find what is large with du -xh /, then move or remove it.",
        `argus explain ${key}`,
      ].join("\n"),
    );
    expect(note).toMatchObject({
      since: openedAt,
      summary: "/ is 91.2 % full (7.12 GB left)",
      advice: "Find what is large with du -xh /, then move or remove it.",
    });
  });

  it("invents nothing: no advice where the rule has none, no time where it just began, no value that was said", async () => {
    const { text, note, key } = await told(disk, 30, []);
    expect(text).toBe(
      `landmass: CRITICAL / is 91.2 % full (7.12 GB left)\nArgus has no remedy for it.\nargus explain ${key}`,
    );
    expect(note).not.toHaveProperty("advice");
  });

  it("keeps its advice, however much was done and said", async () => {
    const actions = Array.from({ length: 12 }, (_, number) =>
      record({ target: `unit-${number}`, detail: `it failed for reason ${number}` }),
    );
    const { text } = await told({ ...disk, advice: "Look at it." }, 7200, actions);
    expect(text).toContain("and 8 further actions\n");
    expect(text).toContain("\nWhat to do: Look at it.\nargus explain ");
  });

  it("takes the secrets out of an advice that holds what a machine was called", async () => {
    const { text, note } = await told({ ...disk, advice: "Ask mysql --password=hunter2hunter2 for it." });
    expect(text).toContain("What to do: Ask mysql --password=[redacted] for it.");
    expect(note?.advice).toBe("Ask mysql --password=[redacted] for it.");
  });
});

describe("of the values that were seen, a message names", () => {
  const line = async (evidence: Evidence[], summary = "it is bad") =>
    (await told({ ...disk, summary, evidence })).text?.split("\n").find((each) => each.startsWith("Seen: "));

  it.each([
    ["in bytes", saw("rssBytes", 3_210_000_000), "it holds 3.21 GB"],
    ["rounded", saw("latencyMilliseconds", 2345.67), "it took 2346 ms"],
    ["to two digits", saw("perCore", 2.4567), "load is 4.9 (2.46 a core)"],
    ["as a time", saw("ageSeconds", 5430), "running 1 h 30 min"],
    ["as a word", saw("activeState", "failed", { operator: "in" }), "web is failed"],
  ])("none that the summary says already: %s", async (_, evidence, summary) => {
    expect(await line([evidence], summary)).toBeUndefined();
    expect(await line([evidence])).toContain(`Seen: disk.${evidence.path} `);
  });

  it("none whose digits stand in another number alone", async () => {
    expect(await line([saw("count", 5)], "15 of 50, 5.25 of 0.5")).toBe("Seen: disk.count 5.");
  });

  it("none that say nothing: flags, what was fixed in advance, what does not hold, what was not seen", async () => {
    expect(
      await line([
        saw("installed", true),
        saw("type", "ext4", { operator: "equal" }),
        saw("one", 1, { result: false }),
        saw("two", null, { result: null }),
        saw("list", ["a"]),
      ]),
    ).toBeUndefined();
  });

  it("three at most, each cut", async () => {
    const many = [1, 2, 3, 4].map((number) =>
      saw(`field${number}`, "x".repeat(200), { operator: "matches" }),
    );
    expect(await line(many)).toBe(
      `Seen: ${[1, 2, 3].map((number) => `disk.field${number} "${"x".repeat(59)}…`).join(", ")}.`,
    );
  });
});
