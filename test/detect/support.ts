/** Rules from objects, through the very loader; snapshots in one line; a look at them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type DetectInput, type DetectOutput, detect } from "../../src/detect/detect.ts";
import { type LoadResult, loadRules, type RuleSet } from "../../src/detect/load.ts";
import { createFiles } from "../../src/system/files.ts";
import { faultText } from "../../src/system/json-source.ts";
import type { Moment } from "../../src/types/moment.ts";
import type { Facts } from "../../src/types/snapshot.ts";

export interface RulesOnDisk {
  readonly root: string;
  readonly files: ReturnType<typeof createFiles>;
  readonly dirs: { readonly rulesDir: string; readonly localRulesDir: string };
  /** @param path below the temporary root, such as `/rules/a.json`. */
  write(path: string, content: unknown): void;
  remove(path?: string): void;
  load(): LoadResult;
}

export function rulesOnDisk(): RulesOnDisk {
  const root = mkdtempSync(join(tmpdir(), "argus-rules-"));
  const files = createFiles(root);
  const dirs = { rulesDir: "/rules", localRulesDir: "/local" };
  mkdirSync(join(root, "rules"));
  return {
    root,
    files,
    dirs,
    write(path, content) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
    },
    remove: (path = "") => rmSync(join(root, path), { recursive: true, force: true }),
    load: () => loadRules(files, dirs),
  };
}

export interface RuleParts {
  readonly name?: string;
  readonly priority?: number;
  readonly forEach?: string;
  readonly conditions: unknown;
  readonly for?: { cycles?: number; minutes?: number };
  readonly params?: Record<string, unknown>;
}

/** A whole rule around what a test is about. */
export function ruleOf({ params, name = "rule", ...parts }: RuleParts): Record<string, unknown> {
  return {
    name,
    description: "under test",
    ...parts,
    event: {
      type: "process",
      params: { condition: "odd", severity: "info", subject: "it", summary: "it is odd", ...params },
    },
  };
}

/** @throws with the text that a user would read. */
export function rulesFrom(...parts: readonly RuleParts[]): RuleSet {
  const disk = rulesOnDisk();
  try {
    disk.write("/rules/test.json", { rules: parts.map(ruleOf) });
    const loaded = disk.load();
    if (!loaded.ok) throw new Error(loaded.faults.map(faultText).join("\n"));
    return loaded.set;
  } finally {
    disk.remove();
  }
}

export const at = (seconds: number, bootId = "boot-1"): Moment => ({
  wallMs: Date.UTC(2026, 0, 1) + seconds * 1000,
  uptimeSeconds: 100_000 + seconds,
  bootId,
});

/** Parts of facts as a snapshot: what a test leaves out is as good as not observed. */
export const factsOf = (parts: { [K in keyof Facts]?: unknown }): Facts => parts as Facts;

export function look(
  rules: RuleSet,
  facts: { [K in keyof Facts]?: unknown },
  more: Partial<DetectInput> = {},
): Promise<DetectOutput> {
  return detect({
    rules,
    facts: factsOf(facts),
    streaks: new Map(),
    problemOf: () => ({ occurrences24h: 1, openSeconds: 0 }),
    now: at(0),
    scheduled: true,
    maxGapSeconds: 3600,
    ...more,
  });
}

/** `fired`, `quiet` or `blind` of the only rule. */
export async function verdictOf(
  rules: RuleSet,
  facts: { [K in keyof Facts]?: unknown },
): Promise<string | undefined> {
  return (await look(rules, facts)).verdicts[0]?.verdict;
}
