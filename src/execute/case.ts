/** One proposal on its way through the steps, and the record it ends as. */

import { oneLine } from "../system/printable.ts";
import type { ActionRecord, GateStep, RefusalReason } from "../types/action.ts";
import type { Task } from "./action.ts";
import { reasonOf } from "./reason.ts";
import type { Intent } from "./state.ts";

export interface Case {
  readonly raw: unknown;
  task: Task | null;
  readonly steps: GateStep[];
  /** What recheck saw and what perform did, handed on to the next step. */
  seen: unknown;
  done: unknown;
  /** The yes that it is done with, and the sentence about it. */
  approval: { readonly id: string; readonly said: string } | null;
  /** Stands in executor.json from before perform until the record. */
  intent: Intent | null;
  /** Said by perform; verify adds to it. */
  detail: string;
  values: Record<string, unknown>;
  durationMs: number;
  /** Set when the way ends; no further step is taken then. */
  ending: Ending | null;
}

export interface Ending {
  readonly result: ActionRecord["result"];
  readonly refusal: RefusalReason | null;
  readonly verified: boolean | null;
  readonly detail: string;
}

export function openCase(raw: unknown): Case {
  return {
    raw,
    task: null,
    steps: [],
    seen: null,
    done: null,
    approval: null,
    intent: null,
    detail: "",
    values: {},
    durationMs: 0,
    ending: null,
  };
}

export function refuse(one: Case, refusal: RefusalReason, detail: string): void {
  // These two keep quiet about what was said or asked for already; all others leave something undone.
  const result = refusal === "duplicate" || refusal === "silenced" ? "suppressed" : "skipped";
  one.ending = { result, refusal, verified: null, detail };
}

export function fail(one: Case, detail: string, verified: boolean | null = false): void {
  one.ending = { result: "failure", refusal: null, verified, detail };
}

/** An action that threw is a failure, and never stops the others. A bug keeps its stack in the record. */
export function failWith(one: Case, what: string, error: unknown): void {
  const bug = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
  if (bug) one.values["stack"] = error.stack?.slice(0, 4000);
  fail(one, `${what}: ${reasonOf(error)}`, one.intent === null ? null : false);
}

export function recordOf(one: Case): ActionRecord {
  const ending = one.ending ?? {
    result: "failure",
    refusal: null,
    verified: null,
    detail: "it came to no end",
  };
  const { proposal } = one.task ?? { proposal: null };
  return {
    type: proposal?.type ?? textOf(one.raw, "type", 64),
    target: one.task?.name ?? null,
    source: proposal?.source ?? textOf(one.raw, "source", 128),
    problem: proposal?.problem ?? textOf(one.raw, "problem", 64),
    result: ending.result,
    refusal: ending.refusal,
    verified: ending.verified,
    steps: one.steps,
    detail: one.approval === null ? ending.detail : `${ending.detail}; ${one.approval.said}`,
    message: proposal?.message === undefined ? null : textOfMessage(proposal.message, proposal.lines),
    duration_ms: Math.round(one.durationMs * 10) / 10,
    values: one.values,
  };
}

/** Newlines stand between its lines and nowhere else. */
const textOfMessage = (message: string, lines: readonly string[] = []): string =>
  [message, ...lines].map((line) => oneLine(line)).join("\n");

/** What can be said about a proposal that is none. */
function textOf(raw: unknown, key: string, maxCharacters: number): string {
  const value =
    typeof raw === "object" && raw !== null && Object.hasOwn(raw, key) ? Reflect.get(raw, key) : "";
  return typeof value === "string" ? oneLine(value, maxCharacters) : "";
}
