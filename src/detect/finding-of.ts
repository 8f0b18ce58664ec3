/**
 * A rule that fired, as a finding: templates filled in, nothing in it that could still change. Its words and values go
 * into registry, trail, messages and tickets, so the secrets of command lines are taken out here, once. What acts
 * (target, expectation) and what identifies stays as it was seen.
 */
import { oneLine } from "../system/printable.ts";
import { redactProcess } from "../system/redact/processes.ts";
import { redact, redactDeep } from "../system/redact/redact.ts";
import type { Expectation } from "../types/action.ts";
import { nothingCleanable } from "../types/clean.ts";
import type { Entity } from "../types/facts.ts";
import type { ActionRequest, Finding } from "../types/finding.ts";
import { bytes } from "../types/quantities.ts";
import type { Rule } from "../types/rules.ts";
import type { Evidence } from "../types/trail.ts";
import type { Judgement } from "./judge.ts";
import type { JudgedRule } from "./load.ts";
import type { Look } from "./look.ts";
import { requiresTrue } from "./required-flags.ts";
import type { Held } from "./streaks.ts";

export function findingOf(judged: JudgedRule, look: Look, judgement: Judgement, held: Held | null): Finding {
  const { rule, templates, file, line, priority } = judged.compiled;
  const { params } = rule.event;
  const shown = withoutCommandLine(look);
  const asked = (params.actions ?? []).map((action, index): ActionRequest => {
    const target = templates.actions[index]?.target?.value(look.facts);
    const message = templates.actions[index]?.message?.sentence(shown);
    return {
      type: action.type,
      ...(typeof target === "string" || typeof target === "number" ? { target } : {}),
      ...(message === undefined ? {} : { message }),
    };
  });
  const mount = fullOfOtherThings(look.entity);
  const actions =
    mount === null
      ? asked
      : asked.filter(({ type, target = mount }) => type !== "clean_disk" || target !== mount);
  const summary = templates.summary.sentence(shown);
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
    subject: redact(templates.subject.render(shown)),
    summary:
      mount === null || actions.length === asked.length
        ? summary
        : `${summary}; ${oneLine(redact(nothingCleanable(mount)))}`,
    ...wasOf(look.entity),
    ...(templates.advice === null ? {} : { advice: templates.advice.sentence(shown) }),
    entity: rule.forEach === undefined ? null : { kind: rule.forEach, identity: look.identity },
    expect: expectationOf(rule, look.entity),
    evidence: judgement.evidence.map((one) => withoutSecrets(one, look, shown)),
    held: held === null ? null : { cycles: held.cycles, seconds: held.seconds, wanted: held.wanted },
    actions,
    // What stands beside a remedy that cannot be had is not the remedy.
    resolves: (params.resolves ?? false) && actions.length === asked.length,
  };
}

/** `failed, signal`; `failed, oom-kill, MemoryMax=41.9 MB`; `inactive` of one that ended well. */
function wasOf(entity: Entity | null): { was?: string } {
  if (entity !== null && "activeState" in entity) {
    const { activeState, result } = entity;
    // One that runs has another kind of trouble, which the summary says.
    if (activeState === "active") return {};
    if (result === "success" || result === "") return { was: activeState };
    const limit = result === "oom-kill" ? entity.memoryMaxBytes : null;
    return { was: [activeState, result, ...(limit == null ? [] : [`MemoryMax=${bytes(limit)}`])].join(", ") };
  }
  if (entity !== null && "latencyMilliseconds" in entity && entity.error !== null)
    return { was: oneLine(redact(entity.error), 160) };
  return {};
}

/** The mount of a disk on which no folder of the safelist lies: to clean it would empty others. */
function fullOfOtherThings(entity: Entity | null): string | null {
  return entity !== null && "cleanableRoots" in entity && entity.cleanableRoots?.length === 0
    ? entity.mount
    : null;
}

/** What a template is filled with: a process's command line, redacted while its arguments were still apart. */
function withoutCommandLine({ entity, facts }: Look): Look["facts"] {
  return entity !== null && "commandLine" in entity ? { ...facts, process: redactProcess(entity) } : facts;
}

function withoutSecrets(evidence: Evidence, { facts }: Look, shown: Look["facts"]): Evidence {
  const { fact, path, saw, wanted } = evidence;
  const isRaw = (value: unknown) => value !== undefined && value === fieldOf(facts[fact], path);
  const seen = shown !== facts && isRaw(saw) ? fieldOf(shown[fact], path) : saw;
  return { ...evidence, saw: redactDeep(seen), wanted: redactDeep(wanted) };
}

const fieldOf = (value: unknown, path: string): unknown =>
  typeof value === "object" && value !== null && path !== "" ? Reflect.get(value, path) : value;

function expectationOf({ forEach: kind, conditions }: Rule, entity: Entity | null): Expectation {
  if (entity === null) return {};
  if (kind === "process" && "startTime" in entity) {
    const requires = (path: string) => requiresTrue(conditions, "process", path);
    const isAbandoned = requires("abandoned");
    return {
      startTime: entity.startTime,
      ...(requires("orphan") ? { orphan: true } : {}),
      ...(isAbandoned ? { abandoned: true } : {}),
      ...(isAbandoned && entity.agent ? { agent: entity.agent } : {}),
    };
  }
  if (kind === "session" && "socket" in entity) return { socket: entity.socket };
  return {};
}
