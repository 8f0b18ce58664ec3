/** What an alert says of what was done: only what really was, and how it went. */
import { describe, expect, it } from "vitest";
import { alertProposals } from "../../src/escalate/alerts.ts";
import { oneAlertEach, recoveryProposals } from "../../src/escalate/recovery.ts";
import type { ActionRecord } from "../../src/types/action.ts";
import type { Problem } from "../../src/types/problem.ts";

const key = "service:0123456789abcdef";
const done = (type: string, target: string | null, result: string, refusal: string | null = null) =>
  ({ type, target, result, refusal, detail: "it", values: {}, problem: key }) as unknown as ActionRecord;

const taken = (...actions: ActionRecord[]) => {
  const finding = {
    key,
    rule: "r",
    type: "service",
    severity: "critical",
    subject: "web",
    summary: "s",
    actions: [{ type: "alert" }],
    evidence: [],
  };
  const remediation = { state: "failed", covered: false, why: "it failed" };
  const handled = [{ finding, actions, remediation }] as unknown as Parameters<typeof alertProposals>[0];
  return alertProposals(handled, { problems: new Map(), nowMs: 0 })[0]?.actionTaken;
};

it.each([
  ["nothing", [], undefined],
  ["what was refused", [done("restart_service", "web", "suppressed", "backoff")], undefined],
  ["words", ["alert", "log", "file_bead"].map((type) => done(type, null, "success")), undefined],
  ["what failed", [done("restart_service", "web", "failure")], "restart_service:web (failure)"],
  [
    "several, the same once",
    [done("clean_disk", null, "success"), done("kill_pid", "7", "success"), done("kill_pid", "7", "success")],
    "clean_disk (success), kill_pid:7 (success)",
  ],
])("%s", (_, actions, wanted) => {
  expect(taken(...actions)).toBe(wanted);
});

const minute = 60_000;
const began = Date.parse("2026-11-21T08:00:00Z");

function problem(more: Partial<Problem> = {}): Problem {
  return {
    key,
    type: "service",
    subject: "alpha",
    condition: "down",
    severity: "critical",
    description: "alpha is failed (signal) and is not restarted",
    was: "failed, signal",
    life: "open",
    openedAt: "2026-11-21T08:00:00Z",
    lastSeen: "2026-11-21T08:00:00Z",
    resolvedAt: null,
    resolvedBecause: null,
    openings: ["2026-11-21T08:00:00Z"],
    actions: [],
    rules: ["service-down"],
    entity: { kind: "service", identity: "alpha" },
    host: "landmass",
    beadId: null,
    ...more,
  };
}

const tried = (...results: ("success" | "failure")[]): Problem["actions"] =>
  results.map((result, index) => ({
    ts: new Date(began + index * 60_000).toISOString(),
    cycle: "c",
    action: "restart_service:alpha",
    result,
    reason: "it",
  }));

describe("the end of a problem", () => {
  const end = (
    more: Partial<Problem>,
    because: "not_found" | "stopped" | "not_watched" | "rule_removed" = "not_found",
  ) =>
    recoveryProposals(
      [problem(more)],
      [{ key, because, goneAt: "2026-11-21T08:01:04Z" }],
      new Set(),
      began + 5 * minute,
    )[0];

  it.each<[string, Partial<Problem>, string]>([
    [
      "by Argus",
      { life: "healing", actions: tried("success") },
      "alpha (was: failed, signal), down 64 s, restarted by Argus.",
    ],
    [
      "by Argus, not at once",
      { life: "healing", actions: tried("failure", "success") },
      "alpha (was: failed, signal), down 64 s, restarted by Argus on the 2nd attempt.",
    ],
    ["by somebody else", {}, "alpha (was: failed, signal), down 64 s, ended without Argus."],
    [
      "by somebody else, after Argus failed",
      { actions: tried("success", "failure") },
      "alpha (was: failed, signal), down 64 s, ended without Argus: 2 attempts, the last restart_service alpha, did not help.",
    ],
    [
      "by somebody else, after what Argus did had to be asked for again",
      { life: "open", actions: tried("success") },
      "alpha (was: failed, signal), down 64 s, ended without Argus: restart_service alpha did not help.",
    ],
    [
      "of what is not up or down, in the words of its description",
      {
        type: "disk",
        condition: "full",
        subject: "/",
        was: null,
        description: "/ is 91 % full",
        actions: [],
      },
      "/ (was: 91 % full), after 64 s, ended without Argus.",
    ],
  ])("says what it was, for how long, and what helped: %s", (_, more, message) => {
    expect(end(more)?.message).toBe(message);
  });

  it("is no repair when nothing helped, and one when Argus did", () => {
    expect(end({})?.repaired).toBeUndefined();
    expect(end({ actions: tried("failure") })).not.toHaveProperty("actionTaken");
    expect(end({ life: "healing", actions: tried("success") })).toMatchObject({
      repaired: true,
      actionTaken: "restart_service:alpha (success)",
    });
  });

  it.each([
    ["stopped", "a person stopped it, and it does not run"],
    ["not_watched", "Argus does not watch it any more"],
    ["rule_removed", "no rule looks for it any more"],
  ] as const)("is closed, not resolved, when it is %s", (because, why) => {
    expect(end({}, because)).toMatchObject({
      closed: true,
      message: `alpha (was: failed, signal), down 64 s: ${why}.`,
    });
  });

  it("is asked for again for two hours, and of what flapped when it is calm, whenever that is noticed", () => {
    const over = {
      life: "resolved",
      resolvedAt: "2026-11-21T08:02:00Z",
      resolvedBecause: "recovered",
    } as const;
    const at = (more: Partial<Problem>, nowMs: number) =>
      recoveryProposals([problem({ ...over, ...more })], [], new Set(), nowMs);
    expect(at({}, began + 3 * minute)).toHaveLength(1);
    expect(at({}, began + 123 * minute)).toEqual([]);
    const openings = [0, 1, 2].map((each) => new Date(began + each * minute).toISOString());
    expect(at({ openings }, began + 30 * minute)).toEqual([]);
    expect(at({ openings }, began + 61 * minute)).toMatchObject([
      { lines: ["It was the 3rd time within 24 hours.", "It was flapping, and has been calm since."] },
    ]);
    // A clock that leaps over the moment, or an Argus that was away, loses nothing.
    expect(at({ openings }, began + 600 * minute)).toHaveLength(1);
    expect(at({ openings, resolvedBecause: "stopped" }, began + 61 * minute)).toMatchObject([
      { closed: true },
    ]);
    const healed = { openings, resolvedBecause: "healed", actions: tried("success") };
    const calm = at(healed, began + 61 * minute)[0];
    expect(calm?.message).toMatch(/, restarted by Argus\.$/);
    // It is the end of what was alerted, or none: a repair was reported when it was one.
    expect(calm).not.toHaveProperty("repaired");
  });
});

describe("the law of notification, for one finding", () => {
  const alerted = (
    more: {
      severity?: string;
      isGone?: boolean;
      covered?: boolean;
      actions?: ActionRecord[];
      begunMs?: number;
    },
    known: Partial<Problem> = {},
    nowMs = began,
  ): boolean => {
    const { severity = "warning", covered = true, actions = [], isGone, begunMs = 0 } = more;
    const finding = {
      key,
      rule: "r",
      type: "service",
      severity,
      subject: "alpha",
      summary: "s",
      actions: [],
      evidence: [],
    };
    const one = {
      finding,
      actions,
      remediation: { state: "applied", covered, why: "" },
      ...(isGone === undefined ? {} : { isGone }),
    };
    const problems = new Map([[key, problem(known)]]);
    return (
      alertProposals([one] as unknown as Parameters<typeof alertProposals>[0], { problems, nowMs, begunMs })
        .length === 1
    );
  };
  const applied = done("restart_service", "alpha", "success");

  it("it is alerted, whatever its rule covers", () => expect(alerted({})).toBe(true));
  it("unless a look after the remedy found it gone", () => expect(alerted({ isGone: true })).toBe(false));
  it("info is not, where its rule covers it", () => {
    expect(alerted({ severity: "info" })).toBe(false);
    expect(alerted({ severity: "info", covered: false })).toBe(true);
  });
  it("healing holds it back for a minute, and no longer", () => {
    const healing = { life: "healing" as const, actions: tried("success") };
    expect(alerted({ actions: [applied] })).toBe(false);
    expect(alerted({}, healing, began + minute)).toBe(false);
    expect(alerted({}, healing, began + minute + 1000)).toBe(true);
    // A second success does not begin the minute anew, and a clock set back does not prolong it.
    expect(alerted({ actions: [applied] }, healing, began + minute + 1000)).toBe(true);
    expect(alerted({}, healing, began - 2 * minute)).toBe(true);
    // An Argus that has begun since knows nothing of what became of it.
    expect(alerted({ begunMs: began + 1000 }, healing, began + 2000)).toBe(true);
  });
  it.each(["backoff", "cooldown", "paused", "boot_grace", "budget_exhausted", "needs_approval"])(
    "a remedy that is refused again (%s) is no healing",
    (refusal) => {
      const refused = done("restart_service", "alpha", "skipped", refusal);
      expect(alerted({ actions: [refused] }, { life: "healing", actions: tried("success") })).toBe(true);
    },
  );
});

it("the model's alert about a problem takes the rule's along, in the model's name only where it may alert", () => {
  const finding = {
    key,
    rule: "r",
    type: "service",
    severity: "critical",
    subject: "alpha",
    summary: "alpha is down",
    actions: [],
    evidence: [],
  };
  const handled = [{ finding, actions: [], remediation: { state: "none", covered: false, why: "" } }];
  const own = {
    type: "alert",
    source: "llm:m",
    problem: key,
    problemType: "service",
    severity: "info",
    subject: "alpha",
    message: "alpha is down",
    lines: ["The model: look at it."],
  };
  const alert = (modelMayAlert: boolean) =>
    alertProposals(handled as never, {
      problems: new Map([[key, problem()]]),
      nowMs: began,
      advice: [own as never],
      modelMayAlert,
    });
  expect(alert(true)).toMatchObject([{ source: "llm:m", severity: "critical", since: problem().openedAt }]);
  expect(alert(false)).toMatchObject([{ source: "rule:r", severity: "critical" }]);
  expect(alert(false)[0]?.lines).toContain("The model: look at it.");
});

it("where several rules speak of a problem each asks, so that a silence of one hides no other", () => {
  const finding = (rule: string, severity: string) => ({
    key,
    rule,
    type: "service",
    severity,
    subject: "alpha",
    summary: rule,
    actions: [],
    evidence: [],
  });
  const handled = [finding("r1", "warning"), finding("r2", "critical"), finding("r2", "critical")].map(
    (each) => ({
      finding: each,
      actions: [],
      remediation: { state: "none", covered: false, why: "" },
    }),
  );
  const alerts = alertProposals(handled as never, { problems: new Map([[key, problem()]]), nowMs: began });
  expect(alerts.map(({ source }) => source)).toEqual(["rule:r2", "rule:r1"]);
  const record = (source: string, result: string) => ({ type: "alert", source, problem: key, result });
  expect(oneAlertEach([record("rule:r2", "suppressed"), record("rule:r1", "success")])).toEqual([
    record("rule:r1", "success"),
  ]);
  expect(oneAlertEach([record("rule:r2", "success"), record("rule:r1", "suppressed")])).toEqual([
    record("rule:r2", "success"),
  ]);
  expect(
    oneAlertEach([
      record("rule:r2", "suppressed"),
      record("rule:r1", "suppressed"),
      record("self", "success"),
    ]),
  ).toEqual([record("rule:r2", "suppressed"), record("self", "success")]);
});
