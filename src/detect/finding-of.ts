/**
 * A rule that fired, as a finding: templates filled in, nothing in it that could still change. Its words and values go
 * into registry, trail, messages and tickets, so the secrets of command lines are taken out here, once. What acts
 * (target, expectation) and what identifies stays as it was seen.
 */
import { redact, redactDeep } from "../system/redact/redact.ts";
import type { Expectation } from "../types/action.ts";
import type { Entity, EntityKind } from "../types/facts.ts";
import type { ActionRequest, Finding } from "../types/finding.ts";
import type { Evidence } from "../types/trail.ts";
import type { Judgement } from "./judge.ts";
import type { JudgedRule } from "./load.ts";
import type { Look } from "./look.ts";
import type { Held } from "./streaks.ts";

export function findingOf(judged: JudgedRule, look: Look, judgement: Judgement, held: Held | null): Finding {
  const { rule, templates, file, line, priority } = judged.compiled;
  const { params } = rule.event;
  const actions = (params.actions ?? []).map((action, index): ActionRequest => {
    const target = templates.actions[index]?.target?.value(look.facts);
    const message = templates.actions[index]?.message?.render(look.facts);
    return {
      type: action.type,
      ...(typeof target === "string" || typeof target === "number" ? { target } : {}),
      ...(message === undefined ? {} : { message: redact(message) }),
    };
  });
  return {
    rule: rule.name,
    description: rule.description,
    file,
    line,
    priority,
    key: look.key,
    type: look.type,
    condition: look.condition,
    severity: params.severity,
    subject: redact(look.subject),
    summary: redact(templates.summary.render(look.facts)),
    ...(templates.advice === null ? {} : { advice: redact(templates.advice.render(look.facts)) }),
    entity: rule.forEach === undefined ? null : { kind: rule.forEach, identity: look.identity },
    expect: expectationOf(rule.forEach, look.entity),
    evidence: judgement.evidence.map(withoutSecrets),
    held: held === null ? null : { cycles: held.cycles, seconds: held.seconds, wanted: held.wanted },
    actions,
    resolves: params.resolves ?? false,
  };
}

function withoutSecrets(evidence: Evidence): Evidence {
  const { saw, wanted } = evidence;
  return { ...evidence, saw: redactDeep(saw), wanted: redactDeep(wanted) };
}

function expectationOf(kind: EntityKind | undefined, entity: Entity | null): Expectation {
  if (entity === null) return {};
  if (kind === "process" && "startTime" in entity) return { startTime: entity.startTime };
  if (kind === "session" && "socket" in entity) return { socket: entity.socket };
  return {};
}
