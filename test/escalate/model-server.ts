/** A server on the loopback that speaks the Messages API, and misbehaves when it is told to. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: {
    readonly model: string;
    readonly system: { text: string; cache_control?: unknown }[];
    readonly messages: { role: string; content: string }[];
    readonly output_config?: { format?: { type: string; schema: unknown } };
    readonly [key: string]: unknown;
  };
}

export type Behaviour = (response: ServerResponse, received: Received) => void;

export interface ModelServer {
  readonly url: string;
  readonly received: Received[];
  /** What it does with each request, in this order; the last one is repeated. */
  will(...behaviours: Behaviour[]): void;
  close(): Promise<void>;
}

/** @param at where it listens: an address and port of its own may be left and taken again. */
export async function startModelServer({ host = "127.0.0.1", port = 0 } = {}): Promise<ModelServer> {
  const received: Received[] = [];
  let behaviours: Behaviour[] = [says(reply({}))];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(parts).toString("utf8"));
      const one = { path: request.url ?? "", headers: request.headers, body };
      received.push(one);
      const behave = behaviours.length > 1 ? behaviours.shift() : behaviours[0];
      behave?.(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    received,
    will: (...next) => {
      behaviours = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A whole reply as JSON text, with what is left out filled in. */
export const reply = (parts: Record<string, unknown>): string =>
  JSON.stringify({ assessment: "All is as it seems.", observations: [], actions: [], ...parts });

export const action = (parts: Record<string, unknown>): Record<string, unknown> => ({
  type: "alert",
  target: null,
  message: null,
  problem: "",
  reason: "because 7 > 5",
  confidence: 0.9,
  ...parts,
});

export interface MessageParts {
  readonly stopReason?: string;
  readonly usage?: Record<string, number>;
  readonly content?: unknown;
}

export function message(
  text: string,
  { stopReason = "end_turn", usage, content }: MessageParts = {},
): string {
  return JSON.stringify({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-haiku-5-5",
    content: content ?? [{ type: "text", text }],
    stop_reason: stopReason,
    stop_sequence: null,
    usage: usage ?? {
      input_tokens: 4000,
      output_tokens: 200,
      cache_read_input_tokens: 1500,
      cache_creation_input_tokens: 0,
    },
  });
}

export const sends =
  (status: number, body: string, headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", "request-id": "req_1", ...headers });
    response.end(body);
  };

export const says = (text: string, parts: MessageParts = {}): Behaviour => sends(200, message(text, parts));

export const fails = (
  status: number,
  type: string,
  text: string,
  headers: Record<string, string> = {},
): Behaviour => sends(status, JSON.stringify({ type: "error", error: { type, message: text } }), headers);

/** Accepts, and never answers. */
export const hangs: Behaviour = () => undefined;

/** Answers the head and a part of the body, and cuts the connection. */
export const breaksOff: Behaviour = (response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "5000" });
  response.write(message("x").slice(0, 80), () => response.destroy());
};

/** Sends so many bytes of an answer, as fast as they are taken. @param sent counts what left. */
export const floods =
  (bytes: number, sent: { bytes: number }): Behaviour =>
  (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const chunk = Buffer.alloc(64 * 1024, "a");
    const more = (): void => {
      while (sent.bytes < bytes && !response.destroyed) {
        sent.bytes += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", more);
      }
      response.end();
    };
    more();
  };
