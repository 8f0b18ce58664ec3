/** The steps that a proposal goes through. executor.ts holds their order. */
import { randomUUID } from "node:crypto";
import { type Moment, secondsBetween } from "../types/moment.ts";
import type { Context, History, Task } from "./action.ts";
import { needsYes } from "./approval-step.ts";
import { type Case, fail, failWith, refuse } from "./case.ts";
import type { Entrance } from "./entrance.ts";
import { gate } from "./gate.ts";
import type { Pause } from "./pause.ts";
import { reasonOf } from "./reason.ts";
import type { Intent, Spent } from "./state.ts";
import { validate } from "./validate.ts";

/** What all steps of one request share. */
export interface Request {
  readonly context: Context;
  /** The way they came. */
  readonly entrance: Entrance;
  readonly dryRun: boolean;
  /** The stricter of the policy and the request. */
  readonly watchOnly: boolean;
  readonly pause: Pause | null;
  readonly candidates: History["candidates"];
  readonly silences: History["silences"];
  readonly acks: History["acks"];
  readonly tickets: History["tickets"];
  /** What was let through so far, in this request and by earlier ones of the same cycle. */
  readonly claims: Set<string>;
  /** Those of machine actions only: a word is held back by its window, and never by a request before. */
  readonly cycleClaims: Set<string>;
  /** What a dry run, or Argus while it only watches, would have spent in this cycle. */
  readonly wouldSpend: Record<keyof Spent, Moment[]>;
  /** While Argus only watches: what was forecast lately, by claim. */
  readonly forecasts: Map<string, Forecast>;
}

export interface Forecast {
  readonly at: Moment;
  readonly detail: string;
}

export type Step = (one: Case, request: Request) => void | Promise<void>;

export const validateStep: Step = (one, { entrance }) => {
  const { task, refusal } = validate(one.raw, entrance);
  if (refusal === null) {
    one.task = task;
    // Of a rule the finding says why, of the model its reply.
    const { source, reason } = task.proposal;
    if (source === "operator" && reason !== undefined) one.values["reason"] = reason;
  } else refuse(one, refusal.reason, refusal.detail);
};

export const gateStep: Step = (one, request) => {
  if (one.task === null) return;
  const { context, pause, candidates, silences, acks, tickets, claims, wouldSpend } = request;
  const { system, policy, state, handOffs } = context;
  const spent = state.spent();
  const history: History = {
    pause,
    claims,
    candidates,
    silences,
    acks,
    tickets,
    ownPids: [system.self.pid, system.self.parentPid],
    spent: {
      kills: [...spent.kills, ...wouldSpend.kills],
      restarts: [...spent.restarts, ...wouldSpend.restarts],
      cleanings: [...spent.cleanings, ...wouldSpend.cleanings],
    },
    backoffs: state.backoffs(),
    announced: state.announced(),
    handOffs: handOffs.list(system.clock.now()),
  };
  const decision = gate(one.task, policy, history, system.clock.now());
  one.steps.push(...decision.steps);
  if (decision.refusal !== null) refuse(one, decision.refusal.reason, decision.refusal.detail);
};

/** Reads the target again: minutes may lie between the observation and now. */
export const recheckStep: Step = async (one, { context, claims, cycleClaims }) => {
  if (one.task === null) return;
  const { action, claim } = one.task;
  if (action.kind === "machine") {
    if (isCutOff(one, context)) return;
    const { looks, seen } = await action.recheck(one.task, context);
    for (const { step, answer } of looks) {
      one.steps.push({ step, pass: answer.pass, detail: answer.detail });
      if (!answer.pass) return refuse(one, answer.reason, answer.detail);
    }
    one.seen = seen;
    cycleClaims.add(claim);
  }
  claims.add(claim);
};

/**
 * Decided when all else said yes, so that the record shows what would have been done. Words are spoken as ever, and a
 * person's own command is carried out, except for a cleaning where none is to remove anything. No approval is asked for: it would be for something that is not done.
 */
export const watchStep: Step = async (one, request) => {
  const { context } = request;
  if (one.task === null) return;
  const { action, proposal } = one.task;
  const isDryCleaning = action.type === "clean_disk" && context.policy.cleanDryRun === true;
  if (!isDryCleaning && !request.watchOnly) return;
  if (action.kind === "word" || (proposal.source === "operator" && !isDryCleaning)) return;
  const forecast = await recentForecast(one.task, request);
  const yes = context.approvals.find(one.task, context.system.clock.now());
  // Whoever approved it waits to hear what became of it.
  if (yes?.state === "approved") one.values["approval"] = yes.id;
  const waits = needsYes(one.task, context.policy) && yes?.state !== "approved";
  const why = request.watchOnly
    ? "Argus only watches: ARGUS_MODE is watch"
    : "disks are not cleaned: ARGUS_DISK_CLEAN_DRY_RUN is set";
  one.steps.push({ step: "mode", pass: false, detail: why });
  if (isDryCleaning) one.values["cleanDryRun"] = true;
  const when = waits ? ", once a person approves it" : "";
  refuse(one, "watch_only", `${forecast}${when}${isDryCleaning ? " (ARGUS_DISK_CLEAN_DRY_RUN is set)" : ""}`);
};

/** That of a cleaning walks through all that may go, and what is wrong is asked about in each cycle. */
const forecastSeconds = 1800;
const mostForecasts = 500;

async function recentForecast(task: Task, request: Request): Promise<string> {
  const { forecasts, context } = request;
  const now = context.system.clock.now();
  for (const [claim, { at }] of forecasts)
    if (secondsBetween(at, now) >= forecastSeconds || forecasts.size > mostForecasts) forecasts.delete(claim);
  const known = forecasts.get(task.claim);
  if (known !== undefined) {
    spendWithinCycle(task, request);
    return known.detail;
  }
  const detail = await forecastOf(task, request);
  forecasts.set(task.claim, { at: now, detail });
  return detail;
}

/** Decided last, so that a dry run shows everything else that would have been refused. */
export const dryRunStep: Step = async (one, request) => {
  if (one.task === null || !request.dryRun) return;
  const detail = await forecastOf(one.task, request);
  one.steps.push({ step: "dry run", pass: false, detail: "this is a dry run: nothing is changed" });
  refuse(one, "dry_run", detail);
};

async function forecastOf(task: Task, request: Request): Promise<string> {
  spendWithinCycle(task, request);
  return await task.action.forecast(task, request.context);
}

/** What it would spend counts within the cycle alone, so that the budget's refusals show too. */
function spendWithinCycle({ action }: Task, { context, wouldSpend }: Request): void {
  if (action.kind === "machine" && action.budget !== null)
    wouldSpend[action.budget].push(context.system.clock.now());
}

/** Writes the intent, then acts. Words wait until all machine actions are done. */
export const performStep: Step = async (one, { context }) => {
  if (one.task === null || one.task.action.kind === "word" || isCutOff(one, context)) return;
  const { action, target } = one.task;
  const intent = intentOf(one.task, context);
  try {
    if (one.approval !== null) context.approvals.use(one.approval.id);
    context.state.begin(intent, action.budget, action.backoffUnitOf?.(target) ?? null);
  } catch (error) {
    return fail(one, `not done, because the intent could not be written: ${reasonOf(error)}`, null);
  }
  one.intent = intent;
  const performed = await action.perform(one.task, one.seen, context);
  Object.assign(one.values, performed.values);
  one.detail = performed.detail;
  one.done = performed.done;
  if (performed.refusal !== undefined) return refuse(one, performed.refusal, performed.detail);
  if (performed.ok) return;
  if (context.signal.aborted) fail(one, `${performed.detail}; ${toldToStop}`, null);
  else fail(one, performed.detail);
};

export const verifyStep: Step = async (one, { context }) => {
  if (one.task === null || one.task.action.kind === "word") return;
  const { ok, verified, detail, values } = await one.task.action.verify(one.task, one.done, context);
  Object.assign(one.values, values);
  const said = [one.detail, detail, ...(verified === null && context.signal.aborted ? [toldToStop] : [])];
  one.ending = {
    result: ok ? "success" : "failure",
    refusal: null,
    verified,
    detail: said.filter((each) => each !== "").join("; "),
  };
};

/** A step that threw: a failure with the error's sentence, unless it threw because Argus ends its programs. */
export function failStep(one: Case, error: unknown, { context }: Request): void {
  if (context.signal.aborted)
    fail(one, one.detail === "" ? toldToStop : `${one.detail}; ${toldToStop}`, null);
  else failWith(one, one.intent === null ? "not done" : "failed", error);
}

const toldToStop = "cut off, because Argus was told to stop";

/** Whatever happened before: from here on a crash does not make this action one that was cut off. */
export function recordOutcome({ intent }: Case, { context: { state, note } }: Request): void {
  if (intent === null) return;
  try {
    state.end(intent);
  } catch (error) {
    const what = intent.target === null ? intent.type : `${intent.type} ${intent.target}`;
    note(
      `the outcome of ${what} could not be written (${reasonOf(error)}); the next start will call it cut off`,
    );
  }
}

/** Speaks the words of all cases that still wait for it, each action's together. */
export function speak(cases: readonly Case[], { context, entrance }: Request): void {
  const { clock } = context.system;
  for (const action of entrance.actions) {
    if (action.kind !== "word") continue;
    const waiting = cases.flatMap((one) =>
      one.ending === null && one.task?.action === action ? [{ one, task: one.task }] : [],
    );
    if (waiting.length === 0) continue;
    const startedMs = clock.monotonicMs();
    try {
      const told = action.performAll(
        waiting.map(({ task }) => task),
        context,
      );
      for (const [index, { one }] of waiting.entries()) {
        const answer = told[index];
        if (answer === undefined) continue;
        Object.assign(one.values, answer.values);
        const result = answer.ok ? "success" : "failure";
        one.ending = { result, refusal: null, verified: null, detail: answer.detail };
      }
    } catch (error) {
      for (const { one } of waiting) failWith(one, "failed", error);
    }
    for (const { one } of waiting) one.durationMs += clock.monotonicMs() - startedMs;
  }
}

function isCutOff(one: Case, context: Context): boolean {
  if (!context.signal.aborted) return false;
  one.ending = {
    result: "skipped",
    refusal: null,
    verified: null,
    detail: "not begun, because Argus was told to stop",
  };
  return true;
}

function intentOf({ proposal, action, name }: Task, { system, cycle }: Context): Intent {
  return {
    id: randomUUID(),
    type: action.type,
    target: name === null ? null : String(name),
    cycle,
    problem: proposal.problem,
    source: proposal.source,
    at: system.clock.now(),
  };
}
