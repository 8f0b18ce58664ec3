/** Whole D-Bus messages ("Message Format" of the specification): bytes in and out. Pure. */
import type { BusCall, BusMessage } from "../system.ts";
import { pick } from "./pick.ts";
import { decode, encode } from "./wire.ts";

/** The answer about 200 failed units is some 100 kB; the specification allows 128 MiB. */
const maxMessageBytes = 16 * 1024 * 1024;

const kinds = ["", "call", "reply", "error", "signal"] as const;
const fixedBytes = 16;
const littleMark = "l".charCodeAt(0);
const bigMark = "B".charCodeAt(0);

export interface Received extends BusMessage {
  /** The call that it answers; 0: none. */
  readonly replyTo: number;
}

export function encodeCall(call: BusCall, serial: number, isDirect: boolean): Buffer {
  const { signature = "", body = [] } = call;
  const bytes = encode(signature, body);
  const fields: unknown[] = [
    [1, ["o", call.path]],
    [2, ["s", call.interface]],
    [3, ["s", call.member]],
    ...(isDirect ? [] : [[6, ["s", call.destination]]]),
    ...(signature === "" ? [] : [[8, ["g", signature]]]),
  ];
  const header = encode("yyyyuua(yv)", [littleMark, 1, 0, 1, bytes.length, serial, fields]);
  return Buffer.concat([header, Buffer.alloc((8 - (header.length % 8)) % 8), bytes]);
}

/** Bytes of the message that begins here: 16, the least, while less is known. Throws one sentence for what is none. */
export function messageLength(bytes: Buffer): number {
  if (bytes.length < fixedBytes) return fixedBytes;
  const { headBytes, bodyBytes } = sizesOf(bytes);
  const length = headBytes + bodyBytes;
  if (length > maxMessageBytes) throw new Error(`a D-Bus message is longer than ${maxMessageBytes} bytes`);
  return length;
}

function sizesOf(bytes: Buffer): { littleEndian: boolean; headBytes: number; bodyBytes: number } {
  const order = bytes[0];
  if (order !== littleMark && order !== bigMark)
    throw new Error("what came over the bus is no D-Bus message");
  const littleEndian = order === littleMark;
  const number = (at: number) => (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  return { littleEndian, headBytes: Math.ceil((fixedBytes + number(12)) / 8) * 8, bodyBytes: number(4) };
}

/** @param bytes one whole message. Throws one sentence for what is none. */
export function decodeMessage(bytes: Buffer): Received {
  const { littleEndian, headBytes } = sizesOf(bytes);
  const kind = kinds[bytes[1] ?? 0];
  if (kind === undefined || kind === "") throw new Error("what came over the bus is no D-Bus message");
  const { values } = decode("a(yv)", bytes.subarray(0, headBytes), littleEndian, fixedBytes - 4);
  const fields = new Map(
    (values[0] as readonly (readonly [number, unknown])[]).map(([code, value]) => [code, value]),
  );
  const text = (code: number): string => {
    const value = fields.get(code);
    return typeof value === "string" ? value : "";
  };
  const signature = text(8);
  const body = bytes.subarray(headBytes);
  return {
    kind,
    path: text(1),
    interface: text(2),
    member: text(3),
    errorName: text(4),
    replyTo: Number(fields.get(5) ?? 0),
    sender: text(7),
    // Most signals concern nobody here: their bodies are not looked at.
    body: () => decode(signature, body, littleEndian).values,
    properties(wanted) {
      if (signature !== "a{sv}")
        throw new Error(`the bus answered with "${signature}" in place of properties`);
      return pick(body, littleEndian, wanted);
    },
  };
}
