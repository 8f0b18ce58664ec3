import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createFiles } from "../../src/system/files.ts";
import { createStore } from "../../src/system/store.ts";

let directory: string;
let path: string;
let notes: string[];
const files = createFiles("/");
const schema = z.strictObject({ version: z.literal(1), count: z.number() });
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "argus-store-"));
  path = join(directory, "state.json");
  notes = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const store = () =>
  createStore({
    files,
    path,
    schema,
    empty: () => ({ version: 1 as const, count: 0 }),
    note: (sentence) => notes.push(sentence),
  });

describe("a store", () => {
  it("gives back what was saved, and is empty before", () => {
    expect(store().load().count).toBe(0);
    store().save({ version: 1, count: 7 });
    expect(store().load()).toEqual({ version: 1, count: 7 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("writes nothing when nothing changed", () => {
    const first = store();
    first.save({ version: 1, count: 7 });
    const { ino } = statSync(path);
    first.save({ version: 1, count: 7 });
    const second = store();
    second.save(second.load());
    expect(statSync(path).ino).toBe(ino);
  });

  it("writes again what somebody removed", () => {
    const first = store();
    first.save({ version: 1, count: 7 });
    rmSync(path);
    first.save({ version: 1, count: 7 });
    expect(existsSync(path)).toBe(true);
  });

  const corruptions: [string, string, string][] = [
    ["is empty", "  \n", "is empty"],
    ["is torn", '{"version":1,"cou', "is not valid JSON"],
    [
      "is of another version",
      '{"version":2,"count":1}',
      "has an unknown shape or version (version: Invalid input: expected 1)",
    ],
    [
      "holds more than it may",
      '{"version":1,"count":1,"more":1}',
      'has an unknown shape or version (top: Unrecognized key: "more")',
    ],
  ];
  it.each(corruptions)(
    "sets aside a file that %s, says so, and never overwrites an earlier one",
    (_, text, why) => {
      for (const number of [1, 2]) {
        writeFileSync(path, text);
        expect(store().load().count).toBe(0);
        expect(notes.at(-1)).toBe(
          `${path} ${why}; it was set aside as ${path}.corrupt-${number} and Argus starts with an empty one`,
        );
        expect(readFileSync(`${path}.corrupt-${number}`, "utf8")).toBe(text);
      }
      expect(readdirSync(directory).sort()).toEqual(["state.json.corrupt-1", "state.json.corrupt-2"]);
    },
  );

  it("removes what a killed process left half written beside it, and nothing else", () => {
    const gone = spawnSync("true").pid;
    const names = ["state.json", "other.json"].flatMap((name) =>
      [gone, process.pid].map((pid) => `${name}.${pid}-3.tmp`),
    );
    for (const name of [...names, "state.json.tmp", "notes.txt"]) writeFileSync(join(directory, name), "{");
    store().load();
    const left = [
      ...names.filter((name) => name !== `state.json.${gone}-3.tmp`),
      "state.json.tmp",
      "notes.txt",
    ];
    expect(readdirSync(directory).sort()).toEqual(left.sort());
  });

  it("sets aside a folder that stands in its place", () => {
    mkdirSync(path);
    expect(store().load().count).toBe(0);
    expect(notes).toEqual([
      `${path} is not a file; it was set aside as ${path}.corrupt-1 and Argus starts with an empty one`,
    ]);
  });
});

it("holds no secret on disk, whatever it is given", () => {
  const text = z.strictObject({ version: z.literal(1), detail: z.string(), number: z.number() });
  const empty = () => ({ version: 1 as const, detail: "", number: 0 });
  const noted = createStore({ files, path, schema: text, empty, note: () => undefined });
  noted.save({ version: 1, detail: "login with password=hunter2hunter2 failed", number: 7 });
  expect(readFileSync(path, "utf8")).not.toContain("hunter2");
  expect(noted.load()).toEqual({ version: 1, detail: "login with password=[redacted] failed", number: 7 });
});
