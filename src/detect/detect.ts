/** Snapshot + rules + problem history -> findings. */
import { problemKey } from "../system/problem-key.ts";
import type { Expectation } from "../types/action.ts";
import { type Entity, type EntityKind, entityIdentity, type Problem24h } from "../types/facts.ts";
import type { ActionRequest, Detection, Finding } from "../types/finding.ts";
import type { Moment } from "../types/moment.ts";
import type { Facts } from "../types/snapshot.ts";
import type { RuleVerdict } from "../types/trail.ts";
import type { Judgement } from "./judge.ts";
import type { JudgedRule, RuleSet } from "./load.ts";
import { advance, type Held, heldFor, type Streak, type Streaks, streakKey } from "./streaks.ts";
import type { FactValues } from "./template.ts";

/** Findings of one rule that are kept; its count goes on. A rule that fires on everything must not fill the disk. */
const mostFindings = 500;

export interface DetectInput {
  readonly rules: RuleSet;
  readonly facts: Facts;
  readonly streaks: Streaks;
  readonly problemOf: (key: string) => Problem24h;
  readonly now: Moment;
  /** Only scheduled cycles advance a streak; wake-ups may come as often as they like. */
  readonly scheduled: boolean;
  readonly maxGapSeconds: number;
}

export interface DetectOutput extends Detection {
  readonly streaks: Streaks;
}

/** One look of a rule at an entity, or at the host. */
export interface Look {
  /** `*` for the host. */
  readonly identity: string;
  readonly entity: Entity | null;
  readonly facts: FactValues;
  readonly key: string;
  readonly subject: string;
}

/** Facts the rule needs that were not observed at all. */
export function missingFacts(judged: JudgedRule, facts: Facts): string[] {
  const { rule, facts: needed } = judged.compiled;
  const names = new Set<keyof Facts>(needed);
  if (rule.forEach !== undefined) names.add(rule.forEach);
  return [...names].filter((name) => facts[name] === undefined);
}

/** What the rule ranges over: `null` stands for the host. */
export function entitiesOf(judged: JudgedRule, facts: Facts): readonly (Entity | null)[] {
  const { forEach } = judged.compiled.rule;
  return forEach === undefined ? [null] : (facts[forEach] ?? []);
}

export function hostFactsOf({ host, memory, swap, load, pressure, self }: Facts): Record<string, unknown> {
  return { host, memory, swap, load, pressure, self };
}

export function lookAt(
  judged: JudgedRule,
  entity: Entity | null,
  shared: FactValues,
  problemOf: DetectInput["problemOf"],
): Look {
  const { rule, templates } = judged.compiled;
  const values = rule.forEach === undefined ? shared : { ...shared, [rule.forEach]: entity };
  const subject = templates.subject.render(values);
  const key = problemKey(rule.event.type, subject, rule.event.params.condition);
  return {
    identity: identityOf(rule.forEach, entity),
    entity,
    facts: { ...values, problem: problemOf(key) },
    key,
    subject,
  };
}

function identityOf(kind: EntityKind | undefined, entity: Entity | null): string {
  return kind === undefined || entity === null ? "*" : entityIdentity(kind, entity as never);
}

export async function detect(input: DetectInput): Promise<DetectOutput> {
  const findings: Finding[] = [];
  const verdicts: RuleVerdict[] = [];
  const streaks = new Map<string, Streak>();
  const blindEntities = new Map<string, Set<string>>();
  const waitingKeys = new Set<string>();
  for (const judged of input.rules.rules) {
    const outcome = await judgeRule(judged, input, streaks, waitingKeys);
    findings.push(...outcome.findings);
    verdicts.push(outcome.verdict);
    if (outcome.blind.size > 0) blindEntities.set(judged.compiled.rule.name, outcome.blind);
  }
  return { findings, verdicts, blindEntities, waitingKeys, streaks };
}

interface RuleOutcome {
  readonly findings: Finding[];
  readonly verdict: RuleVerdict;
  readonly blind: Set<string>;
}

async function judgeRule(
  judged: JudgedRule,
  input: DetectInput,
  streaks: Map<string, Streak>,
  waitingKeys: Set<string>,
): Promise<RuleOutcome> {
  const { rule, surelyQuiet } = judged.compiled;
  const missing = new Set<string>(missingFacts(judged, input.facts));
  const lacksFact = missing.size > 0;
  const findings: Finding[] = [];
  const blind = new Set<string>();
  let fired = 0;
  let waiting = 0;
  if (lacksFact) keepStreaks(rule.name, input, streaks);
  if (rule.forEach !== undefined && input.facts[rule.forEach] === undefined) blind.add("*");

  const shared = hostFactsOf(input.facts);
  const probe: Record<string, unknown> = { ...shared };
  const entities = entitiesOf(judged, input.facts);
  for (const entity of entities) {
    if (rule.forEach !== undefined) probe[rule.forEach] = entity;
    if (surelyQuiet(probe)) {
      // With a fact missing, a rule is not quiet whatever the others say: silence would not be health.
      if (lacksFact) blind.add(identityOf(rule.forEach, entity));
      continue;
    }
    const look = lookAt(judged, entity, shared, input.problemOf);
    const judgement = await judged.judge(look.facts);
    for (const part of judgement.evidence)
      if (part.result === null) missing.add(missingName(part, input.facts));
    const holds = judgement.holds !== true && lacksFact ? null : judgement.holds;
    if (holds === null) blind.add(look.identity);

    const streakId = streakKey(rule.name, look.identity);
    const before = input.streaks.get(streakId);
    const streak = input.scheduled ? advance(before, holds, input.now, input.maxGapSeconds) : before;
    if (streak !== undefined && rule.for !== undefined) streaks.set(streakId, streak);
    if (holds !== true) continue;
    const held = heldFor(rule, streak, input.now);
    if (held !== null && !held.enough) {
      waiting += 1;
      waitingKeys.add(look.key);
      continue;
    }
    fired += 1;
    if (fired <= mostFindings) findings.push(toFinding(judged, look, judgement, held));
  }
  const verdict = fired > 0 ? "fired" : blind.size > 0 ? "blind" : "quiet";
  return {
    findings,
    blind,
    verdict: {
      rule: rule.name,
      verdict,
      fired,
      waiting,
      blind: blind.size,
      judged: entities.length,
      missing: blind.size > 0 ? [...missing] : [],
    },
  };
}

function missingName(
  part: { fact: string; path: string; wantedFrom?: string | undefined; saw: unknown },
  facts: Facts,
): string {
  if (part.saw === null)
    return (facts as Record<string, unknown>)[part.fact] === undefined
      ? part.fact
      : `${part.fact}.${part.path}`;
  return part.wantedFrom ?? `${part.fact}.${part.path}`;
}

/** What was not looked at keeps its streak: not to have seen something is no sign that it is gone. */
function keepStreaks(rule: string, input: DetectInput, streaks: Map<string, Streak>): void {
  for (const [id, streak] of input.streaks) {
    if (!id.startsWith(`${rule}|`)) continue;
    const kept = advance(streak, null, input.now, input.maxGapSeconds);
    if (kept !== undefined) streaks.set(id, kept);
  }
}

function expectationOf(kind: EntityKind | undefined, entity: Entity | null): Expectation {
  if (entity === null) return {};
  if (kind === "process" && "startTime" in entity) return { startTime: entity.startTime };
  if (kind === "session" && "socket" in entity) return { socket: entity.socket };
  return {};
}

function toFinding(judged: JudgedRule, look: Look, judgement: Judgement, held: Held | null): Finding {
  const { rule, templates, file, line, priority } = judged.compiled;
  const { params } = rule.event;
  const actions = (params.actions ?? []).map((action, index): ActionRequest => {
    const target = templates.actions[index]?.target?.value(look.facts);
    const message = templates.actions[index]?.message?.render(look.facts);
    return {
      type: action.type,
      ...(typeof target === "string" || typeof target === "number" ? { target } : {}),
      ...(message === undefined ? {} : { message }),
    };
  });
  return {
    rule: rule.name,
    description: rule.description,
    file,
    line,
    priority,
    key: look.key,
    type: rule.event.type,
    condition: params.condition,
    severity: params.severity,
    subject: look.subject,
    summary: templates.summary.render(look.facts),
    entity: rule.forEach === undefined ? null : { kind: rule.forEach, identity: look.identity },
    expect: expectationOf(rule.forEach, look.entity),
    evidence: judgement.evidence,
    held: held === null ? null : { cycles: held.cycles, seconds: held.seconds, wanted: held.wanted },
    actions,
    resolves: params.resolves ?? false,
  };
}
