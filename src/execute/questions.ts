/** Questions of the gate that several actions share. Pure. */

import { duration, utc } from "../types/quantities.ts";
import type { Question } from "./action.ts";
import { secondsUntilAllowed, spentWithinHour } from "./budget.ts";
import type { BudgetName } from "./policy.ts";

const fromModel = (source: string): boolean => source.startsWith("llm:");

/** The model may ask only for what the settings list, and only on targets that were put before it. */
export const offeredToModel: Question<unknown> = {
  step: "candidate",
  ask({ task: { proposal, action, name }, policy, history }) {
    if (!fromModel(proposal.source)) return null;
    if (!policy.modelMayPropose.includes(action.type)) {
      return {
        pass: false,
        reason: "not_allowlisted",
        detail: `the settings do not let the model propose ${action.type} (model.mayPropose)`,
      };
    }
    if (name === null) return { pass: true, detail: `the settings let the model propose ${action.type}` };
    const offered = Object.hasOwn(history.candidates, action.type)
      ? history.candidates[action.type]
      : undefined;
    return offered?.includes(name) === true
      ? { pass: true, detail: `${name} was offered to the model` }
      : {
          pass: false,
          reason: "not_a_candidate",
          detail: `${name} was not offered to the model as a target of ${action.type}`,
        };
  },
};

export const notPaused: Question<unknown> = {
  step: "pause",
  ask({ history: { pause } }) {
    if (pause === null) return { pass: true, detail: "Argus is not paused" };
    const until = pause.until === null ? "until `argus resume`" : `until ${utc(pause.until)}`;
    const why = pause.reason === "" ? "" : `: ${pause.reason}`;
    return { pass: false, reason: "paused", detail: `Argus is paused ${until}${why}` };
  },
};

export const firstInRequest: Question<unknown> = {
  step: "duplicate",
  ask({ task: { action, name, claim }, history: { claims } }) {
    const what = name === null ? action.type : `${action.type} ${name}`;
    return claims.has(claim)
      ? { pass: false, reason: "duplicate", detail: `${what} was asked for already in this cycle` }
      : { pass: true, detail: "nothing else in this cycle asked for it" };
  },
};

export function withinBudget(budget: BudgetName): Question<unknown> {
  return {
    step: "budget",
    ask({ policy, history, now }) {
      const limit = policy.budgets[budget];
      const used = spentWithinHour(history.spent[budget], now).length;
      const wait = secondsUntilAllowed(history.spent[budget], limit, now);
      if (wait === 0)
        return { pass: true, detail: `${used} of ${limit} ${budget} were used in the last hour` };
      const next =
        wait === null ? "the settings allow none" : `the next is allowed in ${duration(Math.ceil(wait))}`;
      return {
        pass: false,
        reason: "budget_exhausted",
        detail: `${used} of ${limit} ${budget} were used in the last hour; ${next}`,
      };
    },
  };
}
