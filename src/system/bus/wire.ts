/** Values as the D-Bus specification marshals them ("Marshaling (Wire Format)"): each aligned to its own size. Pure. */
import { stringify } from "../printable.ts";
import type { BusValue } from "../system.ts";

/** The specification allows 32 containers of each kind inside one another. */
const maxDepth = 32;
/** A bigger array is a fault of the sender: the specification's own limit is 64 MiB. */
const maxArrayBytes = 16 * 1024 * 1024;

const alignments: Readonly<Record<string, number>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  h: 4,
  s: 4,
  o: 4,
  a: 4,
  x: 8,
  t: 8,
  d: 8,
  "(": 8,
  "{": 8,
};

export const alignmentOf = (type: string): number => {
  const alignment = alignments[type.charAt(0)];
  if (alignment === undefined) throw new Error(`a D-Bus message names the unknown type ${stringify(type)}`);
  return alignment;
};

/** `a{sv}u` -> `a{sv}`, `u`. Throws one sentence for what is no signature. */
export function typesOf(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOfType(signature, at, 0);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

function endOfType(signature: string, at: number, depth: number): number {
  const code = signature.charAt(at);
  if (depth > maxDepth) throw new Error("a D-Bus message nests deeper than 32 containers");
  alignmentOf(code);
  if (code === "a") return endOfType(signature, at + 1, depth + 1);
  if (code !== "(" && code !== "{") return at + 1;
  const close = code === "(" ? ")" : "}";
  let next = at + 1;
  // The specification forbids it, and an array of what takes no room would have no end.
  if (signature.charAt(next) === close) throw new Error("a D-Bus message names an empty struct");
  while (signature.charAt(next) !== close) next = endOfType(signature, next, depth + 1);
  return next + 1;
}

const padding = (offset: number, alignment: number): number => (alignment - (offset % alignment)) % alignment;

/** Little-endian. @param body in the order of the signature's types; a variant is `[type, value]`. */
export function encode(signature: string, body: readonly unknown[]): Buffer {
  const parts: Buffer[] = [];
  let offset = 0;
  const add = (part: Buffer): void => {
    parts.push(part);
    offset += part.length;
  };
  const align = (alignment: number) => add(Buffer.alloc(padding(offset, alignment)));
  const number = (bytes: number, write: (buffer: Buffer) => void) => {
    align(bytes);
    const buffer = Buffer.alloc(bytes);
    write(buffer);
    add(buffer);
  };
  const text = (value: string) => {
    number(4, (buffer) => buffer.writeUInt32LE(Buffer.byteLength(value)));
    add(Buffer.from(`${value}\0`));
  };
  const put = (type: string, value: unknown): unknown => {
    switch (type.charAt(0)) {
      case "y":
        return add(Buffer.of(Number(value)));
      case "b":
        return number(4, (buffer) => buffer.writeUInt32LE(value === true ? 1 : 0));
      case "n":
        return number(2, (buffer) => buffer.writeInt16LE(Number(value)));
      case "q":
        return number(2, (buffer) => buffer.writeUInt16LE(Number(value)));
      case "i":
        return number(4, (buffer) => buffer.writeInt32LE(Number(value)));
      case "u":
      case "h":
        return number(4, (buffer) => buffer.writeUInt32LE(Number(value)));
      case "x":
        return number(8, (buffer) => buffer.writeBigInt64LE(BigInt(value as bigint)));
      case "t":
        return number(8, (buffer) => buffer.writeBigUInt64LE(BigInt(value as bigint)));
      case "d":
        return number(8, (buffer) => buffer.writeDoubleLE(Number(value)));
      case "s":
      case "o":
        return text(String(value));
      case "g":
        return add(Buffer.from(`${String.fromCharCode(String(value).length)}${value}\0`));
      case "v": {
        const [inner, held] = value as readonly [string, unknown];
        put("g", inner);
        return put(inner, held);
      }
      case "a": {
        const element = type.slice(1);
        align(4);
        const length = Buffer.alloc(4);
        add(length);
        align(alignmentOf(element));
        const start = offset;
        for (const each of value as readonly unknown[]) put(element, each);
        length.writeUInt32LE(offset - start);
        return null;
      }
      default: {
        align(8);
        const fields = typesOf(type.slice(1, -1));
        for (const [index, field] of fields.entries()) put(field, (value as readonly unknown[])[index]);
      }
    }
  };
  for (const [index, type] of typesOf(signature).entries()) put(type, body[index]);
  return Buffer.concat(parts);
}

/** Throws one sentence for bytes that are not what the signature says. @returns the values and where they end. */
export function decode(
  signature: string,
  bytes: Buffer,
  littleEndian: boolean,
  from = 0,
): { readonly values: BusValue[]; readonly end: number } {
  let at = from;
  const take = (length: number): number => {
    const start = at;
    if (length > bytes.length - at) throw new Error("a D-Bus message ends in the middle of a value");
    at += length;
    return start;
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const align = (alignment: number) => void take(padding(at, alignment));
  const number = <T>(size: number, read: (offset: number, littleEndian: boolean) => T): T => {
    align(size);
    return read(take(size), littleEndian);
  };
  const unsigned = () => number(4, (offset, little) => view.getUint32(offset, little));
  const text = (length: number): string => {
    const start = take(length + 1);
    return bytes.toString("utf8", start, start + length);
  };
  const get = (type: string, depth: number): BusValue => {
    if (depth > 2 * maxDepth) throw new Error("a D-Bus message nests deeper than 64 containers");
    switch (type.charAt(0)) {
      case "y":
        return view.getUint8(take(1));
      case "b":
        return unsigned() !== 0;
      case "n":
        return number(2, (offset, little) => view.getInt16(offset, little));
      case "q":
        return number(2, (offset, little) => view.getUint16(offset, little));
      case "i":
        return number(4, (offset, little) => view.getInt32(offset, little));
      case "u":
      case "h":
        return unsigned();
      case "x":
        return number(8, (offset, little) => view.getBigInt64(offset, little));
      case "t":
        return number(8, (offset, little) => view.getBigUint64(offset, little));
      case "d":
        return number(8, (offset, little) => view.getFloat64(offset, little));
      case "s":
      case "o":
        return text(unsigned());
      case "g":
        return text(view.getUint8(take(1)));
      case "v": {
        const [inner, ...more] = typesOf(text(view.getUint8(take(1))));
        if (inner === undefined || more.length > 0)
          throw new Error("a D-Bus variant holds more or less than one value");
        return get(inner, depth + 1);
      }
      case "a": {
        const element = type.slice(1);
        const length = unsigned();
        if (length > maxArrayBytes) throw new Error(`a D-Bus array is longer than ${maxArrayBytes} bytes`);
        align(alignmentOf(element));
        const end = at + length;
        const values: BusValue[] = [];
        while (at < end) values.push(get(element, depth + 1));
        if (at !== end) throw new Error("a D-Bus array is not as long as it says");
        return values;
      }
      default:
        align(8);
        return typesOf(type.slice(1, -1)).map((field) => get(field, depth + 1));
    }
  };
  const values = typesOf(signature).map((type) => get(type, 0));
  return { values, end: at };
}
