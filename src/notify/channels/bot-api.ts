/** One request to the Telegram Bot API: https://core.telegram.org/bots/api#making-requests */
import * as z from "zod";
import type { Http } from "../../system/system.ts";
import type { ChannelAccounts } from "../../types/channels.ts";
import { Temporary } from "./persist.ts";

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

export const isToken = (text: string): boolean => /^\d+:[\w-]+$/.test(text);

/** The token is in the address, so no error leaves this function as it is. Throws Temporary when nobody answers. */
export async function askBot(
  account: BotAccount,
  method: string,
  payload: object,
  http: Http,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<BotAnswer> {
  const { status, body } = await http
    .request({
      url: `${account.apiUrl}/bot${account.token}/${method}`,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(payload),
      timeoutMs,
      signal,
    })
    .catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new Temporary(`Telegram cannot be reached: ${hide(why, account)}`);
    });
  const answer = parse(body);
  return { status, answer, said: hide(answer?.description ?? "no description", account) };
}

function parse(body: string): z.infer<typeof Answer> | null {
  try {
    return Answer.safeParse(JSON.parse(body)).data ?? null;
  } catch {
    return null;
  }
}

/** Whatever a server or the network layer says back, the token and its secret half stay out of it. */
function hide(text: string, { token }: BotAccount): string {
  const secret = token.slice(token.indexOf(":") + 1);
  return [token, encodeURIComponent(token), secret].reduce(
    (hidden, part) => hidden.replaceAll(part, "***"),
    text,
  );
}
