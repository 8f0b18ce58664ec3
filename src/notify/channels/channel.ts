/** What a channel is given and what it answers. */
import type { Clock, Files, Http, Run } from "../../system/system.ts";
import type { ProblemNote } from "../../types/action.ts";
import type { ChannelAccounts, ChannelType } from "../../types/channels.ts";
import type { Severity } from "../../types/problem.ts";
import type { Memory } from "../delivery-state.ts";
import type { Clean } from "./clean.ts";

/** What is sent in one go: a message, or several that waited too long to be sent one by one. */
export interface Parcel {
  /** `message`: one as it was written; `catch_up`: late critical ones together; `digest`: late others in short. */
  readonly kind: "message" | "catch_up" | "digest" | "daily_summary" | "test";
  /** The same when it is sent again after a crash. */
  readonly id: string;
  /** Names of the files in the outbox that it answers for. */
  readonly files: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  readonly host: string;
  readonly severity: Severity;
  readonly text: string;
  /** In the order of time. */
  readonly notes: readonly ProblemNote[];
  /** It is a short form of what was refused: nothing but text. */
  readonly plain?: true;
  /** daily_summary: its data. */
  readonly daily?: Readonly<Record<string, unknown>>;
}

export interface Attempt {
  readonly http: Http;
  readonly files: Files;
  readonly run: Run;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** On the monotonic clock: by then the answer is there, or it is for later. */
  readonly deadlineMs: number;
  /** Time between two cycles. */
  readonly intervalSeconds: number;
  /** Stands below each message; null: there is none. */
  readonly dashboardUrl: string | null;
  /** For what the other side says. */
  readonly clean: Clean;
}

export type Sent =
  /**
   * `detail`: one sentence on what came back. `memory`: what is to be known next time. `note`: for people. `alone`: no
   * other channel need tell it.
   */
  | {
      readonly kind: "sent";
      readonly detail: string;
      readonly memory?: Partial<Memory>;
      readonly note?: string;
      readonly alone?: true;
    }
  /**
   * It may work later: no network, a server error, too many messages. `blockedMs`: not before so long. `heard`: the other
   * side had the message, or may have had it, and failed, hung or broke off, which may be the fault of this message.
   */
  | { readonly kind: "later"; readonly error: string; readonly blockedMs: number; readonly heard?: true }
  /**
   * It will not work before somebody mends the settings, or, with `message`, never with this text. `memory`: what is to
   * be known next time. `problems`: only of these the alert was refused, the rest was taken.
   */
  | {
      readonly kind: "refused";
      readonly of: "channel" | "message";
      readonly error: string;
      readonly memory?: Partial<Memory>;
      readonly problems?: readonly string[];
    };

export interface ChannelRow<T extends ChannelType> {
  /** The least time between two messages. */
  readonly paceMs: number;
  /** It looks itself for a form that is taken: it passes on no text. */
  readonly ownForms?: true;
  /** Where it goes, for people: no secret in it. */
  describe(account: ChannelAccounts[T]): string;
  send(account: ChannelAccounts[T], parcel: Parcel, memory: Memory, attempt: Attempt): Promise<Sent>;
  /**
   * Says again what still holds, where the other side forgets otherwise; null: there is nothing to say.
   * @param open keys of the problems that are open now.
   */
  refresh?(
    account: ChannelAccounts[T],
    open: ReadonlySet<string>,
    memory: Memory,
    attempt: Attempt,
  ): Promise<Sent> | null;
}

export function refused(of: "channel" | "message", error: string): Extract<Sent, { kind: "refused" }> {
  return { kind: "refused", of, error };
}
