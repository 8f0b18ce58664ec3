import type { Command } from "commander";
import { type Approval, openApprovals, whileWatching, writeDecision } from "../execute/approvals.ts";
import { folderNames, openStateDir } from "../record/state-dir.ts";
import { readTrail } from "../record/trail.ts";
import { approvalsReport, deedOf } from "../report/approvals.ts";
import { readOnly } from "../system/read-only.ts";
import type { System } from "../system/system.ts";
import type { ActionRecord } from "../types/action.ts";
import { UserError } from "../types/errors.ts";
import { isoTime } from "../types/moment.ts";
import type { Config } from "../types/settings.ts";
import { type Context, lookAtState, lookAtStateToChange, printJson } from "./context.ts";
import { toldLast } from "./executor-view.ts";
import { mustReachExecutor } from "./other-user.ts";
import { runningDaemon, wakeDaemon } from "./wake-daemon.ts";
import { whoAsks } from "./who-asks.ts";

/** A cycle with a restart and its settle time; what takes longer is told by `argus explain`. */
const waitMs = 20_000;

export function approveCommand(program: Command, context: Context): void {
  program
    .command("approve")
    .description("approve an action that waits for approval; without an id, list what waits")
    .argument("[id]", "as the alert, `argus status` or this command names it")
    .option("--json", "print data instead of text")
    .action(async (id: string | undefined, { json = false }: { json?: boolean }) => {
      if (id !== undefined) return await decide(context, id, true, json);
      const config = lookAtState(context);
      const told = toldLast(context, config);
      if (told === null) mustReachExecutor(context, config, "read");
      const waiting = told?.approvals ?? approvalsOf(context, config).list(context.system.clock.now());
      if (json) printJson(context, waiting);
      else context.print(approvalsReport(waiting, context.style));
    });
}

export function denyCommand(program: Command, context: Context): void {
  program
    .command("deny")
    .description("deny an action that waits for approval")
    .argument("<id>", "as the alert, `argus status` or `argus approve` names it")
    .option("--json", "print data instead of text")
    .action(async (id: string, { json = false }: { json?: boolean }) => {
      await decide(context, id, false, json);
    });
}

function approvalsOf({ system, warn }: Context, { executorStateDir }: Config) {
  return openApprovals(readOnly(system).files, executorStateDir, warn);
}

async function decide(context: Context, id: string, yes: boolean, json: boolean): Promise<void> {
  const { system } = context;
  const config = lookAtStateToChange(context);
  const now = system.clock.now();
  openStateDir(system, config.executorStateDir, folderNames.executor);
  const asked = approvalsOf(context, config)
    .list(now)
    .find((each) => each.id === id);
  if (asked === undefined)
    throw new UserError(`nothing waits under the id "${id}"; argus approve lists what waits`);
  writeDecision(system.files, config.executorStateDir, id, { yes, by: whoAsks(context), at: isoTime(now) });
  const watches = yes && config.mode === "watch";
  const action = yes && !watches ? await whatBecameOf(asked, context, config) : null;
  if (json) printJson(context, { id, yes, proposal: asked.proposal, action, mode: config.mode });
  else if (watches) context.say(`Approved ${id}: ${whileWatching(deedOf(asked.proposal))}.`);
  else context.say(sentence(asked, yes, action, runningDaemon(context, config) !== null));
}

/** Wakes the daemon and waits for the cycle that uses the yes. null: no daemon, or it takes longer. */
async function whatBecameOf(
  { id }: Approval,
  context: Context,
  config: Config,
): Promise<ActionRecord | null> {
  if (!wakeDaemon(context, config)) return null;
  return await deedFor(id, context.system, config.stateDir);
}

/** The first thing that became of this yes, within the time that a cycle takes; null: nothing yet. */
export async function deedFor(
  id: string,
  { files, clock }: System,
  stateDir: string,
): Promise<ActionRecord | null> {
  const since = isoTime({ ...clock.now(), wallMs: clock.now().wallMs - 1000 });
  const end = clock.monotonicMs() + waitMs;
  while (clock.monotonicMs() < end) {
    await clock.sleep(200);
    for (const { cycle, actions } of readTrail(files, stateDir).cycles()) {
      const done = actions.find(
        ({ values, refusal }) => values["approval"] === id && refusal !== "needs_approval",
      );
      if (done !== undefined) return done;
      if (cycle.ts < since) break;
    }
  }
  return null;
}

export function whatCameOf({ type, target, refusal, result, detail }: ActionRecord): string {
  const outcome = refusal === null ? result : `refused (${refusal})`;
  return `${target === null ? type : `${type} ${target}`}: ${outcome}: ${detail}`;
}

function sentence(
  { id, proposal }: Approval,
  yes: boolean,
  action: ActionRecord | null,
  isRunning: boolean,
): string {
  const deed = deedOf(proposal);
  if (!yes) return `Denied ${id}: ${deed} is not done, and nobody is asked about it again for a while.`;
  if (action !== null) return `Approved ${id}. ${whatCameOf(action)}`;
  const next = isRunning
    ? "the next cycle does it, if it is still called for"
    : "no daemon runs; the next `argus run --once` does it, if it is still called for";
  return `Approved ${id}: ${deed}; ${next}.`;
}
