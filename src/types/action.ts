/** What passes through the executor: proposals in, decisions and outcomes out. All of it is plain JSON. */
import * as z from "zod";
import { RememberedAgent } from "./agent.ts";
import type { EntityKind } from "./facts.ts";
import { ActionResult, Ending, ProblemKey, ProblemType, Severity } from "./problem.ts";

export interface ActionRow {
  /** What it acts on, for people; null when it takes no target. */
  readonly target: string | null;
  /** Whether it takes a message. */
  readonly message: boolean;
  /** A rule may ask for it only with this `forEach`, and only on the very entity it was judged on. */
  readonly forEach?: EntityKind;
  /** With this `forEach` the target may be left out: it is the entity that the rule was judged on. */
  readonly ownEntity?: EntityKind;
  /** The target that a rule with `forEach` as above must name. */
  readonly targetTemplate?: string;
  readonly what: string;
}

/** Every action there is. Each has a file of its own in execute/actions/. */
export const actionCatalog = {
  restart_service: {
    target: "unit",
    message: false,
    what: "restarts a unit that is down and that the settings allow: at once, after 1 min, after 5 min, then not for an hour",
  },
  kill_pid: {
    target: "process id",
    message: false,
    forEach: "process",
    targetTemplate: "{{process.pid}}",
    what: "kills a process whose executable the settings allow: SIGTERM, after 5 s SIGKILL",
  },
  kill_tmux: {
    target: "tmux session",
    message: false,
    forEach: "session",
    targetTemplate: "{{session.name}}",
    what: "kills a tmux session on a socket that the settings name",
  },
  clean_disk: {
    target: "mount",
    message: false,
    ownEntity: "disk",
    what: "removes old entries of a fixed list of safe folders, on that file system alone",
  },
  hand_off: {
    target: null,
    message: false,
    what: "gives the problem to the coding agent of `handOff`, which can change nothing by itself",
  },
  file_bead: {
    target: null,
    message: true,
    what: "files a ticket (`tickets`), unless one is open for the problem",
  },
  alert: { target: null, message: true, what: "notifies people, once in the dedup window" },
  log: { target: null, message: true, what: "notes an observation, counting repeats" },
} as const satisfies Record<string, ActionRow>;

export type ActionType = keyof typeof actionCatalog;
/** Words to people: nothing on the machine changes by them. */
export function isWord(type: string): boolean {
  return Object.entries(actionCatalog).some(([name, { message }]) => name === type && message);
}
/** Whether it may itself heal something: words do not, and neither does handing the problem on. */
export const isRemedy = (type: string): boolean => !isWord(type) && type !== "hand_off";
export const actionTypes = Object.keys(actionCatalog) as ActionType[];
export const ActionType = z.enum(actionTypes as [ActionType, ...ActionType[]]);

/** Why the executor did not act: a closed list. */
export const refusalReasons = [
  "invalid", // the proposal does not have the shape of one
  "unknown_action", // no such action
  "not_allowlisted", // the settings do not allow it for this target
  "protected_target", // nobody may: pid 1, Argus, a unit's main process, a protected name
  "target_gone", // it is not there any more
  "identity_changed", // the pid or name belongs to something else now
  "not_needed", // it is no longer in the state that asked for the action: active again, no longer abandoned
  "operator_stopped", // a person or a package upgrade stopped or masked it
  "boot_grace", // the host came up a moment ago and may still be starting it
  "backoff", // tried a moment ago; the delay before the next attempt has not passed
  "cooldown", // all attempts were used; waiting before new ones
  "budget_exhausted", // as many of these as are allowed in an hour
  "duplicate", // the same was asked for in this cycle, or said within the dedup window
  "silenced", // a silence covers the problem
  "paused", // `argus pause` is in force
  "dry_run", // everything else said yes
  "watch_only", // everything else said yes, and ARGUS_MODE says that Argus only watches
  "needs_approval", // the policy wants a person's yes
  "dependency_down", // what it went down with, and needs, is not up again
  "not_a_candidate", // a target that was not offered to the proposer
] as const;
/** As version 0.1.0 wrote them into the decision log. */
const formerReasons: Readonly<Record<string, (typeof refusalReasons)[number]>> = { recovered: "not_needed" };
export const RefusalReason = z.preprocess(
  (value) =>
    typeof value === "string" && Object.hasOwn(formerReasons, value) ? formerReasons[value] : value,
  z.enum(refusalReasons),
);
export type RefusalReason = z.infer<typeof RefusalReason>;

/** `rule:NAME`, `llm:MODEL`, `operator` (the command line), `self` (Argus about itself). */
export const Source = z.string().regex(/^(rule:.+|llm:.+|operator|self)$/);

/** What the proposer saw, so that the executor can tell whether it is still the same thing. */
export const Expectation = z.strictObject({
  /** kill_pid: field 22 of /proc/PID/stat when observed. */
  startTime: z.number().int().nonnegative().optional(),
  /** kill_pid: that it had lost its parent, or was abandoned, is why it is to be killed. Asked again before each signal. */
  orphan: z.literal(true).optional(),
  abandoned: z.literal(true).optional(),
  /** kill_pid: a coding agent that was seen above it. */
  agent: RememberedAgent.optional(),
  /** kill_tmux: the socket the session was seen on. */
  socket: z.string().optional(),
});
export type Expectation = z.infer<typeof Expectation>;

export const Proposal = z.strictObject({
  type: z.string().min(1).max(64),
  /** A unit, a pid, a session name, a mount; none for alert and log, nor for an operator who cleans all disks. */
  target: z.union([z.string().min(1).max(256), z.number().int()]).optional(),
  /** The text of an alert or an observation: one line, whatever is in it. */
  message: z.string().min(1).max(8192).optional(),
  /** alert, file_bead: what is said below it, each on a line of its own. */
  lines: z.array(z.string().max(8192)).max(500).optional(),
  source: Source,
  /** Key of the problem that it is to solve. */
  problem: ProblemKey,
  problemType: ProblemType,
  severity: Severity,
  subject: z.string().max(1024),
  expect: Expectation.optional(),
  reason: z.string().max(2048).optional(),
  /** hand_off: what the coding agent is given. */
  incident: z.string().max(262_144).optional(),
  /** file_bead: when the outage began that it is about, ISO 8601. */
  outage: z.iso.datetime().optional(),
  /** file_bead: what a coding agent found out, to be added to a ticket that stands as well. */
  report: z.string().max(8192).optional(),
  /** alert: announces that the problem is over; never held back by the dedup window. */
  recovery: z.boolean().optional(),
  /** alert of an end: nobody looks any more, or a person stopped it, so that nobody can say that it is well. */
  closed: z.boolean().optional(),
  /** alert of an end: Argus brought it about, which is reported even where nobody was alerted. */
  repaired: z.boolean().optional(),
  /** alert of a repair: its rule wants an alert whenever it fires, so that no setting switches the report off. */
  asked: z.boolean().optional(),
  /** alert: when the problem began; ISO 8601. */
  since: z.string().max(40).optional(),
  /** alert: what a person should do about it. */
  advice: z.string().max(2048).optional(),
  /** alert: a person is asked to decide something; never held back by the dedup window. */
  question: z.boolean().optional(),
  /** alert: ids of what waits for a yes about this problem. */
  approvals: z
    .array(z.string().regex(/^[a-z0-9]{4}$/))
    .max(20)
    .optional(),
  /** alert: people have it already, by another way; it is only noted as announced. */
  told: z.boolean().optional(),
  /** alert: what was done about it, such as `restart_service:web (success)`. */
  actionTaken: z.string().max(1024).optional(),
  /** alert: how often the problem began within the last hour, when that is too often to tell each time. */
  flapping: z.number().int().positive().optional(),
  /** alert of what flaps: this outage has lasted for more than a minute. */
  lasting: z.boolean().optional(),
});
export type Proposal = z.infer<typeof Proposal>;

/** One question the gate or the recheck asked, and its answer. `detail` is a sentence with the values. */
export const GateStep = z.strictObject({ step: z.string(), pass: z.boolean(), detail: z.string() });
export type GateStep = z.infer<typeof GateStep>;

/** One action, from proposal to outcome, as it stands in the trail and in `run --once --json`. */
export const ActionRecord = z.object({
  /** Empty when the proposal was too broken to have one. */
  type: z.string(),
  target: z.union([z.string(), z.number()]).nullable(),
  source: z.string(),
  problem: z.string(),
  result: ActionResult,
  refusal: RefusalReason.nullable(),
  /** Whether the trouble was seen to be gone afterwards; null when nothing was done or it cannot be told yet. */
  verified: z.boolean().nullable(),
  steps: z.array(GateStep),
  /** One sentence: what was done and seen, or why not. */
  detail: z.string(),
  message: z.string().nullable(),
  duration_ms: z.number(),
  /** Numbers for people and records: bytes reclaimed, percent before and after, attempts, repeats. */
  values: z.record(z.string(), z.unknown()),
});
export type ActionRecord = z.infer<typeof ActionRecord>;

/** One problem of a message, for channels that pass on data instead of words. */
export const ProblemNote = z.object({
  problem: ProblemKey,
  type: ProblemType,
  subject: z.string(),
  severity: Severity,
  state: z.enum(["firing", "resolved"]),
  /** Of one that is over: how. Left out by earlier versions. */
  ending: Ending.optional(),
  /** When it was told; ISO 8601. */
  at: z.string(),
  /** One line. */
  summary: z.string(),
  /** Ids of what waits for a yes about it. */
  approvals: z.array(z.string()).optional(),
  /** What was done about it, such as `restart_service:web (success)`, or `none`. */
  actionTaken: z.string().optional(),
  /** When the problem began; ISO 8601. */
  since: z.string().optional(),
  /** What a person should do about it. */
  advice: z.string().optional(),
});
export type ProblemNote = z.infer<typeof ProblemNote>;

/** A message that waits in `outbox/` until every channel has confirmed it. What a later version adds is passed over. */
export const OutboxMessage = z.object({
  version: z.literal(1),
  id: z.string(),
  createdAt: z.string(),
  severity: Severity,
  text: z.string(),
  problems: z.array(ProblemKey),
  host: z.string().optional(),
  notes: z.array(ProblemNote).optional(),
  /** The data of a summary of the day: `text` says it to people. */
  daily: z.record(z.string(), z.unknown()).optional(),
});
export type OutboxMessage = z.infer<typeof OutboxMessage>;
