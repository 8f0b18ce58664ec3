/** What an alert says of what was done: only what really was, and how it went. */
import { expect, it } from "vitest";
import { alertProposals } from "../../src/escalate/alerts.ts";
import { recoveryProposals } from "../../src/escalate/recovery.ts";
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
    actions: [],
    evidence: [],
  };
  const resolution = { resolved: false, why: "it failed" };
  const handled = [{ finding, actions, resolution }] as unknown as Parameters<typeof alertProposals>[0];
  return alertProposals(handled, new Map(), 0)[0]?.actionTaken;
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

it("the end of a problem says what helped", () => {
  const [opened, over] = ["2026-11-20T22:00:00Z", "2026-11-20T22:40:00Z"];
  const end = (actions: object[]) => {
    const problem = {
      key,
      type: "service",
      subject: "web",
      description: "web is failed",
      openedAt: opened,
      resolvedAt: null,
      openings: [],
      actions,
    };
    return recoveryProposals(
      [problem as unknown as Problem],
      [{ key, because: "not_found" }],
      300,
      Date.parse(over),
    )[0]?.actionTaken;
  };
  expect(end([])).toBeUndefined();
  expect(end([{ action: "restart_service:web", result: "failure" }])).toBeUndefined();
  expect(end([{ action: "restart_service:web", result: "success" }])).toBe("restart_service:web (success)");
});

it("an end says what was tried, and nothing recovers that a person stopped or nobody watches any more", () => {
  const problem = {
    key: "service:0123456789abcdef",
    type: "service",
    subject: "web",
    description: "web is failed (signal)",
    openedAt: "2026-11-21T08:00:00Z",
    resolvedAt: null,
    openings: [],
    actions: [{ action: "restart_service:web", result: "failure" }],
  } as unknown as Problem;
  const end = (because: string, one = problem) =>
    recoveryProposals([one], [{ key: one.key, because }], 300, Date.parse("2026-11-21T09:00:00Z"));
  expect(end("not_found")[0]?.lines?.join("\n")).toContain(
    "Argus tried restart_service web, which failed; it came back after that.",
  );
  const nothing = end("not_found", { ...problem, actions: [] })[0]?.lines;
  expect(nothing?.join("\n")).toContain("Argus did nothing about it.");
  expect(end("stopped")).toEqual([]);
  expect(end("not_watched")).toEqual([]);
});
