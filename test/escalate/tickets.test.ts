/** Which problems need a ticket, and what stands in it. */
import { describe, expect, it } from "vitest";
import type { Handled } from "../../src/escalate/alerts.ts";
import { type TicketNeeds, ticketProposals } from "../../src/escalate/tickets.ts";
import { Proposal } from "../../src/types/action.ts";
import type { Problem } from "../../src/types/problem.ts";
import { handled, problem, record } from "./samples.ts";

const nowMs = Date.parse("2026-11-20T10:00:00Z");
const hoursAgo = (hours: number) => new Date(nowMs - hours * 3_600_000).toISOString();

const textOf = (asked: Proposal | undefined): string => [asked?.message, ...(asked?.lines ?? [])].join("\n");

const proposals = (
  found: readonly Handled[],
  more: Partial<TicketNeeds> = {},
  about: Partial<Problem> = {},
) =>
  ticketProposals({
    handled: found,
    problems: new Map(found.map(({ finding }) => [finding.key, problem(finding, about)])),
    advice: [],
    reportOn: () => null,
    isReported: () => false,
    repeats: { threshold: 3, windowSeconds: 86_400 },
    nowMs,
    ...more,
  });

const remedied = { resolves: true, severity: "critical" } as const;
const refused = (refusal: NonNullable<ReturnType<typeof record>["refusal"]>, detail = "") =>
  record({ result: "suppressed", refusal, verified: null, detail });
const helped = record({ result: "success", verified: true, detail: "active" });
const noted = (recent: number) =>
  record({ type: "log", target: null, result: "success", verified: null, values: { repeats: 90, recent } });

describe("a problem", () => {
  it.each<[string, Handled, Partial<Problem>, RegExp | null]>([
    ["whose action failed", handled(remedied, [record()]), {}, /restart_service web failed: it failed again/],
    [
      "whose action had no effect",
      handled(remedied, [record({ result: "success", detail: "active" })]),
      {},
      /restart_service web had no effect: active/,
    ],
    [
      "whose attempts are used up",
      handled(remedied, [refused("cooldown", "3 attempts; the next in 3600 s")]),
      {},
      /All attempts are used up: 3 attempts; the next in 3600 s\./,
    ],
    ["whose next attempt only waits", handled(remedied, [refused("backoff")]), {}, null],
    ["that an operator stopped", handled(remedied, [refused("operator_stopped")]), {}, null],
    ["while Argus is paused", handled(remedied, [refused("paused")]), {}, null],
    ["that was healed", handled(remedied, [helped]), {}, null],
    [
      "that was healed the third time within a day",
      handled(remedied, [helped]),
      { openings: [hoursAgo(20), hoursAgo(9), hoursAgo(0)] },
      /It began 3 times within 1 d\./,
    ],
    [
      "of which one of three times was two days ago",
      handled(remedied, [helped]),
      { openings: [hoursAgo(48), hoursAgo(9), hoursAgo(0)] },
      null,
    ],
    ["without a remedy", handled({ resolves: false }), {}, /No automatic remedy has resolved it\./],
    ["without a remedy, for information", handled({ resolves: false, severity: "info" }), {}, null],
    ["that waits for a person's yes", handled(remedied, [refused("needs_approval")]), {}, null],
    [
      "whose remedy is not allowed",
      handled(remedied, [refused("not_allowlisted")]),
      {},
      /No automatic remedy/,
    ],
    ["that was noted twice", handled({ ...remedied, severity: "info" }, [noted(2)]), {}, null],
    [
      "that was noted three times",
      handled({ ...remedied, severity: "info" }, [noted(3)]),
      {},
      /It was noted 3 times within 1 d\./,
    ],
  ])("%s", (_, found, about, why) => {
    const [first, ...others] = proposals([found], {}, about);
    expect(others).toEqual([]);
    if (why === null) expect(first).toBeUndefined();
    else {
      expect(Proposal.parse(first)).toMatchObject({
        type: "file_bead",
        source: "self",
        problem: found.finding.key,
      });
      expect(textOf(first)).toMatch(why);
    }
  });

  it("with several findings and the model's word is one ticket, with the worst first", () => {
    const found = [
      handled({ rule: "mild", severity: "warning", summary: "web is slow" }),
      handled({ rule: "grave", severity: "critical", summary: "web is down" }),
    ];
    const advice = [
      { ...proposals(found)[0], source: "llm:m", message: "look at the port" } as ReturnType<
        typeof proposals
      >[0],
    ];
    const all = proposals(found, { advice });
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({ source: "self", severity: "critical", reason: "web is down" });
    expect(textOf(all[0])).toContain("Why a ticket: The model asks for it: look at the port");
  });

  it("for which only the model asks is held against what the model may", () => {
    const quiet = handled({ severity: "info", resolves: false });
    const [asked] = proposals([handled()]);
    const advice = asked === undefined ? [] : [{ ...asked, source: "llm:m" }];
    expect(proposals([quiet], { advice })).toMatchObject([{ source: "llm:m" }]);
  });

  it("for which a rule asks has its words", () => {
    const found = handled({
      ...remedied,
      severity: "info",
      actions: [{ type: "file_bead", message: "buy a larger disk" }],
    });
    const [first] = proposals([found]);
    expect(first?.source).toBe("rule:unit-failed");
    expect(textOf(first)).toContain("The rule unit-failed asks for it: buy a larger disk");
  });

  it("that is long to tell still makes a proposal that the executor takes", () => {
    const found = handled({
      resolves: false,
      summary: "x".repeat(5000),
      subject: "s".repeat(3000),
      description: "d".repeat(9000),
    });
    expect(Proposal.safeParse(proposals([found])[0]).success).toBe(true);
  });
});
