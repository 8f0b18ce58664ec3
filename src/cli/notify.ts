import type { Command } from "commander";
import { sendText } from "../notify/telegram.ts";
import { UserError, WorkError } from "../types/errors.ts";
import { type Context, printJson } from "./context.ts";

const withinMs = 30_000;

interface Answer {
  readonly channel: string;
  readonly ok: boolean;
  /** One sentence. */
  readonly detail: string;
}

export function notifyCommand(program: Command, context: Context): void {
  program
    .command("notify")
    .description("send a message through each channel, and say what came back")
    .requiredOption("--test", "a test message: alerts go out by themselves")
    .option("--json", "print data instead of text")
    .action(async ({ json }: { json?: true }) => {
      const answer = await viaTelegram(context);
      if (json) printJson(context, [answer]);
      else context.print(`${answer.channel}: ${answer.ok ? "sent" : "not sent"}: ${answer.detail}`);
      if (!answer.ok) throw new WorkError("a channel does not work; alerts wait in the outbox meanwhile");
    });
}

async function viaTelegram({ system, config }: Context): Promise<Answer> {
  const { telegram } = config();
  if (telegram === null)
    throw new UserError("no channel is configured; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env");
  const { http, clock, files } = system;
  const host = files.tryRead("/proc/sys/kernel/hostname")?.trim() ?? "unknown host";
  const signal = AbortSignal.timeout(withinMs);
  const attempt = { http, clock, signal, deadlineMs: clock.monotonicMs() + withinMs };
  const text = `${host}: a test of Argus. Alerts will arrive like this.`;
  const sent = await sendText(telegram, telegram.chatId, text, attempt);
  if (sent.kind !== "sent") return { channel: "telegram", ok: false, detail: sent.error };
  const moved = sent.chatId !== telegram.chatId;
  const detail = moved
    ? `the chat is now ${sent.chatId}; put that into TELEGRAM_CHAT_ID in argus.env`
    : `chat ${sent.chatId} has it`;
  return { channel: "telegram", ok: true, detail };
}
