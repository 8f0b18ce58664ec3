/** Conditions, with the values they saw, as aligned rows. */
import type { Evidence } from "../types/trail.ts";
import { type Line, type Text, toned } from "./layout.ts";
import { operatorWords, wantedWords } from "./sentences.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { distance, distanceText, pair } from "./values.ts";

/** `service.activeState  is one of "failed", "inactive"  saw "failed"` */
export function conditionLines(evidence: readonly Evidence[], style: Style, indent: number): Line[] {
  const rows = evidence.map((one): Text[] => {
    const { saw, wanted } = texts(one);
    const from = one.wantedFrom === undefined ? "" : ` (${one.wantedFrom})`;
    return [name(one), `${operatorWords(one.operator)} ${wanted}${from}`, seen(one.result, saw)];
  });
  return table(rows, [{ wraps: true }, { wraps: true }, { wraps: true }], { style, indent });
}

const name = ({ fact, path }: Evidence): string => (path === "" ? fact : `${fact}.${path}`);

/** A rule of `any` conditions holds although some of them do not. */
function seen(result: boolean | null, saw: string): Text {
  if (result === null) return toned("warning", saw === "not observed" ? saw : `cannot be judged: ${saw}`);
  return result ? [toned("good", "saw"), ` ${saw}`] : [toned("quiet", "does not hold, saw"), ` ${saw}`];
}

/** A list of a hundred arguments would hide the condition it stands in. */
const mostElements = 6;

function texts({ saw, wanted, path, fact }: Evidence): { saw: string; wanted: string } {
  const field = path === "" ? fact : path;
  const short = (value: unknown): unknown =>
    Array.isArray(value) && value.length > mostElements ? value.slice(0, mostElements) : value;
  const more = (value: unknown): string =>
    Array.isArray(value) && value.length > mostElements ? ` and ${value.length - mostElements} more` : "";
  const told = pair(short(saw), short(wanted), field);
  return { saw: told.saw + more(saw), wanted: told.wanted + more(wanted) };
}

/** How far a look is from firing: fewer failed conditions first, then the smaller relative distance. */
export function remoteness(evidence: readonly Evidence[]): number {
  return evidence.filter((one) => one.result !== true).reduce((sum, one) => sum + 1 + gap(one), 0);
}

/** 0 to 1: a number by how much of what is wanted is missing; anything else is missing wholly. */
function gap(evidence: Evidence): number {
  const missing = distance(evidence);
  const wanted = typeof evidence.wanted === "number" ? Math.abs(evidence.wanted) : 0;
  if (missing === null) return 1;
  return Math.min(1, missing / Math.max(wanted, Number.EPSILON));
}

/** One failed condition as a sentence: `memory.usedPercent is 87.3 %, the rule wants > 90 %: 2.7 % short of it`. */
export function failedCondition(one: Evidence, reason?: string): Text {
  const { saw, wanted } = texts(one);
  const wants =
    wantedWords(one.operator, wanted) + (one.wantedFrom === undefined ? "" : ` (${one.wantedFrom})`);
  if (one.result === null && saw.includes("[redacted]"))
    return [
      `${name(one)} is `,
      toned("strong", saw),
      ` in the recorded snapshot, which holds no secrets; `,
      toned("warning", "whether that matches cannot be told"),
      `; the rule wants ${wants}`,
    ];
  if (one.result === null)
    return [`${name(one)} was `, toned("warning", "not observed"), `; the rule wants ${wants}`];
  const away = distanceText(one);
  return [
    `${name(one)} is `,
    toned("strong", saw),
    `, the rule wants ${wants}`,
    ...(away === null ? [] : [": ", toned("info", away)]),
    ...(reason === undefined ? [] : [": ", toned("info", reason)]),
  ];
}
