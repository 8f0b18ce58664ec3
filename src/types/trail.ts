/**
 * The trail: one line a cycle in `trail.jsonl`, and the very object that `argus run --once --json` prints.
 * `argus explain` renders it and computes nothing of its own, so that report and explanation cannot disagree.
 */
import * as z from "zod";
import { ActionRecord } from "./action.ts";
import { Consultation } from "./consultation.ts";
import { HandOffReport } from "./hand-off.ts";
import { ProblemKey, ProblemType, RemediationState, Severity } from "./problem.ts";
import { CollectorReport } from "./snapshot.ts";

export const Evidence = z.strictObject({
  fact: z.string(),
  /** Empty when the condition is on the whole fact. */
  path: z.string(),
  operator: z.string(),
  wanted: z.unknown(),
  /** Where `wanted` came from, when the rule compares with another fact. */
  wantedFrom: z.string().optional(),
  saw: z.unknown(),
  /** null: could not be judged, because what it needs was not observed. */
  result: z.boolean().nullable(),
});
export type Evidence = z.infer<typeof Evidence>;

export const TrailFinding = z.object({
  rule: z.string(),
  key: ProblemKey,
  type: ProblemType,
  severity: Severity,
  subject: z.string(),
  summary: z.string(),
  /** What a person should do about it. */
  advice: z.string().optional(),
  /** What became of its remedy. Left out by earlier versions. */
  remediation: RemediationState.optional(),
  /** The same as `applied`. Versions before meant by it that the rule takes care of it. */
  resolved: z.boolean(),
  condition: z.string(),
  description: z.string(),
  file: z.string(),
  line: z.number(),
  entity: z.strictObject({ kind: z.string(), identity: z.string() }).nullable(),
  evidence: z.array(Evidence),
  /** How long the conditions have held, and how long the rule wants. */
  held: z.strictObject({ cycles: z.number(), seconds: z.number(), wanted: z.string() }).nullable(),
  /** One sentence about the remediation. */
  why: z.string(),
  /** When its problem was opened (ISO 8601), and how often within 24 hours, this time included. */
  since: z.string().optional(),
  occurrences24h: z.number().optional(),
  /** The open ticket about it. */
  ticket: z.string().optional(),
});
export type TrailFinding = z.infer<typeof TrailFinding>;

export const RuleVerdict = z.strictObject({
  rule: z.string(),
  verdict: z.enum(["fired", "quiet", "blind"]),
  /** Entities it fired on. */
  fired: z.number(),
  /** Entities on which the conditions hold, but not yet for as long as the rule wants. */
  waiting: z.number(),
  /** Entities it could not judge. */
  blind: z.number(),
  judged: z.number(),
  /** What was not observed. */
  missing: z.array(z.string()),
  /** One sentence, when judging an entity failed for a fault in Argus: that entity counts as blind. */
  fault: z.string().optional(),
});
export type RuleVerdict = z.infer<typeof RuleVerdict>;

export const modelAnswers = [
  "nothing_found", // no rule fired
  "every_finding_resolved", // rules cover all that was found
  "same_unresolved_set", // asked about these within the hour
  "no_key", // ANTHROPIC_API_KEY is not set
  "disk_guard", // less than 100 MB free where the state is
  "cooldown", // the last calls failed
  "daily_budget", // today's calls or tokens are spent
  "paused", // `argus pause` is in force
  "dry_run", // a dry run asks nobody
  "asked",
] as const;
export const ModelAnswer = z.enum(modelAnswers);
export type ModelAnswer = z.infer<typeof ModelAnswer>;

export const TrailCycle = z.object({
  version: z.literal(1),
  kind: z.literal("cycle"),
  cycle: z.object({
    id: z.string(),
    ts: z.string(),
    /** command: no look at the machine, but what a person asked for on the command line. */
    trigger: z.enum(["schedule", "once", "wake", "command"]),
    /** What happened before it, one clause each. */
    woken_by: z.array(z.string()).optional(),
    duration_ms: z.number(),
    dry_run: z.boolean(),
    host: z.string(),
    model: z.object({ asked: z.boolean(), why: ModelAnswer, detail: z.string() }),
  }),
  collectors: z.array(CollectorReport),
  findings: z.array(TrailFinding),
  /** What the model was told and what came of it; null: it was not asked. */
  consultation: Consultation.nullable().optional(),
  /** Coding agents that ended, as far as this cycle noticed it first. */
  hand_offs: z.array(HandOffReport).optional(),
  actions: z.array(ActionRecord),
  rules: z.object({
    total: z.number(),
    quiet: z.number(),
    /** Every rule that is not quiet. */
    verdicts: z.array(RuleVerdict),
  }),
  problems: z.object({
    opened: z.array(z.string()),
    /** Those that are over. */
    resolved: z.array(z.string()),
    /** Of these, the ones of which nobody can say that they are well: stopped by a person, or not watched any more. */
    closed: z.array(z.string()).optional(),
    open: z.array(z.string()),
  }),
  /** What a person should know besides: a state file set aside, an action cut off by a crash, a late collector. */
  notes: z.array(z.string()),
});
export type TrailCycle = z.infer<typeof TrailCycle>;
