/** Snapshot + rules + problem history -> findings. */
import type { Entity, Problem24h } from "../types/facts.ts";
import type { Detection, Finding } from "../types/finding.ts";
import type { Moment } from "../types/moment.ts";
import type { Facts } from "../types/snapshot.ts";
import type { Evidence, RuleVerdict, TrailCycle } from "../types/trail.ts";
import { findingOf } from "./finding-of.ts";
import type { JudgedRule, RuleSet } from "./load.ts";
import {
  entitiesOf,
  faultSentence,
  hostFactsOf,
  identityOf,
  judgeLook,
  lookAt,
  missingFacts,
} from "./look.ts";
import { advance, heldFor, mostStreaks, type Streak, type Streaks, streakKey } from "./streaks.ts";

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
  /** What a person should know besides: the stack of a fault in Argus, streaks that are too many to keep. */
  readonly notes: readonly string[];
}

/** What one cycle's judging comes to, filled rule by rule. */
interface Tally {
  readonly findings: Finding[];
  readonly verdicts: RuleVerdict[];
  readonly blindEntities: Map<string, ReadonlySet<string>>;
  readonly waitingKeys: Set<string>;
  dueInSeconds: number | null;
  readonly streaks: Map<string, Streak>;
  readonly notes: string[];
}

export async function detect(input: DetectInput): Promise<DetectOutput> {
  const tally: Tally = {
    findings: [],
    verdicts: [],
    blindEntities: new Map(),
    waitingKeys: new Set(),
    dueInSeconds: null,
    streaks: new Map(),
    notes: [],
  };
  for (const judged of input.rules.rules) await judgeRule(judged, input, tally);
  if (tally.streaks.size > mostStreaks) {
    tally.notes.push(
      `${tally.streaks.size} entities wait until their rules' "for" is over; only ${mostStreaks} can be remembered`,
    );
  }
  return tally;
}

/** What the looks of one rule come to. */
interface RuleTally {
  readonly missing: Set<string>;
  /** A fact that the rule needs was not observed: it is never quiet then, as silence would not be health. */
  readonly lacksFact: boolean;
  readonly blind: Set<string>;
  fired: number;
  waiting: number;
  fault: string | null;
}

async function judgeRule(judged: JudgedRule, input: DetectInput, tally: Tally): Promise<void> {
  const { rule, surelyQuiet } = judged.compiled;
  const { facts } = input;
  const missing = missingFacts(judged, facts);
  const lacksFact = missing.length > 0;
  const own: RuleTally = {
    missing: new Set(missing),
    lacksFact,
    blind: new Set(),
    fired: 0,
    waiting: 0,
    fault: null,
  };
  const unseen = (entity: Entity | null) => {
    const identity = identityOf(rule.forEach, entity);
    own.blind.add(identity);
    keepStreak(judged, identity, null, input, tally);
  };
  const entities = entitiesOf(judged, facts);
  if (lacksFact && entities.length === 0) own.blind.add("*");
  if (rule.forEach !== undefined && facts[rule.forEach] === undefined) keepStreaks(judged, input, tally);

  const shared = hostFactsOf(facts);
  const probe: Record<string, unknown> = { ...shared };
  for (const entity of entities) {
    if (rule.forEach !== undefined) probe[rule.forEach] = entity;
    // A fault, or something hostile that brings one out, costs the look at that entity and nothing else.
    try {
      if (!surelyQuiet(probe)) await lookClosely(judged, entity, shared, own, input, tally);
      else if (lacksFact) unseen(entity);
    } catch (error) {
      if (own.fault === null) tally.notes.push(`rule ${rule.name} ${faultSentence(error)}${stackOf(error)}`);
      own.fault ??= faultSentence(error);
      unseen(entity);
    }
  }
  if (own.fired > mostFindings) {
    tally.notes.push(
      `the rule ${rule.name} fired on ${own.fired} things; only the first ${mostFindings} are kept, and people hear of no others`,
    );
  }
  tally.verdicts.push(verdictOf(judged, own, entities.length));
  if (own.blind.size > 0) tally.blindEntities.set(rule.name, own.blind);
}

async function lookClosely(
  judged: JudgedRule,
  entity: Entity | null,
  shared: Readonly<Record<string, unknown>>,
  own: RuleTally,
  input: DetectInput,
  tally: Tally,
): Promise<void> {
  const { rule } = judged.compiled;
  const look = lookAt(judged, entity, shared, input.problemOf);
  const judgement = await judgeLook(judged, look, own.lacksFact);
  const { holds } = judgement;
  if (holds === null) {
    own.blind.add(look.identity);
    // With a whole fact missing that alone is named: what else is missing shows when it is back.
    const unseen = own.lacksFact ? [] : judgement.evidence.filter(({ result }) => result === null);
    for (const part of unseen) own.missing.add(missingName(part));
  }
  const streak = keepStreak(judged, look.identity, holds, input, tally);
  if (holds !== true) return;
  const held = heldFor(rule, streak, input.now);
  if (held !== null && !held.enough) {
    own.waiting += 1;
    tally.waitingKeys.add(look.key);
    const minutes = rule.for?.minutes;
    if (minutes !== undefined && held.cycles > 0)
      tally.dueInSeconds = Math.min(tally.dueInSeconds ?? Infinity, minutes * 60 - held.seconds);
    return;
  }
  if (own.fired < mostFindings) tally.findings.push(findingOf(judged, look, judgement, held));
  own.fired += 1;
}

function verdictOf({ compiled }: JudgedRule, own: RuleTally, judged: number): RuleVerdict {
  const blind = own.blind.size;
  return {
    rule: compiled.rule.name,
    verdict: own.fired > 0 ? "fired" : blind > 0 ? "blind" : "quiet",
    fired: own.fired,
    waiting: own.waiting,
    blind,
    judged,
    missing: blind > 0 ? [...own.missing] : [],
    ...(own.fault === null ? {} : { fault: own.fault }),
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? `\n${error.stack}` : "";
}

function missingName({ saw, fact, path, wantedFrom }: Evidence): string {
  return saw === null || wantedFrom === undefined ? `${fact}.${path}` : wantedFrom;
}

function keepStreak(
  { compiled }: JudgedRule,
  identity: string,
  holds: boolean | null,
  input: DetectInput,
  tally: Tally,
): Streak | undefined {
  if (compiled.rule.for === undefined) return undefined;
  const key = streakKey(compiled.version, identity);
  const streak = advance(
    input.streaks.get(key),
    { holds, scheduled: input.scheduled, byTime: compiled.rule.for.minutes !== undefined },
    input.now,
    input.maxGapSeconds,
  );
  if (streak !== undefined) tally.streaks.set(key, streak);
  return streak;
}

/** What was not looked at keeps its streak: not to have seen something is no sign that it is gone. */
function keepStreaks(judged: JudgedRule, input: DetectInput, tally: Tally): void {
  const prefix = streakKey(judged.compiled.version, "");
  for (const key of input.streaks.keys()) {
    if (key.startsWith(prefix)) keepStreak(judged, key.slice(prefix.length), null, input, tally);
  }
}

/** The verdicts as the trail keeps them: of the quiet rules, only how many there are. */
export function rulesOf({ verdicts }: Detection): TrailCycle["rules"] {
  const notable = verdicts.filter(
    ({ verdict, waiting, blind }) => verdict !== "quiet" || waiting > 0 || blind > 0,
  );
  return {
    total: verdicts.length,
    quiet: verdicts.filter(({ verdict }) => verdict === "quiet").length,
    verdicts: notable,
  };
}
