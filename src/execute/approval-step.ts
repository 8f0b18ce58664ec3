/** Whether a person must say yes first, and has. Asked last, so that nobody is asked about what could not be done anyway. */
import { duration, utc } from "../types/quantities.ts";
import type { Task } from "./action.ts";
import type { Approval } from "./approvals.ts";
import { refuse } from "./case.ts";
import type { Policy } from "./policy.ts";
import type { Step } from "./steps.ts";

export const approvalStep: Step = (one, { context, dryRun }) => {
  if (one.task === null || !needsYes(one.task, context.policy)) return;
  const now = context.system.clock.now();
  const known = context.approvals.find(one.task, now);
  const asked =
    known === null && !dryRun ? context.approvals.ask(one.task, context.policy.approval.seconds, now) : known;
  const detail = sentenceOf(asked, dryRun);
  const pass = asked?.state === "approved";
  one.steps.push({ step: "approval", pass, detail });
  if (pass) one.approval = { id: asked.id, said: detail };
  else refuse(one, "needs_approval", detail);
  if (asked !== null && !dryRun) one.values["approval"] = asked.id;
  if (asked !== null && known === null) one.values["askedNow"] = true;
};

/** Not of what a person asks for on the command line. */
export function needsYes({ action, proposal: { source } }: Task, { approval }: Policy): boolean {
  if (source.startsWith("rule:")) return approval.rules.includes(action.type);
  return source.startsWith("llm:") && approval.model.includes(action.type);
}

function sentenceOf(asked: Approval | null, dryRun: boolean): string {
  if (asked === null)
    return dryRun
      ? "it would wait for approval (argus approve)"
      : "it needs approval, and too many requests wait already: argus approve lists them";
  const left = duration(asked.expiresInSeconds);
  const { id, decided } = asked;
  if (decided === null)
    return `it waits for approval: argus approve ${id}, or argus deny ${id}, within ${left}`;
  const said = `${decided.by} ${decided.yes ? "approved" : "denied"} ${id} at ${utc(decided.at)}`;
  return decided.yes ? said : `${said}; nobody is asked again for ${left}`;
}
