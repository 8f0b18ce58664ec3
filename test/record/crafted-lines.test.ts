/** A line of somebody else must not cost the memory of everything that reads the file. */
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createRegistry } from "../../src/record/registry.ts";
import { readHistory, readProblems } from "../../src/record/registry-reader.ts";
import { readTrail } from "../../src/record/trail.ts";
import { createFiles } from "../../src/system/files.ts";
import { actionFor, cycleAt, serviceFinding, temporaryDir } from "./samples.ts";

const files = createFiles("/");
const start = Date.parse("2026-02-19T23:30:00Z");
const down = serviceFinding("openclaw-gateway");
let stateDir: string;
beforeEach(() => {
  stateDir = temporaryDir();
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const path = () => join(stateDir, "problems.jsonl");
const open = () =>
  createRegistry({ files, stateDir, nowMs: () => start, note: (sentence) => expect(sentence).toBe("") });
const manyValues = (count: number) => `[${"{},".repeat(count)}{}]`;

it("one with millions of values in a registry is passed over unread, and counted", () => {
  open().recordFindings([down], cycleAt(start));
  const line = readFileSync(path(), "utf8").trimEnd();
  const crafted = line.replace(/"evidence":\{[^}]*\}/, `"evidence":{"x":${manyValues(2_500_000)}}`);
  expect(crafted.length).toBeLessThan(8 * 1024 * 1024);
  appendFileSync(path(), `${crafted.replaceAll(down.key, "service:00000000000000ff")}\n`);
  const read = readProblems(files, stateDir);
  expect([[...read.problems.keys()], read.passedOver]).toEqual([[down.key], 1]);
  const history = readHistory(files, stateDir);
  expect([[...history.records()].length, history.passedOver()]).toEqual([1, 1]);
});

it("one with millions of values in a trail is passed over unparsed, and counted", () => {
  const crafted = `{"version":1,"kind":"cycle","cycle":{"id":"x"},"findings":${manyValues(2_500_000)}}`;
  appendFileSync(join(stateDir, "trail.jsonl"), `${crafted}\n`);
  const trail = readTrail(files, stateDir);
  // Parsed, these are hundreds of megabytes.
  const before = process.memoryUsage().rss;
  expect(trail.newest()).toBeNull();
  expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  expect(trail.passedOver()).toMatch(/^1 line of /);
});

it("an action with a report of megabytes is written as a line that can be read, without the report", () => {
  const registry = open();
  registry.recordFindings([down], cycleAt(start));
  registry.recordActions([actionFor(down, { values: { report: "x".repeat(3_000_000) } })], cycleAt(start));
  const read = readProblems(files, stateDir);
  expect(read.passedOver).toBe(0);
  expect(read.problems.get(down.key)?.actions).toMatchObject([
    { action: "restart_service:openclaw-gateway" },
  ]);
  expect(readFileSync(path(), "utf8")).toMatch(/"leftOut":"30\d{5} bytes: too long"/);
});
