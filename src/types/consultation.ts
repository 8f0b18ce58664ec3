/** One question to the model and what came of it. Plain JSON, fit for the trail. */
import * as z from "zod";
import { Proposal, RefusalReason } from "./action.ts";

export const consultationOutcomes = [
  "answered", // a whole reply of the right shape; it may ask for nothing
  "failed", // no reply: network, limits, key, prompt file, time
  "refused", // the model declined to answer
  "truncated", // cut off before its end
  "unusable", // a reply of another shape or size
] as const;
export const ConsultationOutcome = z.enum(consultationOutcomes);
export type ConsultationOutcome = z.infer<typeof ConsultationOutcome>;

/** A part of the reply that went no further, and why. */
export const Rejection = z.strictObject({
  /** `kill_pid 4242` */
  what: z.string(),
  reason: RefusalReason,
  /** One sentence. */
  why: z.string(),
});
export type Rejection = z.infer<typeof Rejection>;

export const Told = z.strictObject({
  /** Of the document that was sent, without the system prompt. */
  bytes: z.number(),
  /** Keys of the problems that it was asked about. */
  problems: z.array(z.string()),
  /** Targets that were offered, over all actions. */
  candidates: z.number(),
  /** What was left out for size, one sentence each. */
  cut: z.array(z.string()),
});
export type Told = z.infer<typeof Told>;

export const Consultation = z.strictObject({
  outcome: ConsultationOutcome,
  /** One sentence. */
  detail: z.string(),
  model: z.string(),
  /** What the model makes of it, redacted; empty without an answer. */
  assessment: z.string(),
  observations: z.array(z.string()),
  /** For the executor, in the order of the reply; alerts last. */
  proposals: z.array(Proposal),
  /** For the executor: the targets that were offered, by action. */
  candidates: z.record(z.string(), z.array(z.union([z.string(), z.number()]))),
  rejected: z.array(Rejection),
  /** HTTP requests, repeated ones included. */
  requests: z.number(),
  /** Tokens that were neither read from nor written to the cache. */
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
  /** null: the model's price is not known here. */
  costDollars: z.number().nullable(),
  latencyMs: z.number(),
  told: Told,
});
export type Consultation = z.infer<typeof Consultation>;
