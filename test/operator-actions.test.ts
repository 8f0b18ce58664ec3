/** Actions by hand on their way into the records, where the executor goes away in between. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createParts, openBook } from "../src/cli/parts.ts";
import { recordOperatorActions } from "../src/operator-actions.ts";
import { createLink } from "../src/system/link/client.ts";
import { createSystem } from "../src/system/machine.ts";
import { configWith } from "./collect/tree.ts";
import { temporaryFolder } from "./execute/support.ts";

it("each is written once, and a lost executor fails no cycle", async () => {
  const stateDir = temporaryFolder();
  const system = createSystem();
  const config = {
    ...configWith(),
    stateDir,
    logDir: stateDir,
    executorStateDir: stateDir,
    rulesDir: "rules",
  };
  // Nobody listens there.
  const link = createLink(join(stateDir, "nobody.sock"));
  const parts = createParts(system, config, openBook(system, config), link);
  const action = {
    type: "clean_disk",
    target: null,
    source: "operator",
    problem: "disk:0123456789abcdef",
    result: "success" as const,
    refusal: null,
    verified: true,
    steps: [],
    detail: "freed 1 MB",
    message: null,
    duration_ms: 1,
    values: {},
  };
  const unrecorded = [{ id: "command-1", ts: "2026-11-28T12:00:00Z", host: "landmass", action }];
  for (const _ of [1, 2]) await recordOperatorActions(parts, unrecorded);
  const lines = (name: string) => readFileSync(join(stateDir, name), "utf8").trim().split("\n");
  expect([lines("trail.jsonl").length, lines("problems.jsonl").length]).toEqual([1, 1]);
  expect(parts.notes.join()).toContain("the executor did not take that its actions by hand are recorded");
  link.close();
});
