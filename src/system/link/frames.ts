/** The frames of a link between two processes of Argus: one JSON object a line, over a unix socket. */
import type { Socket } from "node:net";
import * as z from "zod";
import { stringify } from "../printable.ts";

/** A cycle with 5,000 processes asks about some 40 kB, a hand-off about 270 kB: no request comes near this. */
export const maxRequestBytes = 1024 * 1024;
/** No reply comes near this. */
export const maxReplyBytes = 8 * 1024 * 1024;
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

export const frameOf = (frame: Asked | Answered): string => `${stringify(frame)}\n`;

export function send(socket: Socket, frame: Asked | Answered): void {
  if (!socket.destroyed) socket.write(frameOf(frame));
}

/** Calls back for each whole frame with its size; ends the connection with one sentence for what is none. */
export function receive<T>(
  socket: Socket,
  { schema, maxBytes }: { readonly schema: z.ZodType<T>; readonly maxBytes: number },
  onFrame: (frame: T, bytes: number) => void,
): void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  const refuse = (why: string) => socket.destroy(new Error(why));
  const take = (part: Buffer): boolean => {
    bytes += part.length;
    if (bytes > maxBytes) refuse(`a frame is longer than ${maxBytes} bytes`);
    else chunks.push(part);
    return bytes <= maxBytes;
  };
  socket.on("data", (data: Buffer) => {
    let from = 0;
    for (let end = data.indexOf(10); end >= 0 && !socket.destroyed; end = data.indexOf(10, from)) {
      if (!take(data.subarray(from, end))) return;
      from = end + 1;
      const text = Buffer.concat(chunks).toString("utf8");
      const size = bytes;
      chunks = [];
      bytes = 0;
      const frame = parse(text, schema);
      if (frame === null) return refuse("what came over the socket is no frame of Argus");
      onFrame(frame, size);
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
