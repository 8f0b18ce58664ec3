/**
 * A program that sleeps for ever, whatever its arguments are: 150 bytes, so that hundreds of them cost nothing. A copy
 * by the name of node is all that Argus can see of one, while no real program but node takes `--test`. A signal that
 * its starter ignores, it ignores too (execve(2)).
 */
import { writeFileSync } from "node:fs";

/** ELF's number of the machine, and code that calls pause(2), or ppoll(2) where there is no such call, again and again. */
const machines: Readonly<Record<string, readonly [number: number, code: string]>> = {
  // mov eax, 34; syscall; jmp back
  x64: [62, "b822000000" + "0f05" + "ebf7"],
  // mov x0..x3, 0; mov x8, 73; svc 0; b back
  arm64: [183, "000080d2" + "010080d2" + "020080d2" + "030080d2" + "280980d2" + "010000d4" + "faffff17"],
};

export function writeIdleProgram(path: string): void {
  const machine = machines[process.arch];
  if (machine === undefined) throw new Error(`there is no idle program for ${process.arch}`);
  const [number, text] = machine;
  const code = Buffer.from(text, "hex");
  const headers = 64 + 56;
  const base = 0x400000n;
  const file = Buffer.alloc(headers);
  file.write("\x7fELF", "latin1");
  // 64 bits, little-endian, version 1
  file.set([2, 1, 1], 4);
  // an executable
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(number, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(base + BigInt(headers), 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  // one segment, loaded, readable and executable
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  file.writeBigUInt64LE(0n, 72);
  file.writeBigUInt64LE(base, 80);
  file.writeBigUInt64LE(base, 88);
  file.writeBigUInt64LE(BigInt(headers + code.length), 96);
  file.writeBigUInt64LE(BigInt(headers + code.length), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  writeFileSync(path, Buffer.concat([file, code]), { mode: 0o755 });
}
