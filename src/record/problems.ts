/** Registry records -> problems. Pure: the same lines come to the same problems, however they lie in files. */
import type { Problem24h } from "../types/facts.ts";
import { beginsAnew } from "../types/past.ts";
import {
  harmlessRefusals,
  isPast,
  mostProblemActions,
  notRecorded,
  openingsWithin,
  Problem,
  type ProblemAction,
  type RegistryRecord,
  type Severity,
  severities,
} from "../types/problem.ts";

const dayMs = 86_400_000;
const mostOpenings = 300;

/** Actions that can mend something. To have said it, or noted it down, heals nothing. */
const remedies = new Set([
  "restart_service",
  "restart_container",
  "clean_container",
  "kill_pid",
  "kill_tmux",
  "clean_disk",
]);

export function worst(one: Severity, other: Severity): Severity {
  return severities.indexOf(one) <= severities.indexOf(other) ? one : other;
}

export function isOpen(problem: Problem | undefined): problem is Problem {
  return problem !== undefined && problem.life !== "resolved";
}

/** The longest time in which a setting counts repeats. */
const keptMs = 7 * dayMs;
const keptOpenings = (openings: readonly string[], nowMs: number) => openingsWithin(openings, nowMs, keptMs);

export function occurrences24h(problem: Problem, nowMs: number): number {
  return openingsWithin(problem.openings, nowMs).length;
}

/** The `problem` fact of a finding: what a rule may ask about the history of its own problem. */
export function problemFact(problem: Problem | undefined, nowMs: number): Problem24h {
  if (problem === undefined) return { occurrences24h: 1, openSeconds: 0 };
  const counted = occurrences24h(problem, nowMs);
  if (!isOpen(problem)) return { occurrences24h: counted + 1, openSeconds: 0 };
  const openSeconds = Math.max(0, Math.round((nowMs - Date.parse(problem.openedAt)) / 1000));
  return { occurrences24h: Math.max(1, counted), openSeconds };
}

/** @returns undefined when the record is about a problem that nobody opened. */
export function applyRecord(problem: Problem | undefined, record: RegistryRecord): Problem | undefined {
  switch (record.event) {
    case "opened":
      return isOpen(problem) ? problem : opened(problem, record);
    case "changed":
      return isOpen(problem) ? changed(problem, record) : problem;
    case "action":
      return problem === undefined ? undefined : acted(problem, record);
    case "resolved":
      if (!isOpen(problem)) return problem;
      return {
        ...problem,
        life: "resolved",
        resolvedAt: record.ts,
        resolvedBecause: record.reason,
        lastSeen: record.ts,
      };
    case "ticket":
      if (problem === undefined) return undefined;
      return { ...problem, beadId: record.reason === "closed" ? null : record.bead_id };
    case "past":
      return withPast(problem, record);
    case "carried": {
      // Whoever read the older files as well knows more than the line repeats.
      if (problem !== undefined) return problem;
      const carried = Problem.safeParse(record.evidence["problem"]);
      return carried.success && carried.data.key === record.key ? carried.data : undefined;
    }
  }
}

/** Open problems, and those resolved ones of which a count of repeats still needs an opening. */
export function stillNeeded(problems: Iterable<Problem>, nowMs: number): Problem[] {
  const isRecent = ({ openings }: Problem) => keptOpenings(openings, nowMs).length > 0;
  return [...problems].filter((problem) => isRecent(problem) || isOpen(problem));
}

function opened(before: Problem | undefined, record: RegistryRecord): Problem {
  const openings = [...keptOpenings(before?.openings ?? [], Date.parse(record.ts)), record.ts];
  return {
    key: record.key,
    type: record.type,
    subject: record.subject,
    condition: record.condition,
    severity: record.severity,
    description: record.description,
    was: record.was ?? null,
    life: "open",
    openedAt: record.ts,
    lastSeen: record.ts,
    resolvedAt: null,
    resolvedBecause: null,
    openings: openings.slice(-mostOpenings),
    actions: [],
    rules: record.rules ?? [],
    entity: record.entity ?? null,
    host: record.host,
    beadId: before?.beadId ?? null,
  };
}

/**
 * A line of the first Argus: history, which opens nothing. Whatever it was about is judged by the rules of today, and
 * a problem that they have opened stays as it is, with one more line in its story.
 */
function withPast(before: Problem | undefined, record: RegistryRecord): Problem {
  const done = record.action_taken === "none" ? [] : [actionOf(record)];
  const last = before !== undefined && isPast(before) ? before : undefined;
  if (isOpen(before)) return { ...before, actions: [...before.actions, ...done].slice(-mostProblemActions) };
  const { action, result } = last?.actions.at(-1) ?? {};
  const isAnew =
    last === undefined || beginsAnew({ ts: last.lastSeen, action: action ?? "none", result }, record);
  const problem = isAnew ? opened(before, record) : { ...last, ...newer(last, record) };
  return {
    ...problem,
    severity: isAnew ? record.severity : worst(last.severity, record.severity),
    life: "resolved",
    resolvedAt: problem.lastSeen,
    resolvedBecause: notRecorded,
    actions: [...problem.actions, ...done].slice(-mostProblemActions),
    // Whether a ticket of that time is still open nobody knows: its lines name it.
    beadId: null,
  };
}

const newer = (last: Problem, { ts, description }: RegistryRecord) =>
  ts < last.lastSeen ? {} : { lastSeen: ts, description };

function changed(problem: Problem, record: RegistryRecord): Problem {
  const rules = [...new Set([...problem.rules, ...(record.rules ?? [])])];
  const severity = worst(problem.severity, record.severity);
  return { ...problem, rules, severity, description: record.description, lastSeen: record.ts };
}

const actionOf = (record: RegistryRecord): ProblemAction => ({
  ts: record.ts,
  cycle: record.cycle,
  action: record.action_taken,
  result: record.action_result,
  reason: record.reason,
  ...(record.verified === undefined ? {} : { verified: record.verified }),
});

function acted(problem: Problem, record: RegistryRecord): Problem {
  const actions = [...problem.actions, actionOf(record)].slice(-mostProblemActions);
  return { ...problem, life: lifeAfter(problem, record), actions, lastSeen: record.ts };
}

function lifeAfter(problem: Problem, record: RegistryRecord): Problem["life"] {
  if (!isOpen(problem) || !remedies.has(record.action_taken.split(":", 1)[0] ?? "")) return problem.life;
  switch (record.action_result) {
    case "success":
      return record.verified === false ? "open" : "healing";
    case "failure":
      return "open";
    default: {
      // A remedy that is asked for again in a later cycle: the one before did not help.
      const mended = problem.actions.findLast((action) => action.result === "success");
      return mended?.cycle === record.cycle || harmlessRefusals.has(record.reason) ? problem.life : "open";
    }
  }
}
