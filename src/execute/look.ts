/** What a cycle needs to know of the executor before it asks for anything. */
import type { Held } from "../system/system.ts";
import type { Ack } from "../types/ack.ts";
import type { Proposal } from "../types/action.ts";
import type { HandOffRun } from "../types/hand-off.ts";
import type { OperatorAction } from "../types/operator-action.ts";
import type { Executor } from "./executor.ts";
import { keptSentence } from "./mode-set.ts";
import { reasonOf } from "./reason.ts";

/** It may live in another process, which may be gone: then nothing is repaired, and the cycle goes on to say so. */
export async function lookAtExecutor(executor: Executor): Promise<ExecutorLook> {
  try {
    const { pause, approvals, handOffs, acks, unrecorded, backoffs, silences, settingsFault, unwritten } =
      await executor.view();
    const approved = approvals.filter(({ state }) => state === "approved");
    return {
      paused: pause !== null,
      approved: approved.map(({ proposal }) => proposal),
      handOffs,
      acks,
      unrecorded,
      backoffs,
      unwritten,
      pausedUntil: pause?.until ?? null,
      silencedUntil: silences.map(({ until }) => until),
      // That it goes on watching as argus.env said before is said elsewhere, and no fault of a file.
      settingsFault: settingsFault === keptSentence ? null : settingsFault,
      error: null,
    };
  } catch (error) {
    const nothing = { approved: [], handOffs: [], acks: [], unrecorded: [], backoffs: [], silencedUntil: [] };
    const none = { paused: false, pausedUntil: null, settingsFault: null, unwritten: null };
    return { ...nothing, ...none, error: reasonOf(error) };
  }
}

export interface ExecutorLook {
  readonly paused: boolean;
  /** What a person said yes to, and nobody has done since. */
  readonly approved: readonly Proposal[];
  readonly handOffs: readonly HandOffRun[];
  readonly acks: readonly Ack[];
  /** What people asked for on the command line, and the decision log does not have yet. */
  readonly unrecorded: readonly OperatorAction[];
  /** Units that were restarted, and when the next attempt is allowed. */
  readonly backoffs: readonly { readonly unit: string; readonly nextInSeconds: number }[];
  /** ISO 8601; null: there is no pause, or nobody said when it ends. */
  readonly pausedUntil: string | null;
  /** When the silences in force end, ISO 8601. */
  readonly silencedUntil: readonly string[];
  /** Why it goes by other settings than those of the files; null: it does not. */
  readonly settingsFault: string | null;
  /** What it keeps in memory because its own folder takes nothing. */
  readonly unwritten: Held | null;
  readonly error: string | null;
}
