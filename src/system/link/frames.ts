/** The frames of a link between two processes of Argus: one JSON object a line, over a unix socket. */
import type { Socket } from "node:net";
import * as z from "zod";
import { stringify } from "../printable.ts";

/** A cycle with 5,000 processes asks about some 40 kB; no request and no reply comes near this. */
export const maxFrameBytes = 8 * 1024 * 1024;
/** While a request is at work, the server says so this often. */
export const beatMs = 5_000;
/** Nothing heard for so long: the other side hangs. */
export const silenceMs = 60_000;

/** `cancel`: whoever asked does not wait any longer, and what can be cut short should be. */
export const Asked = z.union([
  z.strictObject({ id: z.int().nonnegative(), method: z.string().max(64), params: z.unknown() }),
  z.strictObject({ id: z.int().nonnegative(), cancel: z.literal(true) }),
]);
export type Asked = z.infer<typeof Asked>;

export const Answered = z.union([
  z.strictObject({ id: z.int(), result: z.unknown() }),
  z.strictObject({ id: z.int(), error: z.string() }),
  z.strictObject({ beat: z.literal(true) }),
]);
export type Answered = z.infer<typeof Answered>;

export function send(socket: Socket, frame: Asked | Answered): void {
  if (!socket.destroyed) socket.write(`${stringify(frame)}\n`);
}

/** Calls back for each whole frame; ends the connection with one sentence for what is none. */
export function receive<T>(socket: Socket, schema: z.ZodType<T>, onFrame: (frame: T) => void): void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  const refuse = (why: string) => socket.destroy(new Error(why));
  const take = (part: Buffer): boolean => {
    bytes += part.length;
    if (bytes > maxFrameBytes) refuse(`a frame is longer than ${maxFrameBytes} bytes`);
    else chunks.push(part);
    return bytes <= maxFrameBytes;
  };
  socket.on("data", (data: Buffer) => {
    let from = 0;
    for (let end = data.indexOf(10); end >= 0 && !socket.destroyed; end = data.indexOf(10, from)) {
      if (!take(data.subarray(from, end))) return;
      from = end + 1;
      const text = Buffer.concat(chunks).toString("utf8");
      chunks = [];
      bytes = 0;
      const frame = parse(text, schema);
      if (frame === null) return refuse("what came over the socket is no frame of Argus");
      onFrame(frame);
    }
    take(data.subarray(from));
  });
}

function parse<T>(text: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
