/** A file of people's that a command changes: it is theirs afterwards as before. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { markOf } from "../../src/system/file-mark.ts";
import { createSystem } from "../../src/system/machine.ts";
import { rewriteFile } from "../../src/system/rewrite.ts";
import { asOrdinaryUser } from "../support/ordinary-user.ts";

const { files } = createSystem();
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "argus-rewrite-"));
  path = join(folder, "argus.env");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a file that is rewritten", () => {
  it("keeps its mode, whatever the mask for new files", () => {
    writeFileSync(path, "A=1\n");
    chmodSync(path, 0o664);
    const mask = process.umask(0o077);
    rewriteFile(files, path, "A=2\n");
    process.umask(mask);
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o7777]).toEqual(["A=2\n", 0o664]);
    expect(readdirSync(folder)).toEqual(["argus.env"]);
  });

  it.runIf(process.getuid?.() === 0)("keeps its owner and group", () => {
    writeFileSync(path, "A=1\n");
    chownSync(path, 1234, 4321);
    rewriteFile(files, path, "A=2\n");
    expect([statSync(path).uid, statSync(path).gid]).toEqual([1234, 4321]);
  });

  it("is the one that a link leads to", () => {
    const real = join(folder, "real.env");
    writeFileSync(real, "A=1\n", { mode: 0o640 });
    symlinkSync("real.env", path);
    rewriteFile(files, path, "A=2\n");
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect([readFileSync(real, "utf8"), statSync(real).mode & 0o7777]).toEqual(["A=2\n", 0o640]);
  });

  it("is made for its owner alone where there is none", () => {
    rewriteFile(files, path, "A=1\n");
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o7777]).toEqual(["A=1\n", 0o600]);
  });

  it("is as it was, with nothing beside it, where that cannot be done", () => {
    writeFileSync(path, "A=1\n");
    chmodSync(folder, 0o555);
    asOrdinaryUser(folder, () => expect(() => rewriteFile(files, path, "A=2\n")).toThrow("EACCES"));
    chmodSync(folder, 0o755);
    expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["A=1\n", ["argus.env"]]);
  });
});

describe("whether files changed", () => {
  it("is seen by another content, another file, one that came or went, and through a link", () => {
    const other = join(folder, "argus.json");
    const marks = [markOf(files, [path, other])];
    const change = (act: () => void) => {
      act();
      marks.push(markOf(files, [path, other]));
    };
    change(() => writeFileSync(path, "A=1\n"));
    change(() => writeFileSync(path, "A=22\n"));
    change(() => rewriteFile(files, path, "A=33\n"));
    change(() => writeFileSync(join(folder, "real"), "{}"));
    change(() => symlinkSync("real", other));
    change(() => writeFileSync(join(folder, "real"), "{ }"));
    change(() => rmSync(path));
    // The fourth put something where nobody looks.
    expect(marks[4]).toBe(marks[3]);
    expect(new Set(marks).size).toBe(marks.length - 1);
    expect(markOf(files, [path, other])).toBe(marks.at(-1));
  });
});
