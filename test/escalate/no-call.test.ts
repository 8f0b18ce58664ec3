/** Every snapshot of the shipped rules' own tests, judged by all shipped rules: who resolves it, and who is asked. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { detect } from "../../src/detect/detect.ts";
import { loadRules } from "../../src/detect/load.ts";
import { remediesOf } from "../../src/detect/proposals.ts";
import type { Handled } from "../../src/escalate/alerts.ts";
import { decide } from "../../src/escalate/decide.ts";
import { createEscalation } from "../../src/escalate/escalation.ts";
import { emptyMemory } from "../../src/escalate/memory.ts";
import { remediationOf } from "../../src/escalate/remediation.ts";
import { createFiles } from "../../src/system/files.ts";
import type { ActionRecord } from "../../src/types/action.ts";
import type { Finding } from "../../src/types/finding.ts";
import { RuleTestFile } from "../../src/types/rules.ts";
import type { Facts } from "../../src/types/snapshot.ts";
import { startModelServer } from "./model-server.ts";
import { bench, snapshot } from "./samples.ts";

const rulesDir = resolve("rules");
const loaded = loadRules(createFiles("/"), { rulesDir, localRulesDir: "/nonexistent" });
if (!loaded.ok) throw new Error("the shipped rules cannot be loaded");
const { set: rules } = loaded;

const tests = readdirSync(join(rulesDir, "tests")).flatMap(
  (name) => RuleTestFile.parse(JSON.parse(readFileSync(join(rulesDir, "tests", name), "utf8"))).tests,
);
const at = (second: number) => ({ wallMs: 1e12 + second * 1000, uptimeSeconds: 1e6 + second, bootId: "b" });

/** As many cycles as one likes, five minutes apart, each with the streaks of the one before. */
function watch(): (facts: Facts) => Promise<readonly Finding[]> {
  let streaks: Awaited<ReturnType<typeof detect>>["streaks"] = new Map();
  let cycle = 0;
  return async (facts) => {
    const seen = await detect({
      rules,
      facts,
      streaks,
      problemOf: () => ({ occurrences24h: 1, openSeconds: 0 }),
      now: at(cycle * 300),
      scheduled: true,
      maxGapSeconds: 3600,
    });
    cycle += 1;
    streaks = seen.streaks;
    return seen.findings;
  };
}

/** Looked at for as long as any shipped rule wants to see something. */
async function findingsIn(facts: Facts): Promise<readonly Finding[]> {
  const look = watch();
  for (let cycle = 0; cycle < 7; cycle += 1) await look(facts);
  return look(facts);
}

const worked = (finding: Finding): ActionRecord[] =>
  remediesOf(finding).map(
    ({ type, target = null }) =>
      ({ type, target, result: "success", refusal: null, verified: true }) as ActionRecord,
  );

function heal(finding: Finding): Handled {
  const actions = worked(finding);
  return { finding, actions, remediation: remediationOf(finding, actions) };
}

it("the model is asked about none of them that is healthy or resolved by rules, and about every other", async () => {
  expect(tests.length).toBeGreaterThanOrEqual(80);
  const limits = { hasKey: true, dailyCalls: 50, dailyTokens: 1e6, review: "never" as const };
  const answers = { healthy: 0, resolved: 0, asked: 0 };
  for (const { name, given } of tests) {
    const handled = (await findingsIn(given.snapshot as Facts)).map(heal);
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

it("in a thousand cycles over them no request leaves this machine, and one unresolved finding sends the first", async () => {
  const calm: Facts[] = [];
  const troubled: Facts[] = [];
  for (const { given } of tests) {
    const facts = given.snapshot as Facts;
    const found = await findingsIn(facts);
    (found.every(({ resolves }) => resolves) ? calm : troubled).push(facts);
  }
  const model = await startModelServer();
  const its = bench(model.url);
  try {
    const escalation = createEscalation(its.system, its.config(), () => undefined);
    const look = watch();
    const whys = new Map<string, number>();
    const cycle = async (facts: Facts): Promise<void> => {
      const handled = (await look(facts)).map(heal);
      const { asked, why } = escalation.decide({ handled, paused: false, dryRun: false, diskGuard: false });
      whys.set(why, (whys.get(why) ?? 0) + 1);
      const { signal } = new AbortController();
      const context = { cycle: "c", host: "landmass", problems: [], recent: [], signal };
      if (asked) await escalation.ask({ ...context, snapshot: snapshot(facts), handled });
      its.clock.pass(300);
    };
    // Five looks at each, so that what must be seen several times is seen.
    for (let number = 0; number < 1000; number += 1)
      await cycle(calm[Math.floor(number / 5) % calm.length] ?? {});
    expect([...whys.keys()].sort()).toEqual(["every_finding_resolved", "nothing_found"]);
    expect(Math.min(...whys.values())).toBeGreaterThan(100);
    expect(model.received).toEqual([]);

    for (let number = 0; number < 8; number += 1) await cycle(troubled[0] ?? {});
    expect(model.received).toHaveLength(1);
  } finally {
    await model.close();
    its.remove();
  }
});
