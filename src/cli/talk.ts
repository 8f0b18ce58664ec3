/** The commands that people write, or press, in Telegram: a second command line over the same functions. */

import { CommanderError } from "commander";
import type { Parts } from "../cycle.ts";
import { reasonOf } from "../execute/reason.ts";
import type { ExecutorView } from "../execute/view.ts";
import type { Listening, Reply } from "../notify/talk/listen.ts";
import { isOpen } from "../record/problems.ts";
import { matchText } from "../report/silences.ts";
import { statusReport } from "../report/status.ts";
import type { Style } from "../report/style.ts";
import { oneLine, printable } from "../system/printable.ts";
import { ackedProblem } from "../types/ack.ts";
import { UserError, WorkError } from "../types/errors.ts";
import { type By, type Obeyed, Order } from "../types/orders.ts";
import { utc } from "../types/quantities.ts";
import type { Config } from "../types/settings.ts";
import { deedFor, whatCameOf } from "./approve.ts";
import type { Context } from "./context.ts";
import { parseDuration } from "./duration.ts";
import { explain } from "./explain.ts";
import { showProblems } from "./problems.ts";
import { statusData } from "./status.ts";

/** What a telephone shows in a fixed width without breaking lines itself. */
const style: Style = { width: 44, color: false, unicode: true };

const help = `/status  health at a glance
/problems  of the last 24 hours
/explain [key or cycle]  what fired, what was done, and why
/approve ID, /deny ID  answer what waits for approval
/silence KEY 2h  no messages about it; /silence lists, /unsilence ID ends
/ack KEY  seen: no repeats until it changes or ends; /unack KEY ends that
/pause [2h], /resume  no actions for a while; the watching goes on`;

export interface Talk {
  readonly context: Context;
  readonly parts: () => Parts;
  /** Starts a cycle at once. */
  readonly ring: (reason: string) => void;
}

/** null: nobody is to be listened to. */
export function listeningOf({ telegram, settings, dryRun }: Config): Listening | null {
  // A dry run changes nothing, and that would be what people's words are for.
  if (telegram === null || settings.telegram === undefined || dryRun) return null;
  return { account: telegram, answering: settings.telegram };
}

/** @param words as a person wrote them, without the slash. */
export async function answer(talk: Talk, words: string, by: By): Promise<Reply> {
  // In a group a command may name the bot: /status@argus_bot.
  const [command = "", ...args] = words
    .trim()
    .replace(/^(\w+)@\w+/, "$1")
    .split(/\s+/);
  const name = command.toLowerCase();
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
  if (row === undefined) return say(help);
  try {
    return await row(talk, args, by);
  } catch (error) {
    if (error instanceof UserError) return say(error.lines.map(printable).join("\n"));
    if (error instanceof CommanderError) return say(oneLine(error.message));
    throw error;
  }
}

type Row = (talk: Talk, args: readonly string[], by: By) => Promise<Reply>;

const rows: Readonly<Record<string, Row>> = {
  status: async ({ context: { system }, parts }) => {
    const { config } = parts();
    return report(
      statusReport(statusData(system, config, { view: await viewOf(parts()), asOf: null }), style),
    );
  },
  problems: async ({ context, parts }) => {
    const { acks } = await viewOf(parts());
    return printed(context, (inner) => showProblems(inner, parts().config.stateDir, {}, acks));
  },
  explain: async ({ context, parts }, [what]) => {
    const { acks } = await viewOf(parts());
    return printed(context, (inner) => explain(inner, parts().config, what, false, () => acks));
  },
  approve: async (talk, [id = ""], by) => {
    const obeyed = await ordered(talk, { order: "approve", by, id, yes: true });
    if (!obeyed.done) return say(printable(obeyed.text));
    talk.ring(`approval of ${id}`);
    const deed = await deedFor(id, talk.context.system, talk.parts().config.stateDir);
    return say(printable(deed === null ? obeyed.text : `approved ${id}. ${whatCameOf(deed)}`));
  },
  deny: async (talk, [id = ""], by) => said(await ordered(talk, { order: "approve", by, id, yes: false })),
  silence: async (talk, [key, time], by) => {
    if (key === undefined) {
      const { silences } = await viewOf(talk.parts());
      const lines = silences.map(
        ({ id, match, until, by, reason }) =>
          `${id}: ${matchText(match)} until ${utc(until)}, by ${by} (${reason})`,
      );
      return say(lines.length === 0 ? "Nothing is silenced." : lines.map(printable).join("\n"));
    }
    return said(await ordered(talk, { order: "silence", by, key, seconds: parseDuration(time ?? "1h") }));
  },
  unsilence: async (talk, [id = ""], by) => said(await ordered(talk, { order: "unsilence", by, id })),
  ack: async (talk, [key = ""], by) => {
    const problem = talk.parts().registry.problems().get(key);
    if (!isOpen(problem)) return say(printable(`No problem ${key} is open; /problems lists the keys.`));
    return said(await ordered(talk, { order: "ack", by, problem: ackedProblem(problem) }));
  },
  unack: async (talk, [key = ""], by) => said(await ordered(talk, { order: "unack", by, key })),
  pause: async (talk, [time], by) =>
    said(
      await ordered(talk, { order: "pause", by, seconds: time === undefined ? null : parseDuration(time) }),
    ),
  resume: async (talk, _args, by) => said(await ordered(talk, { order: "resume", by })),
};

async function ordered({ parts }: Talk, wanted: Order): Promise<Obeyed> {
  const order = Order.safeParse(wanted);
  if (!order.success) return { done: false, text: `that cannot be understood; /help lists what can` };
  try {
    return await parts().executor.order(order.data);
  } catch (error) {
    return { done: false, text: `the executor did not take it: ${reasonOf(error)}` };
  }
}

async function viewOf({ executor }: Parts): Promise<ExecutorView> {
  try {
    return await executor.view();
  } catch (error) {
    throw new WorkError(`the executor does not answer: ${reasonOf(error)}`);
  }
}

const say = (text: string): Reply => ({ text, isReport: false });
const report = (text: string): Reply => ({ text, isReport: true });
const said = ({ text }: Obeyed): Reply => say(printable(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`));

async function printed(context: Context, work: (inner: Context) => Promise<void>): Promise<Reply> {
  const lines: string[] = [];
  const print = (text: string) => void lines.push(text);
  const say = (sentence: string) => print(printable(sentence));
  const warn = (said: string | readonly string[]) => [said].flat().forEach(say);
  await work({ ...context, style, print, printRaw: print, say, warn });
  return report(lines.join("\n"));
}
