/** A loopback server that speaks the Bot API, and does what the test wants next. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const token = "123456:ABC-DEF_ghi";

export type Reply = "ok" | "hang" | "reset" | { readonly status: number; readonly body: unknown };

export interface BotApi {
  readonly url: string;
  /** What is answered next, in this order; after the last one, `ok`. */
  replies: Reply[];
  /** Texts confirmed, by chat. */
  readonly told: { chat: string; text: string }[];
  /** Every request, confirmed or not. */
  readonly asked: { path: string; chat: string; text: string; at: number }[];
  close(): Promise<void>;
}

export const refusal = (status: number, description: string, parameters?: unknown): Reply => ({
  status,
  body: { ok: false, error_code: status, description, ...(parameters === undefined ? {} : { parameters }) },
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request) text += part;
  return text;
}

export async function startBotApi(): Promise<BotApi> {
  const hanging = new Set<ServerResponse>();
  const api: BotApi = { url: "", replies: [], told: [], asked: [], close: () => stop(server, hanging) };
  const server = createServer(async (request, response) => {
    const { chat_id: chat, text } = JSON.parse(await bodyOf(request));
    api.asked.push({ path: request.url ?? "", chat, text, at: performance.now() });
    const reply = api.replies.shift() ?? "ok";
    if (reply === "hang") return void hanging.add(response);
    if (reply === "reset") return void request.socket.resetAndDestroy();
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    if (reply !== "ok") return answer(reply.status, reply.body);
    if (request.url !== `/bot${token}/sendMessage`)
      return answer(404, { ok: false, error_code: 404, description: "Not Found" });
    if (text.trim() === "" || text.length > 4096)
      return answer(400, { ok: false, error_code: 400, description: "Bad Request: message is too long" });
    api.told.push({ chat, text });
    answer(200, { ok: true, result: { message_id: api.told.length } });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(api, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function stop(server: Server, hanging: ReadonlySet<ServerResponse>): Promise<void> {
  for (const response of hanging) response.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}
