/** A process that goes on without room: what it reads is what it wrote, and all of it is on the disk once there is room. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import { holdWhatHasNoRoom } from "../../src/system/held-files.ts";
import { createLineFile } from "../../src/system/line-file.ts";
import { linesOldestFirst } from "../../src/system/lines.ts";
import type { Files } from "../../src/system/system.ts";
import { temporaryDir } from "../record/samples.ts";

type Fault = "ENOSPC" | "EDQUOT" | "EROFS" | null;

let dir: string;
let notes: string[];
let fault: Fault;
beforeEach(() => {
  dir = temporaryDir();
  notes = [];
  fault = null;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** What such a file system takes: on a full one names may go, on a read-only one nothing. */
function disk(): Files {
  const real = createFiles("/");
  const guard =
    <A extends unknown[], R>(act: (...args: A) => R, isFreeing = false) =>
    (...args: A): R => {
      if (fault === null || (isFreeing && fault !== "EROFS")) return act(...args);
      throw Object.assign(new Error(`${fault}: ${String(args[0])}`), { code: fault });
    };
  return {
    ...real,
    writeAtomic: guard(real.writeAtomic),
    writeExclusive: guard(real.writeExclusive),
    link: guard(real.link),
    makeDirectory: guard(real.makeDirectory),
    rename: guard(real.rename, true),
    remove: guard(real.remove, true),
    truncate: guard(real.truncate, true),
    // write(2) takes a part before it says that no more fits.
    append(path, text, options) {
      if (fault === "ENOSPC") real.append(path, text.slice(0, Math.floor(text.length / 2)));
      guard(real.append)(path, text, options);
    },
  };
}

const held = (under: Files, root = dir, mostBytes = 1_000_000) =>
  holdWhatHasNoRoom(under, [root], {
    now: () => "2026-11-28T10:00:00Z",
    note: (sentence) => notes.push(sentence),
    mostBytes,
  });

const onDisk = (root: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(join(root, name)).isFile())
      .sort()
      .map((name) => [name, readFileSync(join(root, name), "utf8")]),
  );

const names = fc.constantFrom("a", "b", "sub/c", "sub/d");
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("append"), name: names, text: fc.string() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("write"), name: names, text: fc.string() }) },
  fc.record({ do: fc.constant("exclusive"), name: names, text: fc.string() }),
  fc.record({ do: fc.constant("remove"), name: names, text: fc.constant("") }),
  fc.record({ do: fc.constant("link"), name: names, text: names }),
  fc.record({ do: fc.constant("rename"), name: names, text: names }),
  fc.record({ do: fc.constant("truncate"), name: names, text: fc.constant("") }),
  fc.record({ do: fc.constant("settle"), name: names, text: fc.constant("") }),
  fc.record({
    do: fc.constantFrom<string>("", "ENOSPC", "EDQUOT", "EROFS"),
    name: names,
    text: fc.constant(""),
  }),
);
type Step = { do: string; name: string; text: string };

function take(files: Files, root: string, { do: what, name, text }: Step): string {
  const path = join(root, name);
  try {
    if (name.includes("/")) files.makeDirectory(join(root, "sub"));
    if (what === "append") files.append(path, `${text}\n`, { durable: true });
    if (what === "write") files.writeAtomic(path, text);
    if (what === "exclusive") files.writeExclusive(path, text);
    if (what === "remove") files.remove(path);
    if (what === "truncate" && files.stat(path) !== null) files.truncate(path, 0);
    const both = files.stat(path) !== null && name !== text;
    if (what === "link" && both) {
      files.makeDirectory(join(root, "sub"));
      files.link(path, join(root, text));
      // A copy is not a second name: what changes one must not be asked of the other.
      files.remove(path);
    }
    if (what === "rename" && both) {
      files.makeDirectory(join(root, "sub"));
      files.rename(path, join(root, text));
    }
    return "done";
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

function seen(files: Files, root: string): unknown {
  return ["a", "b", "sub/c", "sub/d"].map((name) => {
    const path = join(root, name);
    const status = files.stat(path);
    return [
      files.tryRead(path, "own"),
      files.tryReadTail(path, 3),
      status?.kind === "directory" ? null : [...linesOldestFirst(files, [path], { pieceBytes: 3 })],
      files.tryReadHead(path, 3, "own"),
      status?.kind,
      status?.sizeBytes,
      files.list(root, "own").sort(),
      files.list(join(root, "sub"), "own").sort(),
    ];
  });
}

describe("files of a process that goes on without room", () => {
  it("read as if there were room all the time, and are on the disk once there is", () => {
    let number = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        fault = null;
        number += 1;
        const [roomy, tight] = [join(dir, `roomy-${number}`), join(dir, `tight-${number}`)];
        for (const root of [roomy, tight]) mkdirSync(root);
        const model = createFiles("/");
        const files = held(disk(), tight);
        for (const each of steps) {
          if (["", "ENOSPC", "EDQUOT", "EROFS"].includes(each.do)) fault = (each.do || null) as Fault;
          else if (each.do === "settle") files.holding?.settle();
          else expect(take(files, tight, each)).toBe(take(model, roomy, each));
          expect(seen(files, tight)).toEqual(seen(model, roomy));
        }
        fault = null;
        files.holding?.settle();
        expect(files.holding?.held()).toBeNull();
        expect(onDisk(tight)).toEqual(onDisk(roomy));
      }),
      { numRuns: 80 },
    );
  });

  it("say once that they cannot be written and since when, and once that they can", () => {
    const files = held(disk());
    fault = "ENOSPC";
    for (const name of ["one", "two"]) files.writeAtomic(join(dir, name), "text");
    expect(files.holding?.held()).toMatchObject({
      since: "2026-11-28T10:00:00Z",
      why: `cannot write ${dir}: no space left on the file system`,
      bytes: 8,
    });
    files.holding?.settle();
    expect(readdirSync(dir)).toEqual([]);
    fault = null;
    files.holding?.settle();
    expect(readdirSync(dir)).toEqual(["one", "two"]);
    expect(notes).toHaveLength(2);
    expect(notes[1]).toContain("can be written again");
  });

  it("are written by themselves within two seconds of room", async () => {
    const files = held(disk());
    fault = "EROFS";
    files.append(join(dir, "lines"), "one\n");
    fault = null;
    await expect.poll(() => readdirSync(dir), { timeout: 2_500 }).toEqual(["lines"]);
  });

  it("give up the oldest lines above the bound, count them, and keep what was written whole", () => {
    const files = held(disk(), dir, 10_000);
    fault = "ENOSPC";
    files.writeAtomic(join(dir, "state.json"), "x".repeat(1000));
    for (let line = 0; line < 500; line += 1)
      files.append(join(dir, "lines"), `${String(line).padStart(99, "0")}\n`);
    const { bytes = 0, droppedLines = 0 } = files.holding?.held() ?? {};
    expect(bytes).toBeLessThanOrEqual(10_000);
    fault = null;
    files.holding?.settle();
    const lines = readFileSync(join(dir, "lines"), "utf8").split("\n").slice(0, -1).map(Number);
    expect(lines).toEqual(Array.from({ length: 500 - droppedLines }, (_, index) => droppedLines + index));
    expect(readFileSync(join(dir, "state.json"), "utf8")).toHaveLength(1000);
    expect(notes.at(-1)).toContain(`but for the oldest ${droppedLines} lines`);
  });

  it("take nothing whole above the bound: that is the error it would have been", () => {
    const files = held(disk(), dir, 10_000);
    fault = "EDQUOT";
    files.writeAtomic(join(dir, "one"), "x".repeat(9000));
    expect(() => files.writeAtomic(join(dir, "two"), "x".repeat(2000))).toThrow("EDQUOT");
    expect(files.tryRead(join(dir, "two"), "own")).toBeNull();
  });

  it("do nothing for other folders and other errors", () => {
    const files = held(disk(), join(dir, "root"));
    fault = "ENOSPC";
    expect(() => files.writeAtomic(join(dir, "beside"), "text")).toThrow("ENOSPC");
    expect(files.holding?.held()).toBeNull();
    fault = null;
    expect(() => files.writeAtomic(join(dir, "root", "none", "file"), "text")).toThrow("ENOENT");
  });

  it("let a file of lines that is far too large grow, when there is no room for what a rotation carries over", () => {
    const path = join(dir, "trail.jsonl");
    writeFileSync(path, "before\n".repeat(100));
    fault = "ENOSPC";
    const files = held(disk());
    const lines = createLineFile({
      ...{ files, path, maxBytes: 300, keep: 3, durable: true },
      carryOver: () => ["carried"],
    });
    lines.rotateIfFull();
    expect(files.holding?.held()).toBeNull();
    lines.append("without");
    expect(readdirSync(dir).filter((name) => name !== "trail.jsonl")).toEqual([]);
    fault = null;
    files.holding?.settle();
    lines.append("after");
    expect(readFileSync(path, "utf8")).toBe("carried\nafter\n");
    expect(readFileSync(`${path}.1`, "utf8")).toBe(`${"before\n".repeat(100)}without\n`);
  });

  it("let a file of lines rotate only when all is on the disk", () => {
    const files = held(disk());
    const lines = createLineFile({
      files,
      path: join(dir, "trail.jsonl"),
      maxBytes: 300,
      keep: 3,
      durable: true,
    });
    for (const number of [1, 2]) lines.append(`before ${number} ${"x".repeat(100)}`);
    fault = "EROFS";
    for (const number of [1, 2, 3]) lines.append(`without ${number} ${"x".repeat(100)}`);
    expect(lines.readLines({ rotated: true }).map((line) => line.slice(0, 9))).toEqual([
      "before 1 ",
      "before 2 ",
      "without 1",
      "without 2",
      "without 3",
    ]);
    fault = null;
    files.holding?.settle();
    lines.append("after");
    expect(lines.readLines({ rotated: true })).toHaveLength(6);
    expect(
      Object.values(onDisk(dir))
        .join("")
        .match(/^(before|without|after)/gm),
    ).toHaveLength(6);
  });
});
