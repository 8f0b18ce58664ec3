/** A loopback server that takes everything and does what the test wants next. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As it came, byte for byte. */
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection is reset in the middle of the body. */
  readonly cut?: true;
}

/** `reset` before anything is said; `cut` in the middle of the body; `trickle`: a byte now and then, never an end. */
export type Reply = Answer | "hang" | "reset" | "cut" | "trickle";

export interface WebServer {
  readonly url: string;
  /** What is answered next, in this order; after the last one, `otherwise`. */
  replies: Reply[];
  otherwise: Reply | ((request: Request) => Reply);
  /** Every request, whatever was answered. */
  readonly asked: Request[];
  /** Requests that wait for an answer now. */
  readonly open: () => number;
  close(): Promise<void>;
}

export async function startWebServer(): Promise<WebServer> {
  const open = new Set<ServerResponse>();
  const server = createServer(async (incoming, response) => {
    open.add(response);
    response.once("close", () => open.delete(response));
    let body = "";
    for await (const part of incoming) body += part;
    const { method = "", url: path = "", headers } = incoming;
    const request = { method, path, headers, body };
    web.asked.push(request);
    const otherwise = typeof web.otherwise === "function" ? web.otherwise(request) : web.otherwise;
    const reply = web.replies.shift() ?? otherwise;
    if (reply === "hang") return;
    if (reply === "reset") return void incoming.socket.resetAndDestroy();
    if (reply === "cut" || reply === "trickle") {
      response.writeHead(200, { "content-length": "1000" });
      response.write("t");
      if (reply === "cut") return void setTimeout(() => incoming.socket.resetAndDestroy(), 20);
      const timer = setInterval(() => response.write("t"), 50);
      return void response.once("close", () => clearInterval(timer));
    }
    if (reply.cut) {
      response.writeHead(reply.status, { ...reply.headers, "content-length": "1000" });
      response.write(reply.body ?? "t");
      return void setTimeout(() => incoming.socket.resetAndDestroy(), 20);
    }
    response.writeHead(reply.status, reply.headers ?? {});
    response.end(reply.body ?? "");
  });
  const web: WebServer = {
    url: "",
    replies: [],
    otherwise: { status: 200 },
    asked: [],
    open: () => open.size,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(web, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
