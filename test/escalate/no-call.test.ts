/** Every snapshot of the shipped rules' own tests, judged by all shipped rules: who resolves it, and who is asked. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { detect } from "../../src/detect/detect.ts";
import { loadRules } from "../../src/detect/load.ts";
import { remediesOf } from "../../src/detect/proposals.ts";
import { decide } from "../../src/escalate/decide.ts";
import { emptyMemory } from "../../src/escalate/memory.ts";
import { resolutionOf } from "../../src/escalate/resolved.ts";
import { createFiles } from "../../src/system/files.ts";
import type { ActionRecord } from "../../src/types/action.ts";
import type { Finding } from "../../src/types/finding.ts";
import { RuleTestFile } from "../../src/types/rules.ts";
import type { Facts } from "../../src/types/snapshot.ts";

const rulesDir = resolve("rules");
const loaded = loadRules(createFiles("/"), { rulesDir, localRulesDir: "/nonexistent" });
if (!loaded.ok) throw new Error("the shipped rules cannot be loaded");
const { set: rules } = loaded;

const tests = readdirSync(join(rulesDir, "tests")).flatMap(
  (name) => RuleTestFile.parse(JSON.parse(readFileSync(join(rulesDir, "tests", name), "utf8"))).tests,
);
const at = (second: number) => ({ wallMs: 1e12 + second * 1000, uptimeSeconds: 1e6 + second, bootId: "b" });

/** Looked at for as long as any shipped rule wants to see something. */
async function findingsIn(facts: Facts): Promise<readonly Finding[]> {
  let streaks: Awaited<ReturnType<typeof detect>>["streaks"] = new Map();
  let findings: readonly Finding[] = [];
  for (let look = 0; look < 8; look += 1) {
    const seen = await detect({
      rules,
      facts,
      streaks,
      problemOf: () => ({ occurrences24h: 1, openSeconds: 0 }),
      now: at(look * 300),
      scheduled: true,
      maxGapSeconds: 3600,
    });
    streaks = seen.streaks;
    findings = seen.findings;
  }
  return findings;
}

const worked = (finding: Finding): ActionRecord[] =>
  remediesOf(finding).map(
    ({ type, target = null }) =>
      ({ type, target, result: "success", refusal: null, verified: true }) as ActionRecord,
  );

it("the model is asked about none of them that is healthy or resolved by rules, and about every other", async () => {
  expect(tests.length).toBeGreaterThanOrEqual(80);
  const limits = { hasKey: true, dailyCalls: 50, dailyTokens: 1e6, review: "never" as const };
  const answers = { healthy: 0, resolved: 0, asked: 0 };
  for (const { name, given } of tests) {
    const handled = (await findingsIn(given.snapshot as Facts)).map((finding) => {
      const actions = worked(finding);
      return { finding, actions, resolution: resolutionOf(finding, actions) };
    });
    const situation = { handled, paused: false, dryRun: false, diskGuard: false };
    const { asked, why } = decide(situation, limits, emptyMemory(), at(0));
    if (handled.length === 0) answers.healthy += 1;
    else if (handled.every(({ finding }) => finding.resolves)) answers.resolved += 1;
    else answers.asked += 1;
    const wanted =
      handled.length === 0
        ? "nothing_found"
        : handled.every(({ finding }) => finding.resolves)
          ? "every_finding_resolved"
          : "asked";
    expect([name, why, asked]).toEqual([name, wanted, wanted === "asked"]);
  }
  // All three kinds are there, or this shows nothing.
  expect(Math.min(...Object.values(answers))).toBeGreaterThan(5);
});
