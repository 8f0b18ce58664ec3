/** One connection to a bus, or to systemd itself. */
import { connect, type Socket } from "node:net";
import type { BusCall, BusCallOptions, BusConnection, BusListener, BusMessage } from "../system.ts";
import { decodeMessage, encodeCall, type Received } from "./message.ts";

const defaultTimeoutMs = 5_000;
const bus = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
};

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
  const socket = await dial(path, uid);
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
  let received: Buffer = Buffer.alloc(0);
  socket.on("data", (data: Buffer) => {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    try {
      for (let next = decodeMessage(received); next !== null; next = decodeMessage(received)) {
        received = received.subarray(next.length);
        take(next.message);
      }
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });

  function take(message: Received): void {
    if (message.kind === "signal") for (const listener of [...listeners]) listener.onSignal(message);
    const asked = waiting.get(message.replyTo);
    if (message.kind === "reply") asked?.resolve(message);
    if (message.kind === "error") {
      const [text] = message.body();
      asked?.reject(new Error(typeof text === "string" ? text : message.errorName));
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
        const late = () => refuse(new Error(`no answer to ${call.member} within ${timeoutMs / 1000} s`));
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
  if (!isDirect) await connection.call({ ...bus, member: "Hello" });
  socket.unref();
  return connection;
}

/** Connects and says who we are ("Authentication Protocol", mechanism EXTERNAL): the kernel vouches for it. */
function dial(path: string, uid: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const refuse = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => refuse(new Error(`${path} did not answer within 5 s`)), defaultTimeoutMs);
    const hangUp = () => refuse(new Error(`${path} closed the connection`));
    let said = "";
    const hear = (data: Buffer) => {
      said += data.toString("latin1");
      if (!said.includes("\r\n"))
        return said.length > 4096 ? refuse(new Error(`${path} speaks no D-Bus`)) : undefined;
      if (!said.startsWith("OK "))
        return refuse(new Error(`${path} does not let this user in: ${said.trim()}`));
      clearTimeout(timer);
      socket.off("data", hear);
      socket.off("error", refuse);
      socket.off("close", hangUp);
      resolve(socket);
    };
    socket.on("error", refuse);
    socket.on("close", hangUp);
    socket.on("data", hear);
    // BEGIN in the same write: systemd 252 that reads it together with the first call forgets that call until
    // something more comes (one connection in twenty).
    const hello = `\0AUTH EXTERNAL ${Buffer.from(String(uid)).toString("hex")}\r\nBEGIN\r\n`;
    socket.on("connect", () => socket.write(hello));
  });
}
