/** Copies of the last good settings: a damaged one is neither believed nor lost. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import { keepCopies, readCopies } from "../../src/system/last-good.ts";
import { temporaryDir } from "../record/samples.ts";

const files = createFiles("/");
const now = { wallMs: Date.UTC(2026, 10, 28), uptimeSeconds: 1, bootId: "b" };
let folder: string;
let notes: string[];
beforeEach(() => {
  folder = temporaryDir();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  notes = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const keep = (text: string) =>
  keepCopies(files, folder, "env", { "/etc/argus/argus.json": text }, now, (note) => notes.push(note));

describe("the copy of argus.env", () => {
  it("is its owner's alone, and written only when it changed", () => {
    keep("ARGUS_DRY_RUN=1\n");
    const path = join(folder, "good_env.json");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { ino } = statSync(path);
    keep("ARGUS_DRY_RUN=1\n");
    expect(statSync(path).ino).toBe(ino);
    expect(readCopies(files, folder, "env")?.texts).toEqual({ "/etc/argus/argus.json": "ARGUS_DRY_RUN=1\n" });
    expect(notes).toEqual([]);
  });

  it.each([
    ["cut off", '{"version":1,"at":'],
    ["of another version", '{"version":99,"texts":{}}'],
    ["empty", ""],
  ])("that is %s is not believed, set aside under another name, and said", (_, damage) => {
    const path = join(folder, "good_env.json");
    writeFileSync(path, damage, { mode: 0o600 });
    expect(readCopies(files, folder, "env")).toBeNull();
    keep("ARGUS_DRY_RUN=1\n");
    expect(readFileSync(`${path}.corrupt-1`, "utf8")).toBe(damage);
    expect(notes).toEqual([
      `${path} cannot be understood; it was set aside as ${path}.corrupt-1 and is written anew`,
    ]);
    expect(readdirSync(folder).sort()).toEqual(["good_env.json", "good_env.json.corrupt-1"]);
  });
});
