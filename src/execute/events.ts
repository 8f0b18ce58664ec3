/** Problems that are events: they happened, and are told once. Nobody can say that they are over. */
import { problemKey } from "../system/problem-key.ts";
import type { Proposal } from "../types/action.ts";
import type { Question } from "./action.ts";

const eventConditions = ["unexpected-reboot"];

const isEvent = ({ problem, problemType, subject }: Proposal): boolean =>
  eventConditions.some((condition) => problemKey(problemType, subject, condition) === problem);

export const eventOnce: Question<unknown> = {
  step: "event",
  ask({ task: { proposal }, history: { announced } }) {
    if (!isEvent(proposal)) return null;
    if (proposal.recovery === true)
      return { pass: false, reason: "duplicate", detail: "it is an event, which has no end to tell" };
    return announced[proposal.problem] === undefined
      ? { pass: true, detail: "it is an event, and was not told before" }
      : { pass: false, reason: "duplicate", detail: "it is an event, and was told already" };
  },
};
