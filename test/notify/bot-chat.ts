/** A loopback server that speaks the Bot API in both directions, with people who write to the bot and press its buttons. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const token = "123456:ABC-DEF_ghi";

export interface Sent {
  readonly chat: string;
  readonly text: string;
  readonly isFixed: boolean;
  /** Texts and data of the buttons below it. */
  readonly buttons: readonly { readonly text: string; readonly callback_data: string }[];
}

export interface BotChat {
  readonly url: string;
  readonly sent: Sent[];
  /** Ids of presses that were answered. */
  readonly answered: string[];
  /** `offset` of each getUpdates. */
  readonly polls: number[];
  /** Methods whose next answer is this instead. */
  readonly next: Map<string, { status: number; body: unknown }>;
  says(user: number, text: string, more?: { chat?: number; secondsAgo?: number; type?: string }): void;
  presses(user: number, data: string, chat?: number): void;
  close(): Promise<void>;
}

export async function startBotChat(): Promise<BotChat> {
  const updates: { update_id: number }[] = [];
  const waiting: { offset: number; response: ServerResponse }[] = [];
  let lastId = 700;

  const reply = (response: ServerResponse, status: number, body: unknown) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  const flush = () => {
    for (const one of waiting.splice(0)) {
      const news = updates.filter(({ update_id: id }) => id >= one.offset);
      if (news.length === 0) waiting.push(one);
      else reply(one.response, 200, { ok: true, result: news });
    }
  };
  const add = (update: object) => {
    lastId += 1;
    updates.push({ update_id: lastId, ...update });
    flush();
  };

  const server = createServer(async (request, response) => {
    const method = request.url?.split("/").at(-1) ?? "";
    const body = JSON.parse(await bodyOf(request));
    const other = chat.next.get(method);
    if (other !== undefined) {
      chat.next.delete(method);
      return reply(response, other.status, other.body);
    }
    if (request.url !== `/bot${token}/${method}`)
      return reply(response, 404, { ok: false, error_code: 404, description: "Not Found" });
    if (method === "getUpdates") {
      chat.polls.push(body.offset);
      waiting.push({ offset: body.offset, response });
      response.on("close", () => {
        const index = waiting.findIndex((one) => one.response === response);
        if (index >= 0) waiting.splice(index, 1);
      });
      return flush();
    }
    if (method === "answerCallbackQuery") chat.answered.push(body.callback_query_id);
    if (method === "sendMessage") {
      const rows = body.reply_markup?.inline_keyboard ?? [];
      chat.sent.push({
        chat: String(body.chat_id),
        text: body.text,
        isFixed: body.entities?.[0]?.type === "pre",
        buttons: rows.flat(),
      });
    }
    reply(response, 200, { ok: true, result: true });
  });

  const chat: BotChat = {
    url: "",
    sent: [],
    answered: [],
    polls: [],
    next: new Map(),
    says(user, text, { chat: id = user, secondsAgo = 0, type } = {}) {
      const date = Math.floor(Date.now() / 1000) - secondsAgo;
      const where = { id, type: type ?? (id === user ? "private" : "group") };
      const from = { id: user, username: `user${user}` };
      add({ message: { message_id: lastId, date, chat: where, from, text } });
    },
    presses(user, data, id = user) {
      const message = { message_id: 1, chat: { id, type: id === user ? "private" : "group" } };
      add({
        callback_query: { id: `press-${lastId}`, from: { id: user, first_name: "Ann" }, data, message },
      });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(chat, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request) text += part;
  return text;
}
