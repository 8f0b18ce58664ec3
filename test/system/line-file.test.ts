import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import { createLineFile } from "../../src/system/line-file.ts";
import { linesNewestFirst } from "../../src/system/lines.ts";

let directory: string;
let path: string;
const files = createFiles("/");
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "argus-lines-"));
  path = join(directory, "x.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const small = { maxBytes: 30, keep: 2, durable: false };

describe("a line file", () => {
  it("ends a torn last line, so that only that one is lost", () => {
    writeFileSync(path, '{"a":1}\n{"b":');
    createLineFile({ files, path, ...small }).append('{"c":3}');
    expect(readFileSync(path, "utf8")).toBe('{"a":1}\n{"b":\n{"c":3}\n');
  });

  it("ends a line that was torn under its hands", () => {
    const lines = createLineFile({ files, path, ...small });
    lines.append("one");
    appendFileSync(path, "torn");
    lines.append("two");
    expect(readFileSync(path, "utf8")).toBe("one\ntorn\ntwo\n");
  });

  it("keeps so many rotated files and no more", () => {
    const lines = createLineFile({ files, path, ...small });
    for (let number = 0; number < 20; number += 1) lines.append(`line ${number}`.padEnd(20, "."));
    expect(lines.readLines({ rotated: true }).map((line) => line.replace(/\.+$/, ""))).toEqual([
      "line 17",
      "line 18",
      "line 19",
    ]);
    expect(existsSync(`${path}.3`)).toBe(false);
  });

  it("begins the new file with what is carried over, cut from its front to half of the size", () => {
    const lines = createLineFile({ files, path, ...small, carryOver: () => ["open-2", "open-1", "old"] });
    lines.append("a".repeat(25));
    lines.append("b".repeat(10));
    expect(readFileSync(path, "utf8")).toBe(`open-1\nopen-2\n${"b".repeat(10)}\n`);
    expect(readFileSync(`${path}.1`, "utf8")).toBe(`${"a".repeat(25)}\n`);
  });

  it("finishes a rotation that was cut off between its two renames", () => {
    const options = { files, path, ...small, carryOver: () => ["open"] };
    createLineFile(options).append("before");
    writeFileSync(`${path}.next`, "open\n");
    renameSync(path, `${path}.1`);
    createLineFile(options).append("after");
    expect(readFileSync(path, "utf8")).toBe("open\nafter\n");
    expect(existsSync(`${path}.next`)).toBe(false);
  });

  it("removes what is left of a rotation that was cut off before it moved anything", () => {
    writeFileSync(path, "present\n");
    writeFileSync(`${path}.next`, "open\n");
    createLineFile({ files, path, ...small }).append("after");
    expect(readFileSync(path, "utf8")).toBe("present\nafter\n");
    expect(existsSync(`${path}.next`)).toBe(false);
  });
});

describe("a line file that is larger than may be", () => {
  it("is rotated at once, whole, and its torn last line ended", () => {
    writeFileSync(path, `${"a".repeat(40)}\ntorn`);
    const lines = createLineFile({ files, path, ...small, carryOver: () => ["open"] });
    lines.rotateIfFull();
    expect(readFileSync(`${path}.1`, "utf8")).toBe(`${"a".repeat(40)}\ntorn\n`);
    expect(readFileSync(path, "utf8")).toBe("open\n");
    lines.rotateIfFull();
    expect(existsSync(`${path}.2`)).toBe(false);
  });

  it("pushes nothing out when a rotation was cut off in its middle", () => {
    writeFileSync(path, "a".repeat(40));
    writeFileSync(`${path}.2`, "kept\n");
    createLineFile({ files, path, ...small }).rotateIfFull();
    expect(readFileSync(`${path}.2`, "utf8")).toBe("kept\n");
    expect(existsSync(`${path}.1`)).toBe(true);
  });
});

describe("linesNewestFirst", () => {
  it("is readLines backwards, whatever stands in the files", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", "é", "\n", "{") }), { minLength: 1, maxLength: 3 }),
        (contents) => {
          for (const [number, text] of contents.entries())
            writeFileSync(number === 0 ? path : `${path}.${number}`, text);
          const keep = contents.length - 1;
          const forward = createLineFile({ files, path, maxBytes: 1e6, keep, durable: false }).readLines({
            rotated: true,
          });
          expect([...linesNewestFirst(files, path, keep)]).toEqual(forward.reverse());
        },
      ),
    );
  });

  it("does not open the older file before the newer one is read to its start", () => {
    writeFileSync(path, "2\n3\n");
    writeFileSync(`${path}.1`, "1\n");
    const opened: string[] = [];
    const watched = {
      ...files,
      openOwn(each: string) {
        opened.push(each);
        return files.openOwn(each);
      },
    };
    const lines = linesNewestFirst(watched, path, 1);
    expect([lines.next().value, lines.next().value, opened]).toEqual(["3", "2", [path]]);
  });
});
