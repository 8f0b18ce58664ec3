/** Registry records -> problems. Pure: the same lines come to the same problems, however they lie in files. */
import type { Problem24h } from "../types/facts.ts";
import {
  harmlessRefusals,
  mostProblemActions,
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

/** In both directions: an opening that a clock set back has put into the future counts as recent for a day at most. */
const within24h = (openings: readonly string[], nowMs: number) =>
  openings.filter((opening) => Math.abs(nowMs - Date.parse(opening)) <= dayMs);

export function occurrences24h(problem: Problem, nowMs: number): number {
  return within24h(problem.openings, nowMs).length;
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
    case "carried": {
      // Whoever read the older files as well knows more than the line repeats.
      if (problem !== undefined) return problem;
      const carried = Problem.safeParse(record.evidence["problem"]);
      return carried.success && carried.data.key === record.key ? carried.data : undefined;
    }
  }
}

/** Open problems, and those resolved ones of which a count of the last 24 hours still needs an opening. */
export function stillNeeded(problems: Iterable<Problem>, nowMs: number): Problem[] {
  return [...problems].filter((problem) => isOpen(problem) || occurrences24h(problem, nowMs) > 0);
}

function opened(before: Problem | undefined, record: RegistryRecord): Problem {
  const openings = [...within24h(before?.openings ?? [], Date.parse(record.ts)), record.ts];
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

function changed(problem: Problem, record: RegistryRecord): Problem {
  const rules = [...new Set([...problem.rules, ...(record.rules ?? [])])];
  const severity = worst(problem.severity, record.severity);
  return { ...problem, rules, severity, description: record.description, lastSeen: record.ts };
}

function acted(problem: Problem, record: RegistryRecord): Problem {
  const action: ProblemAction = {
    ts: record.ts,
    cycle: record.cycle,
    action: record.action_taken,
    result: record.action_result,
    reason: record.reason,
    ...(record.verified === undefined ? {} : { verified: record.verified }),
  };
  const actions = [...problem.actions, action].slice(-mostProblemActions);
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
