/** The document that is put before the model: one JSON object, bounded in size, without secrets. Pure. */

import { stringify } from "../system/printable.ts";
import { redactDeep } from "../system/redact/redact.ts";
import { isoTime, type Moment } from "../types/moment.ts";
import type { Problem } from "../types/problem.ts";
import type { Snapshot } from "../types/snapshot.ts";
import type { TrailCycle } from "../types/trail.ts";
import type { Handled } from "./alerts.ts";
import {
  allowedPart,
  cyclePart,
  endedInADay,
  handledPart,
  historyPart,
  journalPart,
  problemPart,
  type Sizes,
} from "./briefing-parts.ts";
import type { Candidate, Offer } from "./candidates.ts";
import type { JournalTail } from "./evidence.ts";
import { machineLine } from "./machine-text.ts";
import { relevantFacts } from "./relevant-facts.ts";
import type { Unresolved } from "./unresolved.ts";

export interface BriefingInput {
  readonly host: string;
  readonly cycle: string;
  readonly now: Moment;
  readonly snapshot: Snapshot;
  readonly unresolved: readonly Unresolved[];
  readonly handled: readonly Handled[];
  readonly problems: readonly Problem[];
  readonly recent: readonly TrailCycle[];
  readonly offer: Offer;
  readonly journals: readonly JournalTail[];
}

export interface Briefing {
  readonly text: string;
  readonly bytes: number;
  /** Only what the document names; the answer is held to it. */
  readonly problems: readonly string[];
  readonly candidates: readonly Candidate[];
  readonly cut: readonly string[];
}

/** About 16,000 tokens. */
export const maxBriefingBytes = 48_000;

/** When a row comes to too many bytes, the next one is tried. */
const sizes: readonly Sizes[] = [
  {
    problems: 20,
    findings: 5,
    conditions: 12,
    tried: 8,
    journalLines: 40,
    journalLine: 400,
    processes: 10,
    others: 20,
    resolved: 20,
    cycles: 5,
    rows: 20,
    line: 400,
  },
  {
    problems: 20,
    findings: 4,
    conditions: 8,
    tried: 6,
    journalLines: 25,
    journalLine: 300,
    processes: 8,
    others: 10,
    resolved: 10,
    cycles: 3,
    rows: 20,
    line: 300,
  },
  {
    problems: 12,
    findings: 3,
    conditions: 6,
    tried: 4,
    journalLines: 15,
    journalLine: 200,
    processes: 6,
    others: 5,
    resolved: 5,
    cycles: 2,
    rows: 10,
    line: 200,
  },
  {
    problems: 6,
    findings: 2,
    conditions: 4,
    tried: 3,
    journalLines: 8,
    journalLine: 160,
    processes: 4,
    others: 0,
    resolved: 0,
    cycles: 0,
    rows: 6,
    line: 160,
  },
  {
    problems: 3,
    findings: 1,
    conditions: 3,
    tried: 2,
    journalLines: 4,
    journalLine: 120,
    processes: 3,
    others: 0,
    resolved: 0,
    cycles: 0,
    rows: 4,
    line: 120,
  },
  {
    problems: 1,
    findings: 1,
    conditions: 2,
    tried: 2,
    journalLines: 2,
    journalLine: 80,
    processes: 2,
    others: 0,
    resolved: 0,
    cycles: 0,
    rows: 2,
    line: 80,
  },
];

export function briefing(input: BriefingInput): Briefing {
  let smallest: Attempt | null = null;
  for (const size of sizes) {
    smallest = attempt(input, size);
    if (smallest.bytes <= maxBriefingBytes) break;
  }
  if (smallest === null) throw new Error("there is no size for a briefing");
  const { document, ...brief } = smallest;
  // Each part is cleaned where it is made; this is for the part that somebody forgets.
  const text = stringify(redactDeep(document));
  return { ...brief, text, bytes: Buffer.byteLength(text) };
}

type Attempt = Briefing & { readonly document: object };

function attempt(input: BriefingInput, size: Sizes): Attempt {
  const { snapshot, unresolved, offer, journals } = input;
  const cut: string[] = [];
  const first = <T>(items: readonly T[], most: number, what: string): readonly T[] => {
    if (items.length > most) cut.push(`${items.length - most} of ${items.length} ${what} left out`);
    return items.slice(0, most);
  };
  const asked = first(unresolved, size.problems, "unresolved problems");
  const keys = new Set(asked.map(({ key }) => key));
  const candidates = offer.candidates.flatMap((candidate) => {
    const problems = candidate.problems.filter((key) => keys.has(key));
    return problems.length === 0 ? [] : [{ ...candidate, problems }];
  });
  const others = input.problems.filter(({ key, life }) => life !== "resolved" && !keys.has(key));
  const isWhole = unresolved.length === 0;
  const ended = isWhole ? endedInADay(input.problems, input.now.wallMs) : [];
  const history = (problem: Problem) => historyPart(problem, size, input.now.wallMs);
  const resolved = input.handled.filter(
    ({ finding, remediation }) => remediation.covered && !keys.has(finding.key),
  );
  const document = {
    host: machineLine(input.host, 200),
    time: isoTime(input.now),
    cycle: input.cycle,
    ...(isWhole ? { daily_look: "nothing is unresolved: look at the whole" } : {}),
    problems: asked.map((group) => problemPart(group, input.problems, size, input.now.wallMs)),
    allowed_actions: allowedPart(candidates, size),
    not_allowed_now: first(offer.withheld, 10, "notes on what is not allowed").map((each) =>
      machineLine(each, 200),
    ),
    handled_by_rules: first(resolved, size.resolved, "findings that rules handled").map((each) =>
      handledPart(each, size),
    ),
    other_open_problems: first(others, size.others, "other open problems").map((problem) => {
      const { key, severity, description, open_since, ...more } = history(problem);
      return { key, severity, description, open_since, ...(isWhole ? more : {}) };
    }),
    ...(isWhole
      ? {
          ended_in_24_hours: first(ended, size.others, "problems that ended in 24 hours").map(history),
        }
      : {}),
    recent_cycles: first(input.recent.slice(-5), size.cycles, "recent cycles").map((cycle) =>
      cyclePart(cycle, size),
    ),
    collectors_that_failed: snapshot.collectors
      .filter(({ status }) => status === "failed")
      .map(({ name, detail }) => `${name}: ${machineLine(detail, size.line)}`),
    facts: relevantFacts(asked, snapshot.facts, size, (text) => machineLine(text, size.line)),
    journal: journals.map((tail) => journalPart(tail, size)),
    left_out: cut,
  };
  const text = stringify(document);
  return { document, text, bytes: Buffer.byteLength(text), problems: [...keys], candidates, cut };
}
