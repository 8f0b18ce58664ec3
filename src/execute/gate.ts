/** The gate: may this be done at all? A pure function, so that it can be tested with any history and explained. */
import type { GateStep } from "../types/action.ts";
import type { Moment } from "../types/moment.ts";
import type { History, Refusal, Task } from "./action.ts";
import type { Policy } from "./policy.ts";

export interface Decision {
  /** null: permitted, as far as the gate can tell. */
  readonly refusal: Refusal | null;
  /** What was asked, in order, up to the refusal. */
  readonly steps: readonly GateStep[];
}

export function gate(task: Task, policy: Policy, history: History, now: Moment): Decision {
  const steps: GateStep[] = [];
  for (const question of task.action.gateSteps) {
    const answer = question.ask({ task, policy, history, now });
    if (answer === null) continue;
    steps.push({ step: question.step, pass: answer.pass, detail: answer.detail });
    if (!answer.pass) return { refusal: answer, steps };
  }
  return { refusal: null, steps };
}
