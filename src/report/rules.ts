/** Rules that could not be judged, and why, one line for each reason. */
import type { CollectorReport } from "../types/snapshot.ts";
import type { RuleVerdict } from "../types/trail.ts";
import { collectorOfFact } from "./sentences.ts";
import { count } from "./values.ts";

export interface BlindReason {
  readonly names: readonly string[];
  readonly why: string;
}

export function blindReasons(
  verdicts: readonly RuleVerdict[],
  collectors: readonly CollectorReport[],
): BlindReason[] {
  const reasons = new Map<string, string[]>();
  for (const verdict of verdicts) {
    if (verdict.verdict !== "blind" && verdict.blind === 0) continue;
    const why = reasonOf(verdict, collectors);
    reasons.set(why, [...(reasons.get(why) ?? []), verdict.rule]);
  }
  return [...reasons].map(([why, names]) => ({ names, why }));
}

function reasonOf(verdict: RuleVerdict, collectors: readonly CollectorReport[]): string {
  const { missing, blind, judged, fault } = verdict;
  if (fault !== undefined) return fault;
  const what = missing.length === 0 ? "something it needs" : missing.join(", ");
  const unseen = `${what} ${missing.length > 1 ? "were" : "was"} not observed`;
  const names = new Set(missing.map((path) => collectorOfFact(path.split(".", 1)[0] ?? "")));
  const troubled = collectors.filter(({ name, status }) => status !== "ok" && names.has(name));
  if (troubled.length > 0)
    return troubled.map(({ name, detail }) => `no ${name}, because ${lowerFirst(detail)}`).join("; ");
  return judged > 1 && blind < judged ? `${unseen} on ${blind} of ${count(judged, "look")}` : unseen;
}

/** A collector's sentence goes on in ours; a name such as `ANTHROPIC` or `PSI` keeps its capitals. */
const lowerFirst = (text: string): string =>
  /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
