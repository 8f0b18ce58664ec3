/** What a report says that a unit was: its state, systemd's result, and the limit that explains it. */
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { detect } from "../../src/detect/detect.ts";
import { loadRules } from "../../src/detect/load.ts";
import { createFiles } from "../../src/system/files.ts";
import type { Service } from "../../src/types/facts.ts";
import { serviceFact } from "../escalate/samples.ts";

async function was(more: Partial<Service>): Promise<string | undefined> {
  const root = resolve(".");
  const loaded = loadRules(createFiles("/"), { rulesDir: `${root}/rules`, localRulesDir: `${root}/none` });
  if (!loaded.ok) throw new Error("the shipped rules do not load");
  const { findings } = await detect({
    rules: loaded.set,
    facts: { service: [serviceFact({ activeState: "failed", ...more })] },
    streaks: new Map(),
    problemOf: () => ({ occurrences24h: 1, openSeconds: 0 }),
    now: { wallMs: 0, uptimeSeconds: 1000, bootId: "b" },
    scheduled: true,
    maxGapSeconds: 3600,
  });
  return findings.find(({ condition }) => condition === "down")?.was;
}

it.each<[string, Partial<Service>, string]>([
  [
    "its limit of memory",
    { result: "oom-kill", memoryMaxBytes: 41_943_040 },
    "failed, oom-kill, MemoryMax=41.9 MB",
  ],
  ["no limit that it does not have", { result: "oom-kill", memoryMaxBytes: null }, "failed, oom-kill"],
  [
    "no limit that has nothing to do with it",
    { result: "signal", memoryMaxBytes: 41_943_040 },
    "failed, signal",
  ],
])("names %s", async (_, more, expected) => {
  expect(await was(more)).toBe(expected);
});
