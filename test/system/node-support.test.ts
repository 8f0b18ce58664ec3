/** How long Node's makers support a version: the table that install.sh and `argus doctor` share. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import { majorOf, monthOf, supportEnded } from "../../src/system/node-support.ts";

const root = join(import.meta.dirname, "../..");
const ended = (version: string, day: string, folder = root) =>
  supportEnded(createFiles("/"), folder, version, Date.parse(`${day}T12:00:00Z`));

it("ends the day after the last one of the schedule", () => {
  expect(ended("v20.20.2", "2026-04-30")).toBeNull();
  expect(ended("v20.20.2", "2026-05-01")).toBe("2026-04-30");
  expect(ended("v22.23.0", "2026-11-28")).toBeNull();
  expect(ended("v23.1.0", "2026-11-28")).toBe("2025-06-01");
  expect([majorOf("v20.20.2"), monthOf("2026-04-30")]).toEqual(["20", "April 2026"]);
});

it("is not claimed of a Node that is newer than the table, nor without the table", () => {
  expect(ended("v99.0.0", "2040-01-01")).toBeNull();
  expect(ended("v20.20.2", "2026-11-28", "/nowhere")).toBeNull();
});
