/** `{{fact.path}}` and `{{fact.path|format}}` in the texts of a rule. Parsed and checked when the rule is loaded. */

import { nearest, quoted } from "../system/names.ts";
import { oneLine, shortName } from "../system/printable.ts";
import { redact } from "../system/redact/redact.ts";
import { type Field, fieldsOf, isFactName, valueAt } from "../types/fields.ts";
import { bytes, duration, percent } from "../types/quantities.ts";

export type FactValues = Readonly<Record<string, unknown>>;

export interface Template {
  readonly source: string;
  readonly holes: readonly Hole[];
  /** As it was seen: what is compared, and identifies. */
  render(facts: FactValues): string;
  /** The same for people: one line, in which nothing that the machine says begins another one, and no secret stands. */
  sentence(facts: FactValues): string;
  /** The bare value when the template is one expression without a format, else the text. */
  value(facts: FactValues): unknown;
}

export const formats = {
  bytes: { what: "`1530000000` as `1.53 GB`", render: bytes },
  percent: { what: "`91.23` as `91.2 %`", render: percent },
  duration: { what: "seconds `5430` as `1 h 30 min`", render: duration },
  round: { what: "`3.7` as `4`", render: (value: number) => String(Math.round(value)) },
} as const;

/** A path may have 4,096 characters, and what the rule says after it is to be read as well. */
const longestValue = 200;

const expression = /\{\{([^{}]*)\}\}/g;

export interface Hole {
  readonly fact: string;
  readonly path: string;
  readonly type: Field["type"];
  readonly format: keyof typeof formats | null;
}

/** @returns the template, or what is wrong with it in one sentence. */
export function parseTemplate(source: string, available: ReadonlySet<string>): Template | { fault: string } {
  const literals: string[] = [];
  const holes: Hole[] = [];
  let last = 0;
  for (const match of source.matchAll(expression)) {
    literals.push(source.slice(last, match.index));
    last = match.index + match[0].length;
    const hole = parseHole(match[1] ?? "", available);
    if ("fault" in hole) return hole;
    holes.push(hole);
  }
  literals.push(source.slice(last));
  if (literals.some((text) => text.includes("{{") || text.includes("}}"))) {
    return { fault: "has a {{ or }} without its partner; a field is written {{fact.field}}" };
  }
  const only = holes.length === 1 && literals.every((text) => text === "") ? holes[0] : undefined;
  const filled = (facts: FactValues, say: (value: string) => string) =>
    holes.reduce(
      (text, hole, index) => text + say(show(hole, facts)) + (literals[index + 1] ?? ""),
      literals[0] ?? "",
    );
  const render = (facts: FactValues) => filled(facts, (value) => value);
  return {
    source,
    holes,
    render,
    // Secrets first: cut or escaped, half of one is not recognised.
    sentence: (facts) => oneLine(redact(filled(facts, (value) => shortName(redact(value), longestValue)))),
    value: (facts) =>
      only !== undefined && only.format === null ? valueAt(facts[only.fact], only.path) : render(facts),
  };
}

function parseHole(text: string, available: ReadonlySet<string>): Hole | { fault: string } {
  const fault = (why: string) => ({ fault: `${quoted(`{{${text}}}`).slice(1, -1)} ${why}` });
  const [reference = "", format, ...rest] = text.split("|").map((part) => part.trim());
  const [fact = "", ...steps] = reference.split(".");
  const path = steps.join(".");
  if (rest.length > 0) return fault("has more than one format");
  if (fact === "") return fault("is empty; write {{fact.field}}");
  if (!isFactName(fact)) return fault(`has the unknown fact ${quoted(fact)}${nearest(fact, available)}`);
  if (!available.has(fact)) return fault(`needs "forEach": "${fact}" in this rule`);
  const fields = fieldsOf(fact);
  if (path === "") return fault(`needs a field of ${fact}; known: ${[...fields.keys()].join(", ")}`);
  const field = fields.get(path);
  if (field === undefined)
    return fault(`is unknown: ${fact} has no ${quoted(path)}${nearest(path, fields.keys())}`);
  if (field.type === "object") {
    const inner = [...fields.keys()].filter((each) => each.startsWith(`${path}.`));
    return fault(`is an object; name a field of it: ${inner.join(", ")}`);
  }
  if (format === undefined) return { fact, path, type: field.type, format: null };
  if (!Object.hasOwn(formats, format)) {
    return fault(`has the unknown format ${quoted(format)}${nearest(format, Object.keys(formats))}`);
  }
  if (field.type !== "number")
    return fault(`cannot be shown as ${format}, because ${fact}.${path} is not a number`);
  return { fact, path, type: field.type, format: format as keyof typeof formats };
}

function show(hole: Hole, facts: FactValues): string {
  const value = valueAt(facts[hole.fact], hole.path);
  if (value === null || value === undefined) return "unknown";
  if (hole.format !== null && typeof value === "number") return formats[hole.format].render(value);
  if (typeof value === "number") return String(Math.round(value * 100) / 100);
  return Array.isArray(value) ? value.join(" ") : String(value);
}
