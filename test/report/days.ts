/** A week as it stands in the trail and in the registry, for the counts of `argus stats`. */
import type { ActionRecord } from "../../src/types/action.ts";
import type { Consultation } from "../../src/types/consultation.ts";
import type { RegistryRecord } from "../../src/types/problem.ts";
import type { TrailCycle, TrailFinding } from "../../src/types/trail.ts";
import { cycle } from "./cycles.ts";

export const window = { from: "2026-11-13T22:00:00Z", to: "2026-11-20T22:00:00Z" };

export const finding = (rule: string) => ({ rule }) as TrailFinding;
export const action = (type: string, source: string, more: Partial<ActionRecord> = {}) =>
  ({ type, source, result: "success", refusal: null, verified: true, ...more }) as ActionRecord;
export const call = (more: Partial<Consultation> = {}) =>
  ({
    outcome: "answered",
    requests: 1,
    inputTokens: 3000,
    outputTokens: 200,
    cacheReadTokens: 800,
    cacheWriteTokens: 0,
    costDollars: 0.004,
    latencyMs: 1200,
    rejected: [],
    ...more,
  }) as Consultation;
export const at = (ts: string, more: object = {}, why = "nothing_found", trigger = "schedule") =>
  cycle({ ...more, cycle: { ts, trigger, model: { asked: why === "asked", why, detail: "" } } } as never);
export const line = (ts: string, event: string, key: string, more: object = {}) =>
  ({
    ts,
    event,
    key: `service:${key.padStart(16, "0")}`,
    source: "rule:a",
    action_result: "skipped",
    ...more,
  }) as RegistryRecord;

/** Newest first, as they are read. */
export const cycles: TrailCycle[] = [
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
      consultation: call({
        latencyMs: 4000,
        rejected: [
          { what: "kill_pid 4242", reason: "not_a_candidate", why: "the target was not offered" },
          { what: "format_disk /", reason: "unknown_action", why: "there is no such action" },
        ],
      }),
      actions: [
        action("restart_service", "llm:claude-haiku-5-5"),
        action("restart_service", "llm:hand-off"),
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
        action("restart_service", "rule:service-down", { result: "skipped", verified: null }),
      ],
    },
    "no_key",
  ),
  at("2026-11-13T21:59:59Z", { findings: [finding("too-old")] }, "no_key"),
];
export const records: RegistryRecord[] = [
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
