/** Findings, actions and cycles to record: what a stage before would hand over. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemKey } from "../../src/system/problem-key.ts";
import type { ActionRecord } from "../../src/types/action.ts";
import type { Detection, Finding } from "../../src/types/finding.ts";
import type { RuleVerdict } from "../../src/types/trail.ts";

export function temporaryDir(): string {
  return mkdtempSync(join(tmpdir(), "argus-record-"));
}

export function serviceFinding(name: string, more: Partial<Finding> = {}): Finding {
  return {
    rule: "service-down",
    description: "A watched service is down",
    file: "rules/services.json",
    line: 4,
    priority: 100,
    key: problemKey("service", name, "down"),
    type: "service",
    condition: "down",
    severity: "critical",
    subject: name,
    summary: `${name} is failed (exit-code)`,
    entity: { kind: "service", identity: name },
    expect: {},
    evidence: [
      {
        fact: "service",
        path: "activeState",
        operator: "in",
        wanted: ["failed"],
        saw: "failed",
        result: true,
      },
    ],
    held: null,
    actions: [],
    resolves: true,
    ...more,
  };
}

export function actionFor(finding: Finding, more: Partial<ActionRecord> = {}): ActionRecord {
  return {
    type: "restart_service",
    target: finding.subject,
    source: `rule:${finding.rule}`,
    problem: finding.key,
    result: "success",
    refusal: null,
    verified: null,
    steps: [],
    detail: "restarted",
    message: null,
    duration_ms: 3,
    values: {},
    ...more,
  };
}

export const cycleAt = (ms: number, id = `c-${ms}`) => ({
  id,
  ts: new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z"),
  host: "landmass",
});

export function verdict(rule: string, more: Partial<RuleVerdict> = {}): RuleVerdict {
  return { rule, verdict: "quiet", fired: 0, waiting: 0, blind: 0, judged: 1, missing: [], ...more };
}

export function detection(findings: readonly Finding[], more: Partial<Detection> = {}): Detection {
  const fired = new Map<string, number>();
  for (const { rule } of findings) fired.set(rule, (fired.get(rule) ?? 0) + 1);
  const verdicts = [...new Set(["service-down", ...fired.keys()])].map((rule) => {
    const count = fired.get(rule) ?? 0;
    return verdict(rule, { verdict: count === 0 ? "quiet" : "fired", fired: count });
  });
  return { findings, verdicts, blindEntities: new Map(), waitingKeys: new Set(), ...more };
}
