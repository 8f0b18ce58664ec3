/** The lines of `problems.jsonl`, made. The order of the fields is part of the contract. */
import { redact } from "../system/redact/redact.ts";
import type { ActionRecord } from "../types/action.ts";
import type { Finding } from "../types/finding.ts";
import {
  type Problem,
  ProblemKey,
  ProblemType,
  type RegistryRecord,
  type Severity,
  severities,
} from "../types/problem.ts";
import type { TicketEvent } from "../types/ticket.ts";
import type { Evidence } from "../types/trail.ts";
import type { Settled } from "./settling.ts";

export interface CycleRef {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly ts: string;
  readonly host: string;
}

/** A command line of 4,096 characters says nothing more in a registry line than its start does. */
const longestText = 500;

/** Cut after its secrets are out: half a secret is not recognised as one. */
function clip(text: string): string {
  const safe = redact(text.slice(0, 4 * longestText));
  return safe.length <= longestText && text.length <= 4 * longestText
    ? safe
    : `${safe.slice(0, longestText - 1)}…`;
}

function clipValue(value: unknown): unknown {
  return typeof value === "string" ? clip(value) : value;
}

function seen(evidence: readonly Evidence[]): Record<string, unknown> {
  return Object.fromEntries(
    evidence.map(({ fact, path, saw }) => [path === "" ? fact : `${fact}.${path}`, clipValue(saw)]),
  );
}

/** @param group all findings of one key, at least one: the worst speaks for them. */
export function findingRecord(
  event: "opened" | "changed",
  group: readonly Finding[],
  cycle: CycleRef,
  beadId: string | null = null,
): RegistryRecord {
  const rank = (finding: Finding): number => severities.indexOf(finding.severity as Severity);
  const worst = group.reduce((one, other) => (rank(other) < rank(one) ? other : one));
  return {
    ts: cycle.ts,
    severity: worst.severity,
    type: worst.type,
    description: clip(worst.summary),
    action_taken: "none",
    action_result: "skipped",
    bead_id: beadId,
    host: cycle.host,
    key: worst.key,
    subject: worst.subject,
    condition: worst.condition,
    source: `rule:${worst.rule}`,
    cycle: cycle.id,
    reason: event === "opened" ? "detected" : "changed",
    evidence: seen(worst.evidence),
    duration_ms: 0,
    event,
    rules: [...new Set(group.map((finding) => finding.rule))],
    entity: worst.entity,
    ...(worst.was === undefined ? {} : { was: clip(worst.was) }),
  };
}

/** @returns null when the action names no problem: a proposal too broken to have one is in the trail alone. */
export function actionRecord(
  action: ActionRecord,
  problem: Problem | undefined,
  cycle: CycleRef,
): RegistryRecord | null {
  if (!ProblemKey.safeParse(action.problem).success) return null;
  const type = problem?.type ?? ProblemType.safeParse(action.problem.split(":", 1)[0]).data;
  if (type === undefined) return null;
  return {
    ts: cycle.ts,
    severity: problem?.severity ?? "info",
    type,
    description: problem?.description ?? clip(action.detail),
    action_taken: action.target === null ? action.type : `${action.type}:${action.target}`,
    action_result: action.result,
    bead_id: problem?.beadId ?? null,
    host: cycle.host,
    key: action.problem,
    subject: problem?.subject ?? String(action.target ?? ""),
    condition: problem?.condition ?? "",
    source: action.source,
    cycle: cycle.id,
    reason: action.refusal ?? clip(action.detail),
    evidence: { ...action.values, detail: clip(action.detail) },
    duration_ms: Math.round(action.duration_ms),
    event: "action",
    verified: action.verified,
  };
}

export function resolvedRecord(
  problem: Problem,
  { because, goneAt }: Settled,
  cycle: CycleRef,
): RegistryRecord {
  const recovered = problem.life === "healing" ? "healed" : "recovered";
  return {
    ...about(problem),
    ts: cycle.ts,
    host: cycle.host,
    cycle: cycle.id,
    reason: because === "not_found" ? recovered : because,
    evidence: { openedAt: problem.openedAt, goneAt },
    event: "resolved",
  };
}

/** @returns null about a problem that nobody knows any more. */
export function ticketRecord(
  { id, what }: TicketEvent,
  problem: Problem | undefined,
  cycle: CycleRef,
): RegistryRecord | null {
  if (problem === undefined) return null;
  return {
    ...about(problem),
    ...{ ts: cycle.ts, host: cycle.host, cycle: cycle.id },
    action_taken: `file_bead:${id}`,
    action_result: "success",
    bead_id: id,
    source: "self",
    reason: what,
    event: "ticket",
  };
}

/** Everything that is known about the problem, so that it can be taken up again from this line alone. */
export function carriedRecord(problem: Problem): RegistryRecord {
  return {
    ...about(problem),
    reason: "carried over from the file before",
    evidence: { problem },
    event: "carried",
    rules: problem.rules,
    entity: problem.entity,
  };
}

function about(problem: Problem): RegistryRecord {
  return {
    ts: problem.lastSeen,
    severity: problem.severity,
    type: problem.type,
    description: problem.description,
    action_taken: "none",
    action_result: "skipped",
    bead_id: problem.beadId,
    host: problem.host,
    key: problem.key,
    subject: problem.subject,
    condition: problem.condition,
    source: problem.rules[0] === undefined ? "self" : `rule:${problem.rules[0]}`,
    cycle: "",
    reason: "",
    evidence: {},
    duration_ms: 0,
    event: "opened",
  };
}
