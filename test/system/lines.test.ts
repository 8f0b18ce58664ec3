/** Reading by pieces must give the lines that reading the whole text gives, wherever a piece ends. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import { linesNewestFirst, linesOldestFirst } from "../../src/system/lines.ts";

const files = createFiles("/");
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "argus-lines-"));
  path = join(directory, "x.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Characters of one to four bytes, half a character, both ends of a line. */
const bytes = fc
  .array(fc.constantFrom("a", "é", "–", "𝄞", "\n", "\r\n", "\xff"), { maxLength: 60 })
  .map((parts) =>
    Buffer.concat(parts.map((part) => (part === "\xff" ? Buffer.from([0xe2, 0x80]) : Buffer.from(part)))),
  );

it("gives the lines of the whole text, forwards and backwards, in pieces of any size", () => {
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 40 }), (content, pieceBytes) => {
      writeFileSync(path, content);
      const whole = content
        .toString()
        .split("\n")
        .filter((line) => line !== "");
      expect([...linesOldestFirst(files, [path], { pieceBytes })]).toEqual(whole);
      expect([...linesNewestFirst(files, path, 0, { pieceBytes })]).toEqual(whole.reverse());
    }),
    { numRuns: 1000 },
  );
});

it("passes over a line that is longer than may be, and says so once for each", () => {
  writeFileSync(path, `first\n${"x".repeat(1000)}\nsecond\n${"y".repeat(101)}`);
  let tooLong = 0;
  const options = {
    pieceBytes: 64,
    longestBytes: 100,
    onTooLong: () => {
      tooLong += 1;
    },
  };
  expect([...linesOldestFirst(files, [path], options)]).toEqual(["first", "second"]);
  expect(tooLong).toBe(2);
  expect([...linesNewestFirst(files, path, 0, options)]).toEqual(["second", "first"]);
  expect(tooLong).toBe(4);
});

it("reads on in the file that it has begun with when that is rotated meanwhile, and no line twice", () => {
  writeFileSync(path, "3\n4\n");
  writeFileSync(`${path}.1`, "1\n2\n");
  const lines = linesNewestFirst(files, path, 3, { pieceBytes: 2 });
  expect(lines.next().value).toBe("4");
  renameSync(`${path}.1`, `${path}.2`);
  renameSync(path, `${path}.1`);
  writeFileSync(path, "5\n");
  expect([...lines]).toEqual(["3", "2", "1"]);
});

it("takes the first file that is there, and without any has no line", () => {
  expect([...linesOldestFirst(files, [path, `${path}.next`])]).toEqual([]);
  writeFileSync(`${path}.next`, "ready\n");
  expect([...linesOldestFirst(files, [path, `${path}.next`])]).toEqual(["ready"]);
});
