/**
 * The executor as the part without privileges sees it: what changes the machine goes over the link to the process that
 * may, words are executed here. Order and shape of the reply are those of one executor.
 */
import * as z from "zod";
import { type Link, LinkLost } from "../system/link/client.ts";
import { ActionRecord } from "../types/action.ts";
import { Obeyed } from "../types/orders.ts";
import { actions } from "./actions/index.ts";
import { type Case, fail, openCase, recordOf } from "./case.ts";
import { notificationsOnly } from "./entrance.ts";
import type { ExecuteReply, ExecuteRequest, Executor, LocalExecutor } from "./executor.ts";
import { modeSentence } from "./mode-set.ts";
import { reasonOf } from "./reason.ts";
import { validate } from "./validate.ts";
import { ExecutorView } from "./view.ts";

const Reply = z.strictObject({ actions: z.array(ActionRecord), notes: z.array(z.string()) });

const mend = "look at: systemctl status argus-executor";

/**
 * @param words executes alerts and notes, in this process.
 * @param watchOnly this process was told to only watch: the stricter of the two holds.
 */
export function createRemoteExecutor(words: LocalExecutor, link: Link, watchOnly = false): Executor {
  /** For the notes of the next reply. */
  const untold: string[] = [];
  /** As of the last look: they lie where this process may not read. While nobody answers, each holds until its end. */
  let silences: ExecutorView["silences"] = [];
  let acks: ExecutorView["acks"] = [];
  let mode: ExecutorView["mode"] | null = null;

  return {
    async execute(request, signal) {
      const isMachine = request.proposals.map(changesMachine);
      const those = (machine: boolean) =>
        request.proposals.filter((_, index) => isMachine[index] === machine);
      const asked = { ...request, ...(watchOnly ? { watchOnly } : {}), proposals: those(true) };
      const there = await askForActions(link, asked, signal);
      const here = await words.execute(
        { ...request, silences, acks, proposals: those(false) },
        signal,
        notificationsOnly,
      );
      const [done, said] = [[...there.actions], [...here.actions]];
      return {
        actions: isMachine.flatMap((machine) => (machine ? done : said).shift() ?? []),
        notes: [...untold.splice(0), ...there.notes, ...here.notes],
      };
    },
    async view() {
      const told = ExecutorView.parse(await link.ask("view", null));
      const view = watchOnly ? { ...told, mode: "watch" as const } : told;
      ({ silences, acks } = view);
      if (mode !== null && view.mode !== mode) untold.push(modeSentence(view.mode, view.modeSet));
      mode = view.mode;
      const { settingsFault } = view;
      const fault = `the executor: ${settingsFault}`;
      if (settingsFault !== null && !untold.includes(fault)) untold.push(fault);
      return view;
    },
    order: async (order) => Obeyed.parse(await link.ask("order", order)),
    recorded: async (ids) => void (await link.ask("recorded", { ids })),
    forgetAcks: async (ended) => void (await link.ask("forget_acks", { ended })),
    /** The other side looks for itself: what it is told here cannot shorten a delay. */
    async observeHealth() {
      try {
        await link.ask("observe_health", null);
      } catch (error) {
        untold.push(`the executor could not look at the health of the services: ${reasonOf(error)}`);
      }
    },
  };
}

/** @returns an answer for each proposal, whatever becomes of the link. */
export async function askForActions(
  link: Link,
  request: ExecuteRequest,
  signal: AbortSignal,
): Promise<ExecuteReply> {
  if (request.proposals.length === 0) return { actions: [], notes: [] };
  try {
    const reply = Reply.parse(await link.ask("execute", request, signal));
    if (reply.actions.length === request.proposals.length) return reply;
    throw new Error("it gave another number of answers than it was asked for");
  } catch (error) {
    return { actions: request.proposals.map((raw) => recordOf(unanswered(raw, error))), notes: [] };
  }
}

function changesMachine(raw: unknown): boolean {
  const type = typeof raw === "object" && raw !== null && "type" in raw ? raw.type : null;
  return actions.find((action) => action.type === type)?.kind === "machine";
}

function unanswered(raw: unknown, error: unknown): Case {
  const one = openCase(raw);
  one.task = validate(raw).task;
  const why = reasonOf(error);
  if (error instanceof LinkLost && error.sent)
    fail(one, `nobody knows what became of it: ${why}; ${mend}`, null);
  else fail(one, `not done, because the executor did not answer: ${why}; ${mend}`, null);
  return one;
}
