/** What people say to the bot, out of getUpdates: https://core.telegram.org/bots/api#getting-updates */
import * as z from "zod";
import type { Http } from "../../system/system.ts";
import { askBot, type BotAccount } from "../channels/bot-api.ts";
import type { Clean } from "../channels/clean.ts";
import { Temporary } from "../channels/persist.ts";

const User = z.object({
  id: z.number().int(),
  username: z.string().optional(),
  first_name: z.string().optional(),
});
const Chat = z.object({ id: z.number().int(), type: z.string() });
const Message = z.object({
  message_id: z.number().int(),
  /** Unix time, seconds. */
  date: z.number(),
  chat: Chat,
  from: User.optional(),
  text: z.string().optional(),
});
const Pressed = z.object({
  id: z.string(),
  from: User,
  data: z.string().optional(),
  message: z.object({ message_id: z.number().int(), chat: Chat }).optional(),
});
const Update = z.object({ message: Message.optional(), callback_query: Pressed.optional() });
const Updates = z.array(z.looseObject({ update_id: z.number().int() }));

/** One thing that somebody said, by a message or a button. */
export interface Said {
  readonly text: string;
  readonly user: number;
  /** What they call themselves: their own choice, and nothing to go by. */
  readonly name: string;
  readonly chat: number;
  readonly isPrivate: boolean;
  /** null: a button, of which nobody knows when it was pressed. */
  readonly writtenMs: number | null;
  /** To answer to. */
  readonly message: number;
  /** Of a button: it spins until this is answered. */
  readonly pressed: string | null;
}

export interface Batch {
  /** For the next question; what came before it is not given again. */
  readonly offset: number;
  readonly said: readonly Said[];
}

/** Telegram holds the answer back for so long when there is nothing. */
const pollSeconds = 50;
const marginMs = 10_000;

/** Throws Temporary with the mend, its `waitMs` set when Telegram asks for a pause. */
export async function poll(
  account: BotAccount,
  offset: number,
  http: Http,
  { signal, clean }: { readonly signal: AbortSignal; readonly clean: Clean },
): Promise<Batch> {
  const wanted = { offset, timeout: pollSeconds, limit: 20, allowed_updates: ["message", "callback_query"] };
  const timeoutMs = pollSeconds * 1000 + marginMs;
  const { status, answer, said } = await askBot(account, "getUpdates", wanted, http, {
    timeoutMs,
    signal,
    clean,
  });
  const updates = answer?.ok === true ? Updates.safeParse(answer.result).data : undefined;
  if (updates !== undefined) {
    return {
      offset: Math.max(offset, ...updates.map(({ update_id: id }) => id + 1)),
      said: updates.flatMap((update) => saidOf(update) ?? []),
    };
  }
  const head = `nobody can be heard in Telegram (${status}: ${said})`;
  if (status === 409)
    throw new Temporary(
      `${head}: another program reads what is written to this bot, or a webhook is set; give Argus a bot of its own`,
    );
  if (status === 401 || status === 404)
    throw new Temporary(`${head}: TELEGRAM_BOT_TOKEN in argus.env is wrong or was revoked`);
  throw new Temporary(head, Math.min(answer?.parameters?.retry_after ?? 0, 86_400) * 1000);
}

/** null: of a kind that is no word of a person. */
function saidOf(raw: unknown): Said | null {
  const { message, callback_query: pressed } = Update.safeParse(raw).data ?? {};
  if (pressed?.data !== undefined && pressed.message !== undefined) {
    const { from, message: below, data, id } = pressed;
    return {
      ...whoAndWhere(from, below.chat),
      text: data,
      writtenMs: null,
      message: below.message_id,
      pressed: id,
    };
  }
  if (message?.text === undefined || message.from === undefined) return null;
  const { from, chat, text, date, message_id: id } = message;
  return { ...whoAndWhere(from, chat), text, writtenMs: date * 1000, message: id, pressed: null };
}

const whoAndWhere = (from: z.infer<typeof User>, chat: z.infer<typeof Chat>) => ({
  user: from.id,
  name: from.username ?? from.first_name ?? "somebody",
  chat: chat.id,
  isPrivate: chat.type === "private" && chat.id === from.id,
});
