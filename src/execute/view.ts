/** The executor's memory as plain data, for `argus status`. */
import * as z from "zod";
import type { Held } from "../system/system.ts";
import { unitDisplayName } from "../system/systemd.ts";
import { Ack } from "../types/ack.ts";
import { HandOffRun } from "../types/hand-off.ts";
import type { Moment } from "../types/moment.ts";
import { OperatorAction } from "../types/operator-action.ts";
import { modes } from "../types/settings.ts";
import { Approval } from "./approvals.ts";
import { backoffAnswer } from "./backoff.ts";
import { secondsUntilAllowed, spentWithinHour } from "./budget.ts";
import { ModeSet } from "./mode-set.ts";
import { Pause } from "./pause.ts";
import { budgetNames, type Policy } from "./policy.ts";
import { Silence } from "./silences.ts";
import type { State } from "./state.ts";

export const ExecutorView = z.strictObject({
  mode: z.enum(modes).default("act"),
  /** Who set the mode that is in force, when `argus mode` did. */
  modeSet: ModeSet.nullable().default(null),
  /** Why the settings of now are not in force, but those before them. */
  settingsFault: z.string().nullable().default(null),
  /** What it keeps in memory because its state folder cannot be written. */
  unwritten: z
    .strictObject({ since: z.string(), why: z.string(), bytes: z.number(), droppedLines: z.number() })
    .nullable()
    .default(null),
  pause: Pause.nullable(),
  approvals: z.array(Approval),
  /** Of the last 24 hours, oldest first. */
  handOffs: z.array(HandOffRun),
  silences: z.array(Silence),
  /** Problems that a person has seen and works on. */
  acks: z.array(Ack).default([]),
  /** What people asked for on the command line, and the decision log does not have yet. Oldest first. */
  unrecorded: z.array(OperatorAction).default([]),
  budgets: z.array(
    z.strictObject({
      name: z.enum(budgetNames),
      used: z.number(),
      limit: z.number(),
      /** 0: one is allowed now. null: the settings allow none. */
      nextInSeconds: z.number().nullable(),
    }),
  ),
  /** Units that were restarted and have not been healthy for an hour since. */
  backoffs: z.array(
    z.strictObject({
      unit: z.string(),
      state: z.enum(["ready", "backoff", "cooldown"]),
      attempts: z.number(),
      /** When the last attempt began, ISO 8601. */
      lastAttempt: z.string(),
      /** 0: the next attempt may be made now. */
      nextInSeconds: z.number(),
      /** Since when every look found it healthy, ISO 8601. */
      healthySince: z.string().nullable(),
    }),
  ),
});
export type ExecutorView = z.infer<typeof ExecutorView>;

export function viewOf(
  state: State,
  policy: Policy,
  modeSet: ModeSet | null,
  pause: Pause | null,
  approvals: Approval[],
  handOffs: HandOffRun[],
  silences: Silence[],
  acks: Ack[],
  unrecorded: readonly OperatorAction[],
  unwritten: Held | null,
  now: Moment,
): ExecutorView {
  const spent = state.spent();
  const iso = (moment: Moment): string => new Date(moment.wallMs).toISOString();
  return {
    mode: policy.mode,
    modeSet: modeSet?.mode === policy.mode ? modeSet : null,
    settingsFault: policy.modeFault ?? null,
    unwritten: unwritten === null ? null : { ...unwritten },
    pause,
    approvals,
    handOffs,
    silences,
    acks,
    unrecorded: [...unrecorded],
    budgets: budgetNames.map((name) => ({
      name,
      used: spentWithinHour(spent[name], now).length,
      limit: policy.budgets[name],
      nextInSeconds: secondsUntilAllowed(spent[name], policy.budgets[name], now),
    })),
    backoffs: Object.entries(state.backoffs()).map(([unit, entry]) => {
      const answer = backoffAnswer(entry, policy, now);
      return {
        unit: unitDisplayName(unit),
        state: answer.state,
        attempts: answer.attempts,
        lastAttempt: iso(entry.last),
        nextInSeconds: Math.max(0, answer.delaySeconds - answer.passedSeconds),
        healthySince: entry.healthySince === null ? null : iso(entry.healthySince),
      };
    }),
  };
}
