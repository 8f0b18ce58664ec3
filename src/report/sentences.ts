/** Codes -> sentences. Each switch is exhaustive: a new code does not compile before it can be said. */
import type { RefusalReason } from "../types/action.ts";
import type { Life, Severity } from "../types/problem.ts";
import type { ModelAnswer, TrailCycle } from "../types/trail.ts";
import type { Tone } from "./style.ts";

/** Completes "The model was ...". */
export function modelSentence(answer: ModelAnswer): string {
  switch (answer) {
    case "nothing_found":
      return "not asked: no rule fired";
    case "every_finding_resolved":
      return "not asked: rules cover all that was found";
    case "same_unresolved_set":
      return "not asked: it was asked about these findings within the hour";
    case "no_key":
      return "not asked: ANTHROPIC_API_KEY is not set";
    case "disk_guard":
      return "not asked: less than 100 MB are free where the state is";
    case "cooldown":
      return "not asked: the last calls failed, and it is given time";
    case "daily_budget":
      return "not asked: the calls or tokens of today are spent";
    case "paused":
      return "not asked: Argus is paused";
    case "dry_run":
      return "not asked: a dry run asks nobody";
    case "asked":
      return "asked";
  }
}

/** The detail usually says the same with its figures. */
export function modelText({ why, detail }: TrailCycle["cycle"]["model"]): string {
  const sentence = modelSentence(why);
  return detail === "" ? sentence : `${sentence.split(":", 1)[0]}: ${detail}`;
}

/** Completes "it was not done, because ...", for a place that has no room for the refusal's own sentence. */
export function refusalSentence(reason: RefusalReason): string {
  switch (reason) {
    case "invalid":
      return "the proposal has not the shape of one";
    case "unknown_action":
      return "there is no such action";
    case "not_allowlisted":
      return "the settings do not allow it for this target";
    case "protected_target":
      return "nobody may do that to this target";
    case "target_gone":
      return "it is not there any more";
    case "identity_changed":
      return "that pid or name belongs to something else now";
    case "not_needed":
      return "it is no longer in the state that asked for the action";
    case "operator_stopped":
      return "somebody stopped it on purpose";
    case "boot_grace":
      return "the host came up a moment ago and may still be starting it";
    case "backoff":
      return "it was tried a moment ago";
    case "cooldown":
      return "all attempts were used, and it is left alone for now";
    case "budget_exhausted":
      return "as many as are allowed in an hour were done";
    case "duplicate":
      return "the same was asked for, or said, already";
    case "silenced":
      return "a silence covers the problem";
    case "paused":
      return "Argus is paused";
    case "dry_run":
      return "this is a dry run";
    case "watch_only":
      return "the settings want it said only, not done";
    case "needs_approval":
      return "the settings want a person's approval";
    case "dependency_down":
      return "what it needs is not up again";
    case "not_a_candidate":
      return "this target was not offered to the model";
  }
}

export function triggerSentence({ trigger, woken_by }: TrailCycle["cycle"]): string {
  switch (trigger) {
    case "schedule":
      return woken_by === undefined ? "by schedule" : `by schedule, just after ${woken_by.join(", ")}`;
    case "once":
      return "by hand";
    case "command":
      return "by a command";
    case "wake":
      return woken_by === undefined ? "by an event" : `by an event: ${woken_by.join(", ")}`;
  }
}

/** As wide as the widest, so that what follows aligns. */
export function severityWord(severity: Severity): string {
  return severity === "critical" ? "CRITICAL" : severity;
}

export function severityTone(severity: Severity): Tone {
  return severity;
}

export function lifeTone(life: Life): Tone {
  switch (life) {
    case "open":
      return "bad";
    case "healing":
      return "info";
    case "resolved":
      return "good";
  }
}

/** Which collector observes a fact: a rule that lacks the fact wants to hear that collector's reason. */
const collectorOf: Readonly<Record<string, string>> = {
  disk: "disks",
  service: "services",
  process: "processes",
  session: "sessions",
  endpoint: "endpoints",
  self: "self",
};

export function collectorOfFact(fact: string): string {
  return collectorOf[fact] ?? "host";
}

const operators: Readonly<Record<string, string>> = {
  equal: "is",
  notEqual: "is not",
  in: "is one of",
  notIn: "is none of",
  lessThan: "<",
  lessThanInclusive: "<=",
  greaterThan: ">",
  greaterThanInclusive: ">=",
  contains: "has",
  doesNotContain: "lacks",
};

export function operatorWords(operator: string): string {
  return operators[operator] ?? operator;
}

/** Completes "the rule wants ...". */
export function wantedWords(operator: string, wanted: string): string {
  switch (operator) {
    case "equal":
      return wanted;
    case "notEqual":
      return `anything but ${wanted}`;
    case "in":
      return `one of ${wanted}`;
    case "notIn":
      return `none of ${wanted}`;
    case "contains":
      return `one that has ${wanted}`;
    case "doesNotContain":
      return `one that lacks ${wanted}`;
    default:
      return `${operatorWords(operator)} ${wanted}`;
  }
}
