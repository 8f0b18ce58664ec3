/** Problems: their kinds, their severities, and the lines of `problems.jsonl`. */
import * as z from "zod";

export const problemTypes = [
  "disk",
  "memory",
  "service",
  "process",
  "swap",
  "container",
  "endpoint",
  "session",
  "file",
  "check",
  "agent",
  "argus",
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
  "changed", // while open: it became worse, or another rule found it as well
  "resolved", // looked at, and no longer there
  "ticket", // its ticket was filed, found open, or closed
  "past", // written by the first Argus: seen, and what was done; how it ended it did not record
  "carried", // repeated at the head of a new file after a rotation, so that nothing still open is forgotten
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
  /** `rule:NAME`, `llm:MODEL`, `operator`, `self` or `first-argus`. */
  source: z.string(),
  cycle: z.string(),
  /** The refusal's reason, or what became of the action. */
  reason: z.string(),
  evidence: z.record(z.string(), z.unknown()),
  duration_ms: z.number(),
  event: ProblemEvent,
  /** opened, carried: the rules that found it. */
  rules: z.array(z.string()).optional(),
  /** opened, carried: what it is about; null is the host. */
  entity: z.strictObject({ kind: z.string(), identity: z.string() }).nullable().optional(),
  /** action: whether the trouble was seen to be gone afterwards. */
  verified: z.boolean().nullable().optional(),
  /** opened: the state in a few words, such as `failed, signal`. */
  was: z.string().optional(),
});
export type RegistryRecord = z.infer<typeof RegistryRecord>;

/** What became of a finding's remedy. `pending`: a retry or an approval is awaited; `withheld`: refused, and not by itself. */
export const remediationStates = ["applied", "pending", "withheld", "failed", "none"] as const;
export const RemediationState = z.enum(remediationStates);
export type RemediationState = z.infer<typeof RemediationState>;

/**
 * How people hear of a problem's end. `resolved`: it was alerted, its condition was seen to be gone and stayed gone.
 * `repaired`: the same, by Argus and before anybody was alerted. `closed`: nobody looks any more, or a person stopped it.
 */
export const endings = ["resolved", "repaired", "closed"] as const;
export const Ending = z.enum(endings);
export type Ending = z.infer<typeof Ending>;
/** As it begins a message. Messages of earlier versions do not say how. */
export const endingWord = (ending: Ending = "resolved"): string => ending.toUpperCase();

/** Reasons of an end of which nobody can say that all is well: a person stopped it, or nobody looks any more. */
export const closings = ["rule_removed", "stopped", "not_watched"] as const;
const isClosing = (because: string | null): boolean => closings.some((each) => each === because);

/** Source of the lines of the first Argus, whose cycles have no id. */
export const pastSource = "first-argus";
/** Reason of an end that nobody wrote down: all that is known of the problem are lines of the first Argus. */
export const notRecorded = "not_recorded";
export const isPast = ({ life, resolvedBecause }: Pick<Problem, "life" | "resolvedBecause">): boolean =>
  life === "resolved" && resolvedBecause === notRecorded;

/** What people read of a problem's life: one that is over may be closed instead of resolved. */
export const lifeWord = ({
  life,
  resolvedBecause,
}: Pick<Problem, "life" | "resolvedBecause">): Life | "closed" =>
  life === "resolved" && (isClosing(resolvedBecause) || resolvedBecause === notRecorded) ? "closed" : life;

/** open; healing: an action succeeded and no look has confirmed it yet; resolved: looked at, and no longer there. */
export const Life = z.enum(["open", "healing", "resolved"]);
export type Life = z.infer<typeof Life>;

export const ProblemAction = z.strictObject({
  ts: z.string(),
  cycle: z.string(),
  /** `restart_service:openclaw-gateway` */
  action: z.string(),
  result: ActionResult,
  reason: z.string(),
  /** Of a failure, null: it was not begun, or nobody knows what became of it. Left out by earlier versions. */
  verified: z.boolean().nullable().optional(),
});
export type ProblemAction = z.infer<typeof ProblemAction>;

/** Of one outage so many actions are kept. */
export const mostProblemActions = 20;

/** Reasons of a refusal that do not speak against a remedy applied before; `recovered` is a former name of `not_needed`. */
export const harmlessRefusals: ReadonlySet<string | null> = new Set([
  "recovered",
  "not_needed",
  "target_gone",
  "duplicate",
  "dry_run",
]);

/** What the registry's lines about one key come to. Times are ISO 8601, UTC. */
export const Problem = z.strictObject({
  key: ProblemKey,
  type: ProblemType,
  subject: z.string(),
  condition: z.string(),
  severity: Severity,
  description: z.string(),
  /** In a few words, such as `failed, signal`; null: the description is all there is. */
  was: z.string().nullable().default(null),
  life: Life,
  /** Start of the present outage, or of the last one. */
  openedAt: z.string(),
  /** The newest line about it. */
  lastSeen: z.string(),
  resolvedAt: z.string().nullable(),
  /** Why it counts as resolved. */
  resolvedBecause: z.string().nullable(),
  /** When it was opened, newest last: those of a week, at most 300. */
  openings: z.array(z.string()),
  /** What was done or refused in this outage, newest last, at most 20. */
  actions: z.array(ProblemAction),
  rules: z.array(z.string()),
  entity: z.strictObject({ kind: z.string(), identity: z.string() }).nullable(),
  host: z.string(),
  /** Its open ticket, as far as Argus knows. */
  beadId: z.string().nullable().default(null),
});
export type Problem = z.infer<typeof Problem>;

const dayMs = 86_400_000;

/**
 * In both directions: an opening that a clock set back has put into the future counts as recent for that time at most.
 * @param ms 24 hours when left out.
 */
export const openingsWithin = (openings: readonly string[], nowMs: number, ms = dayMs): string[] =>
  openings.filter((opening) => Math.abs(nowMs - Date.parse(opening)) <= ms);
