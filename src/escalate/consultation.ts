/** From what the call brought to what the cycle is told. Pure. */
import type { Consultation, ConsultationOutcome } from "../types/consultation.ts";
import { type Offered, readAnswer } from "./answer.ts";
import type { Briefing } from "./briefing.ts";
import type { CallResult } from "./call.ts";
import type { Candidate } from "./candidates.ts";
import { machineLine } from "./machine-text.ts";
import { costOf, noUsage } from "./models.ts";

/** What the reply comes to. */
export interface Judged extends Pick<Consultation, "assessment" | "observations" | "proposals" | "rejected"> {
  readonly outcome: ConsultationOutcome;
  readonly detail: string;
}

export function judge(call: CallResult, offered: Offered, signal: AbortSignal): Judged {
  const nothing = { assessment: "", observations: [], proposals: [], rejected: [] };
  const none = (outcome: ConsultationOutcome, detail: string): Judged => ({ ...nothing, outcome, detail });
  if (call.kind === "failed") return none("failed", signal.aborted ? reasonOf(signal.reason) : call.detail);
  if (call.kind === "unusable") return none("unusable", call.detail);
  if (call.stopReason === "refusal") return none("refused", "the model declined to answer");
  if (call.stopReason === "max_tokens" || call.stopReason === "model_context_window_exceeded") {
    return none("truncated", `the reply was cut off before its end (${call.stopReason})`);
  }
  const answer = readAnswer(call.text, offered);
  if (typeof answer === "string") return none("unusable", answer);
  const { proposals, rejected } = answer;
  const asks = proposals.length === 0 ? "asks for nothing" : `asks for ${count(proposals.length, "action")}`;
  const more = rejected.length === 0 ? "" : `; ${count(rejected.length, "action")} went no further`;
  return {
    outcome: "answered",
    detail: `the model ${asks}${more}`,
    assessment: answer.assessment,
    observations: [...answer.observations],
    proposals: [...proposals],
    rejected: [...rejected],
  };
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

export function consultationOf(
  model: string,
  call: CallResult,
  { detail, ...result }: Judged,
  brief: Briefing,
  latencyMs: number,
): Consultation {
  const { problems, candidates, bytes, cut } = brief;
  return {
    ...result,
    detail: machineLine(detail, 500),
    model,
    candidates: targetsOf(candidates),
    requests: call.requests,
    ...call.usage,
    costDollars: call.usage === noUsage ? null : costOf(model, call.usage),
    latencyMs: Math.round(latencyMs),
    told: {
      bytes,
      problems: [...problems],
      candidates: candidates.filter(({ target }) => target !== null).length,
      cut: [...cut],
    },
  };
}

/** As the executor asks for them: targets by action. */
export function targetsOf(candidates: readonly Candidate[]): Consultation["candidates"] {
  const targets: Consultation["candidates"] = {};
  for (const { type, target } of candidates) {
    if (target !== null) targets[type] = [...(targets[type] ?? []), target];
  }
  return targets;
}

/** Nothing was sent. */
export function nothingAsked(model: string): Omit<Consultation, "outcome" | "detail"> {
  return {
    model,
    assessment: "",
    observations: [],
    proposals: [],
    candidates: {},
    rejected: [],
    requests: 0,
    ...noUsage,
    costDollars: null,
    latencyMs: 0,
    told: { bytes: 0, problems: [], candidates: 0, cut: [] },
  };
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
