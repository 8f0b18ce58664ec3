/**
 * Asking the model about what no rule resolves. What it answers are proposals and nothing else; whatever fails here
 * is a sentence in the trail and never a failed cycle.
 */

import { join } from "node:path";
import { createStore } from "../system/store.ts";
import type { System } from "../system/system.ts";
import type { Consultation } from "../types/consultation.ts";
import { UserError } from "../types/errors.ts";
import { isoTime } from "../types/moment.ts";
import type { Problem } from "../types/problem.ts";
import { duration } from "../types/quantities.ts";
import type { Config } from "../types/settings.ts";
import type { Snapshot } from "../types/snapshot.ts";
import type { TrailCycle } from "../types/trail.ts";
import type { Handled } from "./alerts.ts";
import { briefing } from "./briefing.ts";
import { offerFor } from "./candidates.ts";
import { consultationOf, judge, nothingAsked, reasonOf } from "./consultation.ts";
import { decide, type ModelDecision, type Situation } from "./decide.ts";
import { journalTails } from "./evidence.ts";
import { writeLastResponse } from "./last-response.ts";
import { machineLine, machineText } from "./machine-text.ts";
import { begun, emptyMemory, ended, interrupted, Memory, spentToday } from "./memory.ts";
import { tokensOf } from "./models.ts";
import { readPrompt } from "./prompt.ts";
import { unresolvedOf } from "./unresolved.ts";
import { type EscalationView, viewOf } from "./view.ts";

export interface AskContext {
  readonly cycle: string;
  readonly host: string;
  readonly snapshot: Snapshot;
  /** All findings of the cycle, with what became of their actions. */
  readonly handled: readonly Handled[];
  /** With their history: those that are open, and those that ended within a day. */
  readonly problems: readonly Problem[];
  /** The last few cycles, oldest first. */
  readonly recent: readonly TrailCycle[];
  /** Argus was told to stop. */
  readonly signal: AbortSignal;
}

export interface Escalation {
  /** Over what is remembered; changes nothing. */
  decide(situation: Situation): ModelDecision;
  /** Only when `decide` said asked. Never rejects. */
  ask(context: AskContext): Promise<Consultation>;
  /** Whether the model was asked about this problem since then: within a day, more is not remembered. */
  wasAsked(problem: string, sinceMs: number): boolean;
  /** Budget, cooldown and the last outcome, for `argus status`. */
  view(): EscalationView;
}

/** @param note told in one sentence what a person should know: a state file set aside, one that cannot be written. */
export function createEscalation(
  system: System,
  config: Config,
  note: (sentence: string) => void,
): Escalation {
  const { files, clock } = system;
  const store = createStore<Memory>({
    files,
    path: join(config.stateDir, "escalation.json"),
    schema: Memory,
    empty: emptyMemory,
    note,
  });
  let memory = store.load();
  const limits = {
    hasKey: config.anthropicKey !== null,
    dailyCalls: config.model.dailyCalls,
    dailyTokens: config.model.dailyTokens,
    review: config.model.review,
  };

  /** Kept in memory also when it cannot be written: a full disk must not make a question out of every cycle. */
  function remember(next: Memory): void {
    memory = next;
    files.makeDirectory(config.stateDir);
    store.save(next);
  }

  function tryTo(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      note(`${what}: ${reasonOf(error)}`);
    }
  }

  async function ask(context: AskContext): Promise<Consultation> {
    const startedMs = clock.monotonicMs();
    const deadline = new AbortController();
    const stop = () => deadline.abort(new Error("Argus was told to stop"));
    const late = () => deadline.abort(new Error(`no answer within ${duration(config.model.timeoutSeconds)}`));
    const timer = setTimeout(late, config.model.timeoutSeconds * 1000);
    context.signal.addEventListener("abort", stop, { once: true });
    if (context.signal.aborted) stop();
    try {
      return await consult(context, deadline.signal, startedMs);
    } catch (error) {
      const why = deadline.signal.aborted ? reasonOf(deadline.signal.reason) : reasonOf(error);
      // A mistake of this program must stay findable, and must not cost the cycle.
      if (!deadline.signal.aborted && !(error instanceof UserError)) {
        const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
        note(`asking the model failed in an unexpected way: ${machineText(stack, 4000)}`);
      }
      return { ...nothingAsked(config.model.name), outcome: "failed", detail: machineLine(why, 500) };
    } finally {
      clearTimeout(timer);
      context.signal.removeEventListener("abort", stop);
    }
  }

  async function consult(context: AskContext, signal: AbortSignal, startedMs: number): Promise<Consultation> {
    // A key that was copied with the end of its line is a common mistake, and no header can hold it.
    const key = config.anthropicKey?.trim() ?? null;
    if (key === null) throw new UserError("ANTHROPIC_API_KEY is not set");
    const prompt = readPrompt(files, config.model.promptFile);
    const unresolved = unresolvedOf(context.handled);
    const about = unresolved.length === 0 ? "the whole" : unresolved;
    const { facts } = context.snapshot;
    const offer = offerFor(unresolved, context.handled, facts, config);
    const journals = await journalTails(system, unresolved, facts, signal);
    const brief = briefing({ ...context, now: clock.now(), unresolved, offer, journals });
    signal.throwIfAborted();

    const before = memory;
    const used = spentToday(before, clock.now()).requests;
    // After a failure one request shows whether it is over; and repeating must not overdraw the budget. The daily look
    // is tried again later, and leaves the budget to questions about trouble.
    const isOnce = before.failuresInARow > 0 || about === "the whole";
    const retries = isOnce ? 0 : Math.max(0, Math.min(2, limits.dailyCalls - used - 1));
    try {
      remember(begun(before, about, config.intervalSeconds, clock.now()));
    } catch (error) {
      throw new UserError(
        `escalation.json could not be written, so the model was not asked: ${reasonOf(error)}`,
      );
    }
    const { callModel } = await import("./call.ts");
    const call = await callModel({
      http: system.http,
      key,
      model: config.model,
      system: prompt,
      briefing: brief.text,
      // The daily look at the whole is about no problem, so there is nothing that it could propose.
      types: about === "the whole" ? [] : config.settings.model.mayPropose,
      retries,
      signal,
    });
    const offered = {
      unresolved: unresolved.filter((group) => brief.problems.includes(group.key)),
      candidates: brief.candidates,
      source: `llm:${config.model.name}`,
      confidence: config.model.confidence,
    };
    const result = judge(call, offered, signal);
    const consultation = consultationOf(
      config.model.name,
      call,
      result,
      brief,
      clock.monotonicMs() - startedMs,
    );

    const ending = {
      outcome: result.outcome,
      detail: consultation.detail,
      requests: call.requests,
      tokens: tokensOf(call.usage),
      costDollars: consultation.costDollars,
      rateLimited: call.kind === "failed" && call.rateLimited,
      retryAfterSeconds: call.kind === "failed" ? call.retryAfterSeconds : null,
    };
    const now = clock.now();
    const cutOff = context.signal.aborted && call.kind === "failed";
    tryTo("escalation.json could not be written", () =>
      remember(
        cutOff
          ? interrupted(before, call.requests, now)
          : ended(before, about, ending, config.intervalSeconds, now),
      ),
    );
    tryTo("last_response.json could not be written", () =>
      writeLastResponse(files, config.logDir, {
        ts: isoTime(now),
        cycle: context.cycle,
        requestId: call.requestId,
        stopReason: call.kind === "reply" ? call.stopReason : null,
        text: call.kind === "reply" ? call.text : "",
        consultation,
      }),
    );
    return consultation;
  }

  return {
    decide: (situation) => decide(situation, limits, memory, clock.now()),
    ask,
    wasAsked: (problem, sinceMs) =>
      Object.hasOwn(memory.asked, problem) && (memory.asked[problem]?.at.wallMs ?? 0) >= sinceMs,
    view: () => viewOf(memory, config, clock.now()),
  };
}
