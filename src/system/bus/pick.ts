/**
 * A few entries of a dictionary, without a look at the values of the others: of a service systemd tells 401
 * properties, of which Argus wants 15. To decode all of them costs five times as much.
 */
import type { BusValue } from "../system.ts";
import { alignmentOf, decode, typesOf } from "./wire.ts";

/**
 * @param bytes a body of type `a{sv}`.
 * Throws one sentence for bytes that are no such dictionary. Of what comes twice, the last counts.
 */
export function pick(
  bytes: Buffer,
  littleEndian: boolean,
  wanted: ReadonlySet<string>,
): Map<string, BusValue> {
  const broken = () => new Error("a D-Bus message ends in the middle of a value");
  /** Where the length's own four bytes end is where it counts from. */
  const lengthAt = (at: number): number => {
    if (at + 4 > bytes.length) throw broken();
    return littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  };
  const aligned = (at: number, alignment: number) => Math.ceil(at / alignment) * alignment;

  /** @returns where the value ends. What lies past the end is found by whoever reads there, at last by pick itself. */
  const skip = (type: string, at: number, depth: number): number => {
    if (depth > 64) throw new Error("a D-Bus message nests deeper than 64 containers");
    switch (type.charAt(0)) {
      case "s":
      case "o": {
        const start = aligned(at, 4);
        return start + 4 + lengthAt(start) + 1;
      }
      case "a": {
        const start = aligned(at, 4);
        return aligned(start + 4, alignmentOf(type.charAt(1))) + lengthAt(start);
      }
      case "g":
        return at + 2 + (bytes[at] ?? 0);
      case "v":
        return skipVariant(at, depth + 1);
      case "(":
      case "{": {
        let next = aligned(at, 8);
        for (const field of typesOf(type.slice(1, -1))) next = skip(field, next, depth + 1);
        return next;
      }
      default: {
        const size = alignmentOf(type);
        return aligned(at, size) + size;
      }
    }
  };
  const skipVariant = (at: number, depth: number): number => {
    const size = bytes[at];
    if (size === undefined) throw broken();
    const start = at + 1;
    const type = bytes.toString("latin1", start, start + size);
    if (size === 1) return skip(type, start + 2, depth);
    const [inner, ...more] = typesOf(type);
    if (inner === undefined || more.length > 0)
      throw new Error("a D-Bus variant holds more or less than one value");
    return skip(inner, start + size + 1, depth);
  };

  const picked = new Map<string, BusValue>();
  let at = 8;
  const end = at + lengthAt(0);
  if (end !== bytes.length) throw new Error("a D-Bus array is not as long as it says");
  while (at < end) {
    at = aligned(at, 8);
    const start = at + 4;
    const stop = start + lengthAt(at);
    const name = bytes.toString("latin1", start, stop);
    at = stop + 1;
    if (!wanted.has(name)) at = skipVariant(at, 0);
    else {
      const { values, end: next } = decode("v", bytes, littleEndian, at);
      for (const value of values) picked.set(name, value);
      at = next;
    }
    if (at > end) throw broken();
  }
  return picked;
}
