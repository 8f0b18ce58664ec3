/** A problem given to a coding agent, and what came back. Plain JSON. */
import * as z from "zod";
import { Proposal } from "./action.ts";
import { Rejection } from "./consultation.ts";
import { ProblemKey } from "./problem.ts";

/** Of a result as JSON: as many as a day may have (handOff.perDay) must fit one frame of the link to the executor. */
export const maxResultBytes = 128 * 1024;

/** What `argus agent` leaves behind of a run. */
export const AgentResult = z.strictObject({
  /** null: it could not be started, or a signal ended it. */
  exitCode: z.number().nullable(),
  timedOut: z.boolean(),
  seconds: z.number(),
  /** The end of its standard output, and of what it said to standard error. */
  output: z.string(),
  errors: z.string(),
});
export type AgentResult = z.infer<typeof AgentResult>;

/** One run, as the executor sees it. */
export const HandOffRun = z.strictObject({
  id: z.string(),
  problem: ProblemKey,
  /** ISO 8601, UTC. */
  startedAt: z.string(),
  state: z.enum(["running", "ended"]),
  /** null: still running, or it left nothing that can be read. */
  result: AgentResult.nullable(),
});
export type HandOffRun = z.infer<typeof HandOffRun>;

/** What a run that ended comes to. It stands in the trail of the cycle that noticed it. */
export const HandOffReport = z.strictObject({
  id: z.string(),
  problem: ProblemKey,
  outcome: z.enum(["answered", "text", "failed", "timed_out"]),
  /** One sentence. */
  detail: z.string(),
  /** What the agent says, redacted and bounded. */
  assessment: z.string(),
  observations: z.array(z.string()),
  proposals: z.array(Proposal),
  rejected: z.array(Rejection),
  seconds: z.number(),
  /** As the agent's program tells it; null when it does not. */
  costDollars: z.number().nullable(),
});
export type HandOffReport = z.infer<typeof HandOffReport>;
