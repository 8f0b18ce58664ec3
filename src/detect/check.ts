/** What the schema of a rule cannot say: that its conditions, templates and actions fit. */
import type { JsonPath } from "../system/json-source.ts";
import { nearest, quoted } from "../system/names.ts";
import { type ActionRow, actionCatalog, actionTypes } from "../types/action.ts";
import { hostFacts } from "../types/facts.ts";
import type { Rule } from "../types/rules.ts";
import { checkCondition, type Say, typeWords } from "./check-conditions.ts";
import { parseTemplate, type Template } from "./template.ts";

/** Facts that a rule may use: the host's, its problem's, and the entity it ranges over. */
export function availableFacts(rule: Rule): Set<string> {
  return new Set([
    ...Object.keys(hostFacts),
    "problem",
    ...(rule.forEach === undefined ? [] : [rule.forEach]),
  ]);
}

export interface RuleTemplates {
  readonly subject: Template;
  readonly summary: Template;
  readonly advice: Template | null;
  readonly actions: readonly { readonly target: Template | null; readonly message: Template | null }[];
}

/** @returns the parsed templates; null when something was said. */
export function checkRule(rule: Rule, path: JsonPath, sayAt: Say): RuleTemplates | null {
  let faults = 0;
  const say: Say = (below, message) => {
    faults += 1;
    sayAt([...path, ...below], message);
  };
  const available = availableFacts(rule);
  checkCondition(rule.conditions, { path: ["conditions"], available, say });
  checkFor(rule, say);
  const templates = parseTemplates(rule, available, say);
  checkSubject(templates.subject, say);
  checkActions(rule, templates.actions, say);
  const { subject, summary, ...others } = templates;
  return faults > 0 || subject === null || summary === null ? null : { subject, summary, ...others };
}

function checkFor({ for: held }: Rule, say: Say): void {
  if (held === undefined || (held.cycles === undefined) !== (held.minutes === undefined)) return;
  say(
    ["for"],
    held.cycles === undefined ? 'needs "cycles" or "minutes"' : 'has both "cycles" and "minutes"; keep one',
  );
}

interface ParsedTemplates {
  readonly subject: Template | null;
  readonly summary: Template | null;
  readonly advice: Template | null;
  readonly actions: RuleTemplates["actions"];
}

function parseTemplates({ event }: Rule, available: ReadonlySet<string>, say: Say): ParsedTemplates {
  const parse = (source: string | undefined, ...below: PropertyKey[]): Template | null => {
    if (source === undefined) return null;
    const parsed = parseTemplate(source, available);
    if ("fault" in parsed) say(["event", "params", ...below], parsed.fault);
    return "fault" in parsed ? null : parsed;
  };
  const { subject, summary, advice, actions = [] } = event.params;
  return {
    subject: parse(subject, "subject"),
    summary: parse(summary, "summary"),
    advice: parse(advice, "advice"),
    actions: actions.map(({ target, message }, index) => ({
      target: parse(target, "actions", index, "target"),
      message: parse(message, "actions", index, "message"),
    })),
  };
}

/** One host's memory at 80 to 91 % once made 130 tickets in 44 hours: a number in the identity is a new problem each time. */
function checkSubject(subject: Template | null, say: Say): void {
  const varying = subject?.holes.find((hole) => hole.type !== "text");
  if (varying === undefined) return;
  say(
    ["event", "params", "subject"],
    `{{${varying.fact}.${varying.path}}} is ${typeWords[varying.type]} and may vary, but the subject is the problem's identity; use a text such as a name`,
  );
}

function checkActions(rule: Rule, templates: ParsedTemplates["actions"], say: Say): void {
  for (const [index, action] of (rule.event.params.actions ?? []).entries()) {
    const sayHere = (message: string, ...below: string[]) =>
      say(["event", "params", "actions", index, ...below], message);
    if (!isActionType(action.type)) {
      sayHere(`unknown action ${quoted(action.type)}${nearest(action.type, actionTypes)}`, "type");
      continue;
    }
    const row: ActionRow = actionCatalog[action.type];
    if (row.forEach !== undefined && rule.forEach !== row.forEach) {
      sayHere(
        `${action.type} needs "forEach": "${row.forEach}" in this rule, so that it is known which one was seen`,
      );
      continue;
    }
    if (row.target === null && action.target !== undefined)
      sayHere(`${action.type} takes no target; leave it out`, "target");
    const isOwn = row.ownEntity !== undefined && row.ownEntity === rule.forEach;
    if (row.target !== null && action.target === undefined && !isOwn) {
      const example = exampleFor(row);
      sayHere(`${action.type} needs a target (${row.target})${example}`);
    }
    if (row.target !== null && action.target !== undefined)
      checkTarget(row, action.target, templates[index]?.target ?? null, sayHere);
    if (!row.message && action.message !== undefined) {
      sayHere(`${action.type} takes no message; only alert, log and file_bead do`, "message");
    }
  }
}

function exampleFor({ targetTemplate, ownEntity }: ActionRow): string {
  if (ownEntity !== undefined)
    return `; write "forEach": "${ownEntity}" in this rule, or name one with "target"`;
  return targetTemplate === undefined ? "" : `; write "target": "${targetTemplate}"`;
}

function checkTarget(
  row: ActionRow,
  target: string,
  template: Template | null,
  say: (message: string, below: string) => void,
): void {
  // The identity of what is ended comes from the entity that was judged, never from a text.
  if (row.targetTemplate !== undefined) {
    if (target !== row.targetTemplate)
      say(`must be "${row.targetTemplate}", the one that the rule was judged on`, "target");
    return;
  }
  if (row.target === "mount" && template?.holes.length === 0 && !target.startsWith("/")) {
    say("must be a mount point, such as /data", "target");
    return;
  }
  const foreign = template?.holes.find((hole) => hole.type !== "text");
  if (foreign === undefined) return;
  say(
    `must be the name of a ${row.target}; {{${foreign.fact}.${foreign.path}}} is ${typeWords[foreign.type]}`,
    "target",
  );
}

function isActionType(type: string): type is keyof typeof actionCatalog {
  return Object.hasOwn(actionCatalog, type);
}
