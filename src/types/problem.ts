/** Problems: their kinds, their severities, and the lines of `problems.jsonl`. */
import { z } from "zod";

export const problemTypes = [
  "disk", "memory", "service", "process", "swap", "container", "endpoint", "session", "file", "check", "agent", "argus",
] as const;
export const ProblemType = z.enum(problemTypes);
export type ProblemType = z.infer<typeof ProblemType>;

export const severities = ["critical", "warning", "info"] as const;
export const Severity = z.enum(severities);
export type Severity = z.infer<typeof Severity>;

export const actionResults = ["success", "failure", "skipped", "suppressed"] as const;
export const ActionResult = z.enum(actionResults);
export type ActionResult = z.infer<typeof ActionResult>;

/** What happened to the problem at this line. */
export const ProblemEvent = z.enum([
  "opened", // seen for the first time, or again after a healthy cycle
  "action", // an action was decided or done, or its refusal changed
  "resolved", // looked at, and no longer there
]);
export type ProblemEvent = z.infer<typeof ProblemEvent>;

/** `<type>:<16 hex digits>` */
export const ProblemKey = z.string().regex(/^[a-z]+:[0-9a-f]{16}$/);

/** One line of `problems.jsonl`. Users query the first eight fields with jq: their names and order are fixed. */
export const RegistryRecord = z.object({
  ts: z.string(),
  severity: Severity,
  type: ProblemType,
  description: z.string(),
  /** `restart_service:openclaw-gateway`, or `none`. */
  action_taken: z.string(),
  action_result: ActionResult,
  bead_id: z.string().nullable(),
  host: z.string(),
  key: ProblemKey,
  subject: z.string(),
  condition: z.string(),
  /** `rule:NAME`, `llm:MODEL`, `operator` or `self`. */
  source: z.string(),
  cycle: z.string(),
  /** The refusal's reason, or what became of the action. */
  reason: z.string(),
  evidence: z.record(z.string(), z.unknown()),
  duration_ms: z.number(),
  event: ProblemEvent,
});
export type RegistryRecord = z.infer<typeof RegistryRecord>;
