/** The Telegram Bot API, as far as telling somebody something needs it: https://core.telegram.org/bots/api#sendmessage */
import pRetry from "p-retry";
import * as z from "zod";
import type { Clock, Http } from "../system/system.ts";
import type { Config } from "../types/settings.ts";

export type Account = NonNullable<Config["telegram"]>;

export interface Attempt {
  readonly http: Http;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** On the monotonic clock: by then the answer is there, or it is for later. */
  readonly deadlineMs: number;
}

export type Sent =
  /** `chatId`: where it went; another one than before when the group has become a supergroup. */
  | { readonly kind: "sent"; readonly chatId: string }
  /** It may work later: no network, a server error, too many messages. `blockedMs`: not before so long. */
  | { readonly kind: "later"; readonly error: string; readonly blockedMs: number }
  /** It will not work before somebody mends the settings, or, with `message`, never with this text. */
  | { readonly kind: "refused"; readonly of: "channel" | "message"; readonly error: string };

/** In UTF-16 units, which is what the API counts. */
const mostCharacters = 4096;
const requestTimeoutMs = 10_000;

/** Sends a text, in several messages when it is too long for one. */
export async function sendText(
  account: Account,
  chatId: string,
  text: string,
  attempt: Attempt,
): Promise<Sent> {
  if (!/^\d+:[\w-]+$/.test(account.token)) {
    return refused(
      "channel",
      "TELEGRAM_BOT_TOKEN is not a bot token (123456:ABC...); copy it from @BotFather into argus.env",
    );
  }
  let to = chatId;
  for (const part of splitText(text)) {
    const sent = await sendPart(account, to, part, attempt);
    if (sent.kind !== "sent") return sent;
    to = sent.chatId;
  }
  return { kind: "sent", chatId: to };
}

/** Lines stay whole where they can; no character is cut in two. Nothing but blanks is not a message. */
export function splitText(text: string, most = mostCharacters): string[] {
  // Telegram refuses text that is not well-formed; a lone control character shows as nothing or as a box.
  let rest = text.toWellFormed().replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, " ");
  const parts: string[] = [];
  while (rest.length > most) {
    const newline = rest.lastIndexOf("\n", most);
    const isHigh = /[\ud800-\udbff]/.test(rest.charAt(most - 1));
    const end = newline > most / 2 ? newline : isHigh ? most - 1 : most;
    parts.push(rest.slice(0, end));
    rest = rest.slice(newline === end ? end + 1 : end);
  }
  const said = [...parts, rest].filter((part) => part.trim() !== "");
  return said.length === 0 ? ["(an empty message)"] : said;
}

/** Worth another try, after so long. */
class Temporary extends Error {
  readonly waitMs: number;
  constructor(message: string, waitMs: number) {
    super(message);
    this.waitMs = waitMs;
  }
}

async function sendPart(account: Account, chatId: string, text: string, attempt: Attempt): Promise<Sent> {
  const left = () => attempt.deadlineMs - attempt.clock.monotonicMs();
  let to = chatId;
  let pauseMs = 0;
  let before = "there was no time left to reach Telegram";
  try {
    return await pRetry(
      async () => {
        if (pauseMs > 0) await attempt.clock.sleep(pauseMs, attempt.signal);
        if (left() <= 0) throw new Temporary(before, 0);
        const answer = await ask(account, to, text, attempt, left());
        if (answer.kind !== "moved") return answer;
        to = answer.chatId;
        const again = await ask(account, to, text, attempt, left());
        return again.kind === "moved"
          ? refused("channel", "Telegram says twice that the chat has moved; check TELEGRAM_CHAT_ID")
          : again;
      },
      {
        retries: 4,
        minTimeout: 500,
        factor: 3,
        maxRetryTime: Math.max(0, left()),
        signal: attempt.signal,
        shouldRetry: ({ error }) => error instanceof Temporary && error.waitMs < left(),
        // To wait as Telegram asks is no failed attempt.
        shouldConsumeRetry: ({ error }) => !(error instanceof Temporary && error.waitMs > 0),
        onFailedAttempt: ({ error }) => {
          if (!(error instanceof Temporary)) return;
          pauseMs = error.waitMs;
          before = error.message;
        },
      },
    );
  } catch (error) {
    if (attempt.signal.aborted) return { kind: "later", error: "Argus was told to stop", blockedMs: 0 };
    if (error instanceof Temporary) return { kind: "later", error: error.message, blockedMs: error.waitMs };
    throw error;
  }
}

const Answer = z.object({
  ok: z.boolean(),
  description: z.string().optional(),
  parameters: z
    .object({
      retry_after: z.number().optional(),
      migrate_to_chat_id: z.union([z.number(), z.string()]).optional(),
    })
    .optional(),
});

type Asked = Exclude<Sent, { kind: "later" }> | { readonly kind: "moved"; readonly chatId: string };

/** One request. The token is in its address, so no error of it leaves this function as it is. */
async function ask(
  account: Account,
  chatId: string,
  text: string,
  attempt: Attempt,
  leftMs: number,
): Promise<Asked> {
  const { status, body } = await attempt.http
    .request({
      url: `${account.apiUrl}/bot${account.token}/sendMessage`,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ chat_id: chatId, text, link_preview_options: { is_disabled: true } }),
      timeoutMs: Math.min(requestTimeoutMs, Math.max(1, leftMs)),
      signal: attempt.signal,
    })
    .catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new Temporary(`Telegram cannot be reached: ${hide(why, account)}`, 0);
    });
  const answer = parse(body);
  const said = hide(answer?.description ?? "no description", account);
  const { retry_after: retryAfter, migrate_to_chat_id: movedTo } = answer?.parameters ?? {};
  if (answer?.ok === true && status === 200) return { kind: "sent", chatId };
  if (movedTo !== undefined) return { kind: "moved", chatId: String(movedTo) };
  if (status === 429) {
    const waitSeconds = Math.min(Math.max(1, retryAfter ?? 5), 86_400);
    throw new Temporary(`Telegram asks for a pause of ${waitSeconds} s (429)`, waitSeconds * 1000);
  }
  if (status >= 500) throw new Temporary(`Telegram has trouble of its own (${status}: ${said})`, 0);
  // A captive portal or a proxy answers 200 to everything: only Telegram's own yes counts.
  if (status < 400)
    throw new Temporary(`something else than Telegram answered at TELEGRAM_API_URL (${status})`, 0);
  return refusal(status, said);
}

function refusal(status: number, said: string): Asked {
  const head = `Telegram refused (${status}: ${said})`;
  if (status === 401 || status === 404) {
    return refused(
      "channel",
      `${head}; TELEGRAM_BOT_TOKEN in argus.env is wrong or was revoked, get one from @BotFather`,
    );
  }
  if (status === 403) {
    return refused(
      "channel",
      `${head}; open a chat with the bot and press Start, or add it to the group again`,
    );
  }
  if (status === 400 && /chat not found|peer_id_invalid|chat_id is empty/i.test(said)) {
    return refused(
      "channel",
      `${head}; check TELEGRAM_CHAT_ID in argus.env, and write to the bot once so that it may answer`,
    );
  }
  if (status === 400 && /message|text|entities|utf-8/i.test(said)) return refused("message", head);
  return refused("channel", `${head}; check TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env`);
}

function refused(
  of: "channel" | "message",
  error: string,
): { kind: "refused"; of: typeof of; error: string } {
  return { kind: "refused", of, error };
}

function parse(body: string): z.infer<typeof Answer> | null {
  try {
    return Answer.safeParse(JSON.parse(body)).data ?? null;
  } catch {
    return null;
  }
}

/** Whatever a server or the network layer says back, the token and its secret half stay out of it. */
function hide(text: string, { token }: Account): string {
  const secret = token.slice(token.indexOf(":") + 1);
  return [token, encodeURIComponent(token), secret].reduce(
    (hidden, part) => hidden.replaceAll(part, "***"),
    text,
  );
}
