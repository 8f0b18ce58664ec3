/** One request to the Telegram Bot API: https://core.telegram.org/bots/api#making-requests */
import * as z from "zod";
import { stringify } from "../../system/printable.ts";
import type { Http } from "../../system/system.ts";
import type { ChannelAccounts } from "../../types/channels.ts";
import type { Clean } from "./clean.ts";
import { unanswered } from "./persist.ts";

export type BotAccount = Pick<ChannelAccounts["telegram"], "token" | "apiUrl">;

const Answer = z.object({
  ok: z.boolean(),
  description: z.string().optional(),
  result: z.unknown().optional(),
  parameters: z
    .object({
      retry_after: z.number().optional(),
      migrate_to_chat_id: z.union([z.number(), z.string()]).optional(),
    })
    .optional(),
});

export interface BotAnswer {
  readonly status: number;
  /** null: whoever answered does not speak the Bot API. */
  readonly answer: z.infer<typeof Answer> | null;
  /** Its description, without the token. */
  readonly said: string;
}

interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Takes the token, which is in the address, out of what others say. */
  readonly clean: Clean;
}

/** A description of Telegram's own is a sentence. */
const mostSaid = 200;

export const isToken = (text: string): boolean => /^\d+:[\w-]+$/.test(text);

/** Throws Temporary when nobody answers. */
export async function askBot(
  account: BotAccount,
  method: string,
  payload: object,
  http: Http,
  { timeoutMs, signal, clean }: Limits,
): Promise<BotAnswer> {
  const { status, body } = await http
    .request({
      url: `${account.apiUrl}/bot${account.token}/${method}`,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: stringify(payload),
      timeoutMs,
      signal,
    })
    .catch((error: unknown) => {
      throw unanswered("Telegram", error, clean);
    });
  const answer = parse(body);
  return { status, answer, said: clean(answer?.description ?? "no description").slice(0, mostSaid) };
}

function parse(body: string): z.infer<typeof Answer> | null {
  try {
    return Answer.safeParse(JSON.parse(body)).data ?? null;
  } catch {
    return null;
  }
}
