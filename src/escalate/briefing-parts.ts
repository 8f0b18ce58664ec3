/** The parts of the document that is put before the model, each bounded and cleaned. Pure. */
import { stringify } from "../system/printable.ts";
import { openingsWithin, type Problem } from "../types/problem.ts";
import type { TrailCycle } from "../types/trail.ts";
import type { Handled } from "./alerts.ts";
import type { Candidate } from "./candidates.ts";
import type { JournalTail } from "./evidence.ts";
import { machineLine, machineText } from "./machine-text.ts";
import type { Unresolved } from "./unresolved.ts";

const dayMs = 86_400_000;

/** How much of each part goes in, in pieces and in characters. */
export interface Sizes {
  readonly problems: number;
  /** Of a problem, with so many conditions of each and so many tried actions. */
  readonly findings: number;
  readonly conditions: number;
  readonly tried: number;
  readonly journalLines: number;
  readonly journalLine: number;
  readonly processes: number;
  /** Disks, services, endpoints, sessions, each. */
  readonly rows: number;
  readonly others: number;
  readonly resolved: number;
  readonly cycles: number;
  readonly line: number;
}

export function problemPart(
  { key, findings }: Unresolved,
  problems: readonly Problem[],
  size: Sizes,
  nowMs: number,
) {
  const known = problems.find((problem) => problem.key === key);
  const [{ finding: worst }] = findings;
  return {
    key,
    type: worst.type,
    condition: machineLine(worst.condition, 80),
    severity: worst.severity,
    subject: machineLine(worst.subject, 200),
    open_since: known?.openedAt ?? null,
    times_in_24_hours: known === undefined ? 1 : openingsWithin(known.openings, nowMs).length,
    findings: findings.slice(0, size.findings).map(({ finding, actions, remediation }) => ({
      rule: machineLine(finding.rule, 80),
      meaning: machineLine(finding.description, size.line),
      summary: machineLine(finding.summary, size.line),
      why_unresolved: machineLine(remediation.why, size.line),
      conditions: finding.evidence.slice(0, size.conditions).map(({ fact, path, operator, wanted, saw }) => ({
        what: `${fact}.${path} ${operator}`,
        wanted: valuePart(wanted, size),
        saw: valuePart(saw, size),
      })),
      tried_now: actions.slice(0, size.tried).map((action) => actionPart(action, size)),
    })),
    more_findings: Math.max(0, findings.length - size.findings),
    tried_before: triedPart(known?.actions ?? [], size),
  };
}

/** The newest first. */
export function endedInADay(problems: readonly Problem[], nowMs: number): Problem[] {
  return problems
    .flatMap((problem) => {
      const endedMs = problem.life === "resolved" ? Date.parse(problem.resolvedAt ?? "") : Number.NaN;
      return Math.abs(nowMs - endedMs) <= dayMs ? [{ problem, endedMs }] : [];
    })
    .sort((a, b) => b.endedMs - a.endedMs)
    .map(({ problem }) => problem);
}

/** How it stands with a problem that is not asked about, and what became of it within a day. */
export function historyPart(
  { key, severity, description, openedAt, resolvedAt, openings, actions }: Problem,
  size: Sizes,
  nowMs: number,
) {
  return {
    key,
    severity,
    description: machineLine(description, size.line),
    open_since: openedAt,
    ...(resolvedAt === null ? {} : { ended: resolvedAt }),
    times_in_24_hours: openingsWithin(openings, nowMs).length,
    tried: triedPart(actions, size),
  };
}

const triedPart = (actions: Problem["actions"], { tried }: Sizes) =>
  actions.slice(-tried).map(({ ts, action, result, reason }) => ({
    ts,
    action: machineLine(action, 120),
    result,
    reason: machineLine(reason, 160),
  }));

function actionPart(action: Handled["actions"][number], size: Sizes) {
  const { type, target, result, refusal, verified, detail } = action;
  return {
    action: machineLine(target === null ? type : `${type} ${target}`, 120),
    result,
    refusal,
    verified,
    detail: machineLine(detail, size.line),
  };
}

export function handledPart({ finding, actions }: Handled, size: Sizes) {
  return {
    rule: machineLine(finding.rule, 80),
    summary: machineLine(finding.summary, size.line),
    actions: actions.slice(0, 4).map(({ type, target, result, refusal }) => ({
      action: machineLine(target === null ? type : `${type} ${target}`, 120),
      result,
      refusal,
    })),
  };
}

export function cyclePart({ cycle, findings, actions, consultation }: TrailCycle, size: Sizes) {
  return {
    ts: cycle.ts,
    model: cycle.model.why,
    ...(consultation?.outcome === "answered" && {
      model_said: machineLine(consultation.assessment, Math.min(300, size.line)),
    }),
    findings: findings.slice(0, 10).map(({ key, resolved, summary }) => ({
      key,
      resolved,
      summary: machineLine(summary, Math.min(200, size.line)),
    })),
    actions: actions.slice(0, 10).map(({ type, target, source, problem, result, refusal, message }) => ({
      action: machineLine(target === null ? type : `${type} ${target}`, 120),
      by: machineLine(source, 80),
      problem,
      result,
      refusal,
      message: message === null ? null : machineLine(message, 160),
    })),
  };
}

/** What the gate will ask for again: which action, on which target, for which problem. */
export function allowedPart(candidates: readonly Candidate[], { line }: Sizes) {
  const byType: Record<
    string,
    { target: string | number | null; problems: readonly string[]; about: string }[]
  > = {};
  for (const { type, target, problems, about } of candidates) {
    byType[type] = [
      ...(byType[type] ?? []),
      { target, problems, about: machineLine(about, Math.min(240, line)) },
    ];
  }
  return byType;
}

export function journalPart({ unit, lines, missing }: JournalTail, size: Sizes) {
  const about = { unit: machineLine(unit, 200) };
  if (missing !== null) return { ...about, missing: machineLine(missing, 200) };
  // As one text: a private key goes over many lines.
  const safe = machineText(lines.join("\n"), 64_000).split("\n");
  return {
    ...about,
    lines: safe.slice(-size.journalLines).map((line) => machineLine(line, size.journalLine)),
  };
}

function valuePart(value: unknown, { line }: Sizes): unknown {
  if (typeof value === "number") return Math.round(value * 100) / 100;
  if (typeof value === "string") return machineLine(value, Math.min(160, line));
  if (value === null || typeof value === "boolean") return value;
  return machineLine(value === undefined ? "undefined" : stringify(value), Math.min(160, line));
}
