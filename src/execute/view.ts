/** The executor's memory as plain data, for `argus status`. */
import { unitDisplayName } from "../system/systemd.ts";
import type { Moment } from "../types/moment.ts";
import { backoffAnswer } from "./backoff.ts";
import { secondsUntilAllowed, spentWithinHour } from "./budget.ts";
import type { Pause } from "./pause.ts";
import { type BudgetName, budgetNames, type Policy } from "./policy.ts";
import type { State } from "./state.ts";

export interface ExecutorView {
  readonly pause: Pause | null;
  readonly budgets: readonly {
    readonly name: BudgetName;
    readonly used: number;
    readonly limit: number;
    /** 0: one is allowed now. null: the settings allow none. */
    readonly nextInSeconds: number | null;
  }[];
  /** Units that were restarted and have not been healthy for an hour since. */
  readonly backoffs: readonly {
    readonly unit: string;
    readonly state: "ready" | "backoff" | "cooldown";
    readonly attempts: number;
    /** When the last attempt began, ISO 8601. */
    readonly lastAttempt: string;
    /** 0: the next attempt may be made now. */
    readonly nextInSeconds: number;
    /** Since when every look found it healthy, ISO 8601. */
    readonly healthySince: string | null;
  }[];
}

export function viewOf(state: State, policy: Policy, pause: Pause | null, now: Moment): ExecutorView {
  const spent = state.spent();
  const iso = (moment: Moment): string => new Date(moment.wallMs).toISOString();
  return {
    pause,
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
