/** The answering end of a link. Who may connect is the socket's file mode; what may be asked is the handler's business. */
import { chmodSync, closeSync, constants, fstatSync, openSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import * as z from "zod";
import { openPath } from "../safe-tree.ts";
import { Asked, beatMs, maxReplyBytes, maxRequestBytes, receive, send } from "./frames.ts";

/** @returns plain JSON. An error's message is the answer to whoever asked. */
export type Handler = (method: string, params: unknown, signal: AbortSignal) => Promise<unknown>;

export interface LinkServer {
  /** No new connections; what is asked is cut off and still answered; resolves when every connection has ended. */
  close(): Promise<void>;
}

/** One Argus needs one connection; a command beside it another. */
const maxConnections = 16;
/** Over all connections. A daemon asks some three things at once, and MemoryMax= of the server is 256 MB. */
const maxOpenRequests = 64;
const maxOpenBytes = 4 * maxRequestBytes;
/** A reply and the next one, over all connections: whoever asks and does not read is not answered any more. */
const maxUnreadBytes = 2 * maxReplyBytes;

const notRead = "whoever asks does not read the answers";

/**
 * @param at a descriptor that listens already (socket activation, sd_listen_fds(3)), or a path to make the socket at,
 *   for its owner alone.
 * @param onFault one sentence about a connection that was ended.
 */
export function serveLink(
  at: { readonly fd: number } | { readonly path: string },
  handler: Handler,
  onFault: (sentence: string) => void,
): Promise<LinkServer> {
  /** Each with what is asked over it. */
  const sockets = new Map<Socket, Map<number, AbortController>>();
  let isClosing = false;
  let openRequests = 0;
  let openBytes = 0;
  const server = createServer((socket) => {
    const requests = new Map<number, AbortController>();
    sockets.set(socket, requests);
    let beat: NodeJS.Timeout | undefined;
    socket.on("error", (error) => onFault(error.message));
    socket.on("close", () => {
      clearInterval(beat);
      sockets.delete(socket);
      for (const request of requests.values()) request.abort();
    });
    receive(socket, { schema: Asked, maxBytes: maxRequestBytes }, (asked, bytes) => {
      const open = requests.get(asked.id);
      if ("cancel" in asked) return open?.abort();
      if (isClosing) return;
      if (open !== undefined) return socket.destroy(new Error(`request ${asked.id} was sent twice`));
      if (openRequests >= maxOpenRequests || openBytes + bytes > maxOpenBytes)
        return socket.destroy(new Error("too much was asked at once"));
      if (isHoarding(socket)) return socket.destroy(new Error(notRead));
      openRequests += 1;
      openBytes += bytes;
      const controller = new AbortController();
      requests.set(asked.id, controller);
      beat ??= setInterval(() => send(socket, { beat: true }), beatMs);
      void answer(handler, asked.method, asked.params, controller.signal).then((answered) => {
        requests.delete(asked.id);
        openRequests -= 1;
        openBytes -= bytes;
        if (requests.size === 0) beat = void clearInterval(beat);
        if (isHoarding(socket)) socket.destroy(new Error(notRead));
        send(socket, { id: asked.id, ...answered });
        if (isClosing && requests.size === 0) socket.destroySoon();
      });
    });
  });
  server.maxConnections = maxConnections;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const ready = () => {
      if ("path" in at) closeToOthers(at.path);
      server.off("error", reject);
      server.on("error", (error) => onFault(error.message));
      resolve({ close: () => close() });
    };
    // Made unreachable for others from its first moment on; chmod alone would leave one.
    const mask = process.umask(0o177);
    server.listen("path" in at ? at.path : { fd: at.fd }, ready);
    process.umask(mask);
  });

  /** Sixteen connections with a limit of their own each came to 256 MB. One that reads has nothing unread by now. */
  function isHoarding(socket: Socket): boolean {
    if (socket.writableLength === 0) return false;
    let unreadBytes = 0;
    for (const each of sockets.keys()) unreadBytes += each.writableLength;
    return unreadBytes > maxUnreadBytes;
  }

  function close(): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve());
      isClosing = true;
      for (const [socket, requests] of sockets) {
        if (requests.size === 0) socket.destroySoon();
        for (const request of requests.values()) request.abort();
      }
    });
  }
}

/** Not through its path, which may lead elsewhere by now: chmod(2) follows links. */
function closeToOthers(path: string): void {
  const descriptor = openSync(path, openPath | constants.O_NOFOLLOW);
  try {
    if (fstatSync(descriptor).isSocket()) chmodSync(`/proc/self/fd/${descriptor}`, 0o600);
  } finally {
    closeSync(descriptor);
  }
}

async function answer(handler: Handler, method: string, params: unknown, signal: AbortSignal) {
  try {
    return { result: (await handler(method, params, signal)) ?? null };
  } catch (error) {
    return { error: sentenceOf(error) };
  }
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error);
  const [issue] = error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  return `the request is not understood: ${where}${issue?.message ?? "it has another shape"}`;
}
