import type { Command } from "commander";
import type { Parcel, Sent } from "../notify/channels/channel.ts";
import { cleanerFor } from "../notify/channels/clean.ts";
import { type Way, wayOf } from "../notify/channels/index.ts";
import { noChannel } from "../notify/deliver.ts";
import { hostName } from "../system/host-name.ts";
import { quoted } from "../system/names.ts";
import { UserError, WorkError } from "../types/errors.ts";
import { type Context, printJson } from "./context.ts";

const withinMs = 30_000;

interface Answer {
  readonly channel: string;
  readonly type: string;
  /** Where it goes. */
  readonly to: string;
  readonly ok: boolean;
  /** One sentence: what came back, with the mend. */
  readonly detail: string;
}

export function notifyCommand(program: Command, context: Context): void {
  program
    .command("notify")
    .description("send a message through each channel, and say what came back")
    .requiredOption("--test", "a test message: alerts go out by themselves")
    .option("--channel <name>", "through this channel alone")
    .option("--json", "print data instead of text")
    .action(async ({ channel, json }: { channel?: string; json?: true }) => {
      const answers = await Promise.all(chosen(context, channel).map((way) => ask(context, way)));
      if (json) printJson(context, answers);
      for (const { channel: name, ok, detail } of json ? [] : answers)
        context.say(`${name}: ${ok ? "sent" : "not sent"}: ${detail}`);
      const failed = answers.filter(({ ok }) => !ok).map(({ channel: name }) => name);
      if (failed.length > 0)
        throw new WorkError(`${failed.join(", ")} took no message; alerts wait in the outbox meanwhile`);
    });
}

function chosen({ config }: Context, name: string | undefined): Way[] {
  const ways = config().channels.map((channel) => wayOf(channel));
  if (ways.length === 0) throw new UserError(noChannel);
  const wanted = ways.filter((way) => name === undefined || way.name === name);
  if (wanted.length > 0) return wanted;
  const known = ways.map((way) => way.name).join(", ");
  throw new UserError(`${quoted(String(name))} is no channel here; there are: ${known}`);
}

async function ask({ system, config }: Context, way: Way): Promise<Answer> {
  const { http, run, clock, files } = system;
  const now = clock.now();
  const host = hostName(files);
  const parcel: Parcel = {
    kind: "test",
    id: `test-${now.wallMs}`,
    files: [],
    createdAt: new Date(now.wallMs).toISOString(),
    host,
    severity: "info",
    text: `${host}: a test of Argus. Alerts will arrive like this.`,
    notes: [],
  };
  const signal = AbortSignal.timeout(withinMs);
  const deadlineMs = clock.monotonicMs() + withinMs;
  const { intervalSeconds, dashboardUrl, channels } = config();
  const means = { http, files, run, clock, clean: cleanerFor(channels) };
  const attempt = { ...means, signal, deadlineMs, intervalSeconds, dashboardUrl };
  const sent: Sent = await way.send(parcel, {}, attempt);
  const { name: channel, type } = way;
  const detail = sent.kind === "sent" ? sent.detail : sent.error;
  return { channel, type, to: way.describe(), ok: sent.kind === "sent", detail };
}
