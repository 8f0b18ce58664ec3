/** The asking end of a link: connects when it is first needed, and again after a loss. */

import { connect, type Socket } from "node:net";
import { timeLimit } from "../../types/quantities.ts";
import { Answered, frameOf, maxReplyBytes, maxRequestBytes, receive, send, silenceMs } from "./frames.ts";

export interface Link {
  /** Rejects with one sentence when the other end cannot be reached, is lost, or answers with an error. */
  ask(method: string, params: unknown, signal?: AbortSignal): Promise<unknown>;
  close(): void;
}

/** The other end, or the way to it, is not there: nobody knows whether what was asked for was done. */
export class LinkLost extends Error {
  /** Whether the request had left. */
  readonly sent: boolean;
  constructor(message: string, sent: boolean) {
    super(message);
    this.sent = sent;
  }
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

const connectMs = 5_000;

/** @param path of a unix socket. */
export function createLink(path: string): Link {
  let connection: Promise<Connection> | null = null;
  let nextId = 0;

  async function connected(): Promise<Connection> {
    connection ??= open(path, () => {
      connection = null;
    });
    return connection;
  }

  return {
    async ask(method, params, signal) {
      const id = nextId;
      nextId += 1;
      const frame = frameOf({ id, method, params });
      const bytes = Buffer.byteLength(frame);
      if (bytes > maxRequestBytes)
        throw new Error(`the request has ${bytes} bytes, and ${maxRequestBytes} are allowed`);
      const { socket, waiting } = await connected();
      return new Promise((resolve, reject) => {
        const cancel = () => send(socket, { id, cancel: true });
        const done = () => {
          signal?.removeEventListener("abort", cancel);
          waiting.delete(id);
          // An open connection alone must not keep a command from ending.
          if (waiting.size === 0) socket.unref();
        };
        waiting.set(id, {
          resolve: (result) => {
            done();
            resolve(result);
          },
          reject: (error) => {
            done();
            reject(error);
          },
        });
        socket.ref();
        socket.write(frame);
        signal?.addEventListener("abort", cancel, { once: true });
        if (signal?.aborted === true) cancel();
      });
    },
    close() {
      connection?.then(({ socket }) => socket.destroy()).catch(() => undefined);
    },
  };
}

interface Connection {
  readonly socket: Socket;
  readonly waiting: Map<number, Waiting>;
}

function open(path: string, onLost: () => void): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const waiting = new Map<number, Waiting>();
    let why = "the connection was closed";
    let stood = false;
    const timer = setTimeout(() => socket.destroy(new Error("no answer within 5 s")), connectMs);
    const heard = () => {
      socket.setTimeout(silenceMs);
    };
    socket.on("connect", () => {
      stood = true;
      clearTimeout(timer);
      resolve({ socket, waiting });
    });
    socket.on("timeout", () => {
      if (waiting.size > 0) socket.destroy(new Error(`it said nothing for ${timeLimit(silenceMs)}`));
    });
    socket.on("data", heard);
    socket.on("error", (error) => {
      why = error.message;
    });
    socket.on("close", () => {
      clearTimeout(timer);
      onLost();
      if (!stood) reject(new LinkLost(`${path} cannot be reached: ${why}`, false));
      for (const each of [...waiting.values()])
        each.reject(new LinkLost(`the connection to ${path} was lost: ${why}`, true));
    });
    heard();
    receive(socket, { schema: Answered, maxBytes: maxReplyBytes }, (answered) => {
      if ("beat" in answered) return;
      const asked = waiting.get(answered.id);
      if ("error" in answered) asked?.reject(new Error(answered.error));
      else asked?.resolve(answered.result);
    });
  });
}
