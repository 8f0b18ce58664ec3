/** What an action is: one file in actions/ fills this in, one row of actions/index.ts puts it into force. */
import type * as z from "zod";
import type { System } from "../system/system.ts";
import type { StandingTickets } from "../system/ticket-book.ts";
import type { Ack } from "../types/ack.ts";
import type { ActionType, Proposal, RefusalReason } from "../types/action.ts";
import type { HandOffRun } from "../types/hand-off.ts";
import type { Moment } from "../types/moment.ts";
import type { Announced } from "./announced.ts";
import type { Approvals } from "./approvals.ts";
import type { HandOffs } from "./hand-offs.ts";
import type { Pause } from "./pause.ts";
import type { BudgetName, Policy } from "./policy.ts";
import type { Silence } from "./silences.ts";
import type { Backoffs, Spent, State } from "./state.ts";

/** A proposal whose shape is right, with what its action made of the target. */
export interface Task<Target = unknown> {
  readonly proposal: Proposal;
  readonly action: Action;
  readonly target: Target;
  /** What it acts on, for people and records; null without a target. */
  readonly name: string | number | null;
  /** Two tasks of one cycle with the same claim would do the same thing twice. */
  readonly claim: string;
}

/** All that the gate may know besides proposal, policy and time. Plain data. */
export interface History {
  readonly pause: Pause | null;
  /** Claims of the tasks that were let through in this cycle already. */
  readonly claims: ReadonlySet<string>;
  /** Targets that were offered to the model, by action. */
  readonly candidates: Readonly<Record<string, readonly (string | number)[]>>;
  /** Argus itself and its parent. */
  readonly ownPids: readonly number[];
  readonly spent: Spent;
  readonly backoffs: Backoffs;
  readonly announced: Announced;
  /** Runs of the coding agent in the last 24 hours. */
  readonly handOffs: readonly HandOffRun[];
  readonly silences: readonly Silence[];
  readonly acks: readonly Ack[];
  /** null: nobody asks for a ticket. */
  readonly tickets: StandingTickets | null;
}

export interface Asked<Target> {
  readonly task: Task<Target>;
  readonly policy: Policy;
  readonly history: History;
  readonly now: Moment;
}

export interface Refusal {
  readonly pass: false;
  readonly reason: RefusalReason;
  /** One sentence with the values. */
  readonly detail: string;
}

export type Answer = { readonly pass: true; readonly detail: string } | Refusal;

/** One question of the gate. `ask` answers null when it does not concern this task. Pure. */
export interface Question<Target> {
  readonly step: string;
  ask(asked: Asked<Target>): Answer | null;
}

/** What the effectful steps are given. `system.run` ends its program when Argus is told to stop. */
export interface Context {
  readonly system: System;
  readonly policy: Policy;
  readonly state: State;
  readonly approvals: Approvals;
  readonly handOffs: HandOffs;
  /** When this executor began to watch the clock. */
  readonly begun: Moment;
  readonly stateDir: string;
  readonly cycle: string;
  readonly host: string;
  /** Argus was told to stop: waits end early. */
  readonly signal: AbortSignal;
  /** One sentence for the cycle's notes. */
  note(sentence: string): void;
}

/** One look of the recheck, in the order in which it was taken. */
export interface Look {
  readonly step: string;
  readonly answer: Answer;
}

/** `seen` is handed on to perform when every look passed; null when one did not. */
export interface Rechecked<Seen> {
  readonly looks: readonly Look[];
  readonly seen: Seen | null;
}

export interface Performed<Done> {
  readonly ok: boolean;
  readonly detail: string;
  readonly done: Done;
  /** The target changed at the last moment, and nothing was done. */
  readonly refusal?: RefusalReason;
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface Verified {
  readonly ok: boolean;
  readonly verified: boolean | null;
  /** Empty when perform has said it all. */
  readonly detail: string;
  readonly values?: Readonly<Record<string, unknown>>;
}

interface Common<Target> {
  readonly type: ActionType;
  /** Parses a proposal into the target. Its errors are whole sentences. */
  readonly targetSchema: z.ZodType<Target>;
  /** From the most fundamental to the least: the first one that fails is the refusal. */
  readonly gateSteps: readonly Question<Target>[];
  /** What it acts on, for people and records. */
  nameOf(target: Target): string | number | null;
  claimOf(target: Target, proposal: Proposal): string;
  /** What it would do, for a dry run: one sentence. */
  forecast(task: Task<Target>, context: Context): string | Promise<string>;
}

/** An action on the machine. Its methods may throw: that is a failure with the error's sentence. */
export interface MachineAction<Target, Seen, Done> extends Common<Target> {
  readonly kind: "machine";
  /** null: it has limits of its own. */
  readonly budget: BudgetName | null;
  /** The unit whose restart delays it counts towards. */
  backoffUnitOf?(target: Target): string;
  recheck(task: Task<Target>, context: Context): Promise<Rechecked<Seen>>;
  perform(task: Task<Target>, seen: Seen, context: Context): Promise<Performed<Done>>;
  verify(task: Task<Target>, done: Done, context: Context): Promise<Verified>;
}

/** What became of one task of a group. */
export interface Told {
  readonly ok: boolean;
  readonly detail: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Words to people: no budget and no intent, because nothing on the machine changes. All of one request are spoken
 * together, after the machine's actions.
 */
export interface WordAction<Target> extends Common<Target> {
  readonly kind: "word";
  performAll(tasks: readonly Task<Target>[], context: Context): Told[];
}

export type Action = MachineAction<unknown, unknown, unknown> | WordAction<unknown>;
