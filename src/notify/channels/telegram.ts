/** The Telegram Bot API, as far as telling somebody something needs it: https://core.telegram.org/bots/api#sendmessage */
import type { ChannelAccounts } from "../../types/channels.ts";
import { type Button, buttonsOf } from "../talk/buttons.ts";
import { askBot, isToken } from "./bot-api.ts";
import { type Attempt, type ChannelRow, refused, type Sent } from "./channel.ts";
import { type Answer as Asked, persist, Temporary } from "./persist.ts";
import { unfitStatuses } from "./web.ts";

type Account = ChannelAccounts["telegram"];

export const telegram: ChannelRow<"telegram"> = {
  // About one message a second to the same chat is what Telegram allows.
  paceMs: 1000,
  describe: ({ chatId }) => `Telegram chat ${chatId}`,
  async send(account, { kind, text, notes, plain }, { movedTo }, attempt) {
    const { chatId, may } = account;
    // Of a digest nobody could tell what a button is about.
    const wants = kind === "message" && plain !== true && may !== undefined;
    const buttons = wants ? buttonsOf(notes, may) : [];
    const to = movedTo?.from === chatId ? movedTo.to : chatId;
    const sent = await sendText(account, to, text, buttons, attempt);
    if (sent.kind !== "in chat") return sent;
    const detail = `chat ${sent.chatId} has it`;
    if (sent.chatId === to) return { kind: "sent", detail };
    const note = `the chat ${chatId} is now ${sent.chatId}; put that into TELEGRAM_CHAT_ID in argus.env`;
    return { kind: "sent", detail: note, note, memory: { movedTo: { from: chatId, to: sent.chatId } } };
  },
};

/** In UTF-16 units, which is what the API counts. */
const mostCharacters = 4096;
const requestTimeoutMs = 10_000;

type InChat = Exclude<Sent, { kind: "sent" }> | { readonly kind: "in chat"; readonly chatId: string };

/** Sends a text, in several messages when it is too long for one; to another chat when the group has become a supergroup. */
async function sendText(
  account: Account,
  chatId: string,
  text: string,
  buttons: readonly Button[][],
  attempt: Attempt,
): Promise<InChat> {
  if (!isToken(account.token)) {
    return refused(
      "channel",
      "TELEGRAM_BOT_TOKEN is not a bot token (123456:ABC...); copy it from @BotFather into argus.env",
    );
  }
  let to = chatId;
  const parts = splitText(text);
  for (const [index, part] of parts.entries()) {
    const send = (below: readonly Button[][]) =>
      persist("Telegram", attempt, async (leftMs) => {
        const answer = await ask(account, to, part, below, attempt, leftMs);
        if (answer.kind !== "moved") return answer;
        to = answer.chatId;
        const again = await ask(account, to, part, below, attempt, leftMs);
        return again.kind === "moved"
          ? refused("channel", "Telegram says twice that the chat has moved; check TELEGRAM_CHAT_ID")
          : again;
      });
    const below = index === parts.length - 1 ? buttons : [];
    let sent = await send(below);
    // It may be the buttons that it minds: what people must read are the words.
    if (below.length > 0 && sent.kind === "refused" && sent.of === "message") sent = await send([]);
    if (sent.kind !== "sent") return sent;
  }
  return { kind: "in chat", chatId: to };
}

/** Lines stay whole where they can; no character is cut in two. Nothing but blanks is not a message. */
export function splitText(text: string, most = mostCharacters): string[] {
  let rest = text;
  const parts: string[] = [];
  while (rest.length > most) {
    const newline = rest.lastIndexOf("\n", most);
    const isHigh = /[\ud800-\udbff]/.test(rest.charAt(most - 1));
    const end = newline > most / 2 ? newline : isHigh ? most - 1 : most;
    parts.push(rest.slice(0, end));
    // What goes on from the message before does not begin this one.
    rest = newline === end ? rest.slice(end + 1) : `… ${rest.slice(end)}`;
  }
  const said = [...parts, rest].filter((part) => part.trim() !== "");
  return said.length === 0 ? ["(an empty message)"] : said;
}

async function ask(
  account: Account,
  chatId: string,
  text: string,
  buttons: readonly Button[][],
  attempt: Attempt,
  leftMs: number,
): Promise<Asked | { readonly kind: "moved"; readonly chatId: string }> {
  const payload = {
    chat_id: chatId,
    text,
    link_preview_options: { is_disabled: true },
    ...(buttons.length === 0 ? {} : { reply_markup: { inline_keyboard: buttons } }),
  };
  const timeoutMs = Math.min(requestTimeoutMs, Math.max(1, leftMs));
  const { signal, clean, http } = attempt;
  const asked = await askBot(account, "sendMessage", payload, http, { timeoutMs, signal, clean });
  const { status, answer, said } = asked;
  const { retry_after: retryAfter, migrate_to_chat_id: movedTo } = answer?.parameters ?? {};
  if (answer?.ok === true && status === 200) return { kind: "sent", detail: "" };
  if (movedTo !== undefined) return { kind: "moved", chatId: String(movedTo) };
  if (status === 429) {
    const waitSeconds = Math.min(Math.max(1, retryAfter ?? 5), 86_400);
    throw new Temporary(`Telegram asks for a pause of ${waitSeconds} s (429)`, waitSeconds * 1000);
  }
  if (status >= 500) throw new Temporary(`Telegram has trouble of its own (${status}: ${said})`, 0, true);
  // A captive portal answers 200 to everything, a proxy in trouble 403 or 404 for some seconds: only what Telegram says counts.
  if (status < 400 || answer === null) {
    const said = `something else than Telegram answered at TELEGRAM_API_URL (${status})`;
    throw new Temporary(said, 0, true);
  }
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
  if (
    status === 400 &&
    /not enough rights|no rights|administrator|forbidden|restricted|deactivated|topic|thread/i.test(said)
  )
    return refused(
      "channel",
      `${head}; let the bot write in that chat, or choose another TELEGRAM_CHAT_ID in argus.env`,
    );
  // Whatever else it minds may be the fault of this message: a form of it that is taken is looked for.
  if (status === 400 || unfitStatuses.includes(status)) return refused("message", head);
  return refused("channel", `${head}; check TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env`);
}
