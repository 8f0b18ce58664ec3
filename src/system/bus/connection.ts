/** One connection to a bus, or to systemd itself. */
import { timeLimit } from "../../types/quantities.ts";
import type { BusCall, BusCallOptions, BusConnection, BusListener, BusMessage } from "../system.ts";
import { dial } from "./dial.ts";
import { decodeMessage, encodeCall, messageLength, type Received } from "./message.ts";

const defaultTimeoutMs = 5_000;
const bus = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
};

/** An error reply. Its message is what the other side said, in its words. */
export class BusError extends Error {
  /** Such as `org.freedesktop.systemd1.NoSuchUnit`. */
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(text);
    this.errorName = errorName;
  }
}

interface Waiting {
  resolve(message: BusMessage): void;
  reject(error: Error): void;
}

/**
 * @param isDirect systemd itself listens there, so nobody has to be greeted.
 * @param onLost called once when the connection ends.
 */
export async function openConnection(
  path: string,
  uid: number,
  isDirect: boolean,
  onLost: () => void,
): Promise<BusConnection> {
  const { socket, rest } = await dial(path, uid, defaultTimeoutMs);
  const waiting = new Map<number, Waiting>();
  const listeners = new Set<BusListener>();
  let lost: string | null = null;
  let serial = 0;

  socket.on("error", (error) => {
    lost ??= error.message;
  });
  socket.on("close", () => {
    lost ??= "the connection was closed";
    onLost();
    for (const each of [...waiting.values()]) each.reject(new Error(`${path} was lost: ${lost}`));
    for (const listener of [...listeners]) listener.onLost(lost);
    listeners.clear();
  });

  /** What has come of a message that is not whole yet. Joined when it is: 16 MB come in 256 pieces. */
  let pieces: Buffer[] = [];
  let size = 0;
  let needed = 0;
  function receive(data: Buffer): void {
    pieces.push(data);
    size += data.length;
    if (size < needed) return;
    let bytes = pieces.length === 1 ? data : Buffer.concat(pieces);
    for (needed = messageLength(bytes); bytes.length >= needed; needed = messageLength(bytes)) {
      take(decodeMessage(bytes.subarray(0, needed)));
      bytes = bytes.subarray(needed);
    }
    pieces = bytes.length === 0 ? [] : [bytes];
    size = bytes.length;
  }
  const receiveOrClose = (data: Buffer): void => {
    try {
      receive(data);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };

  function take(message: Received): void {
    if (message.kind === "signal") for (const listener of [...listeners]) listener.onSignal(message);
    const asked = waiting.get(message.replyTo);
    if (message.kind === "reply") asked?.resolve(message);
    if (message.kind === "error") {
      const [text] = message.body();
      asked?.reject(
        new BusError(message.errorName, typeof text === "string" && text !== "" ? text : message.errorName),
      );
    }
  }

  const connection: BusConnection = {
    isDirect,
    call(call: BusCall, { timeoutMs = defaultTimeoutMs, signal }: BusCallOptions = {}) {
      if (lost !== null) return Promise.reject(new Error(`${path} was lost: ${lost}`));
      serial += 1;
      const mine = serial;
      return new Promise<BusMessage>((resolve, reject) => {
        const done = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", cut);
          waiting.delete(mine);
          if (waiting.size === 0) socket.unref();
        };
        const refuse = (error: Error) => {
          done();
          reject(error);
        };
        const cut = () => refuse(new Error(`${call.member} was cut off`));
        const late = () => refuse(new Error(`no answer to ${call.member} within ${timeLimit(timeoutMs)}`));
        const timer = setTimeout(late, timeoutMs);
        const keep = (message: BusMessage) => {
          done();
          resolve(message);
        };
        waiting.set(mine, { resolve: keep, reject: refuse });
        signal?.addEventListener("abort", cut, { once: true });
        if (signal?.aborted === true) return cut();
        socket.ref();
        socket.write(encodeCall(call, mine, isDirect));
      });
    },
    listen(listener) {
      if (lost !== null) listener.onLost(lost);
      else listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  socket.on("data", receiveOrClose);
  if (rest.length > 0) receiveOrClose(rest);
  try {
    if (!isDirect) await connection.call({ ...bus, member: "Hello" });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  socket.unref();
  return connection;
}
