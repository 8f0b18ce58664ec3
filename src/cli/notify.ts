import type { Command } from "commander";
import { isTimerActive } from "../collect/installed-abilities.ts";
import { type Way, wayOf } from "../notify/channels/index.ts";
import { noChannel } from "../notify/deliver.ts";
import { askedOf, sendTest, type TestAnswer } from "../notify/test-message.ts";
import { quoted } from "../system/names.ts";
import { UserError, WorkError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import { askForTest } from "./ask-for-test.ts";
import { type Context, lookAtState, printJson } from "./context.ts";
import { ownerInstead } from "./other-user.ts";
import { ownDaemon } from "./wake-daemon.ts";

const withinMs = 30_000;
/** A cycle begins every five minutes. */
const withinTimerMs = 330_000;

interface Options {
  readonly channel?: string;
  readonly json?: true;
}

/** Who sends it, and what there is to say of that. */
type Sender =
  | { readonly by: "daemon"; readonly who: string; readonly withinMs: number; readonly head: string }
  /** `noPrograms`: why no program is started from here, with the fix; null: it may be. */
  | { readonly by: "this process"; readonly noPrograms: string | null; readonly head: string };

export function notifyCommand(program: Command, context: Context): void {
  program
    .command("notify")
    .description("have the daemon send a message through each channel, and say what came back")
    .requiredOption("--test", "a test message: alerts go out by themselves")
    .option("--channel <name>", "through this channel alone")
    .option("--json", "print data instead of text")
    .action(async ({ channel, json }: Options) => {
      const config = lookAtState(context);
      const ways = chosen(config, channel ?? null);
      const sender = await senderOf(context, config);
      // Said before the waiting, which takes minutes where a timer starts the cycles.
      if (!json) context.say(sender.head);
      const answers =
        sender.by === "daemon"
          ? await askForTest(context, config, { ...sender, ways, channel: channel ?? null })
          : await sendFromHere(context, config, ways, sender.noPrograms);
      if (json)
        printJson(
          context,
          answers.map((answer) => ({ ...answer, by: sender.by })),
        );
      for (const { channel: name, ok, detail } of json ? [] : answers)
        context.say(`${name}: ${ok ? "sent" : "not sent"}: ${detail}`);
      const failed = answers.filter(({ ok }) => !ok).map(({ channel: name }) => name);
      if (failed.length > 0)
        throw new WorkError(`${failed.join(", ")} took no message; alerts wait in the outbox meanwhile`);
    });
}

/** Throws a UserError where there is none to choose from, unless the daemon may know more than this user may read. */
function chosen(config: Config, name: string | null): Way[] {
  const ways = config.channels.map((channel) => wayOf(channel));
  const wanted = ways.filter((way) => name === null || way.name === name);
  const knowsAll = config.executorSocket === null || config.envFile !== null;
  if (wanted.length > 0 || !knowsAll) return wanted;
  if (ways.length === 0) throw new UserError(noChannel);
  const known = ways.map((way) => way.name).join(", ");
  throw new UserError(`${quoted(String(name))} is no channel here; there are: ${known}`);
}

async function senderOf(context: Context, config: Config): Promise<Sender> {
  const isInstalled = config.executorSocket !== null;
  const daemon = ownDaemon(context, config);
  const instead = ownerInstead(context, config);
  if (daemon !== null || (isInstalled && (await isTimerActive(context.system)))) {
    if (instead !== null)
      throw new WorkError(
        `the Argus of ${config.stateDir} takes requests from its own user alone: ${instead}`,
      );
    if (daemon === null)
      return {
        by: "daemon",
        who: "argus-once.service",
        withinMs: withinTimerMs,
        head: "no daemon runs: the next cycle of argus-once.timer sends it (systemctl start argus-once: at once)",
      };
    const who = `the daemon (pid ${daemon.pid})`;
    return {
      by: "daemon",
      who,
      withinMs: limitFor(config),
      head: `${who} was asked, which sends the alerts`,
    };
  }
  const head = "no daemon runs: sent from this process";
  if (isInstalled) {
    const noPrograms =
      "no daemon runs, and a program is tried in the sandbox of argus.service alone: systemctl start argus, then try again";
    return { by: "this process", noPrograms, head };
  }
  const noPrograms =
    instead === null ? null : `no daemon runs, and alerts are sent by another user than this one: ${instead}`;
  return { by: "this process", noPrograms, head };
}

/** Longer than any channel may take. */
const limitFor = ({ channels }: Config): number =>
  Math.max(
    withinMs,
    ...channels.map((each) => ("timeoutSeconds" in each ? each.timeoutSeconds * 1000 + 5000 : 0)),
  );

async function sendFromHere(
  { system }: Context,
  config: Config,
  ways: readonly Way[],
  noPrograms: string | null,
): Promise<TestAnswer[]> {
  if (ways.length === 0)
    throw new WorkError(
      "no daemon runs, and argus.env with its channels cannot be read here: sudo argus notify --test",
    );
  const limits = {
    signal: new AbortController().signal,
    deadlineMs: system.clock.monotonicMs() + limitFor(config),
  };
  return await Promise.all(
    ways.map(async (way) => {
      if (noPrograms !== null && (way.type === "command" || way.type === "relay"))
        return { ...askedOf(way), ok: false, detail: noPrograms };
      return await sendTest(system, config, way, {}, limits);
    }),
  );
}
