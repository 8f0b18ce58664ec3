/**
 * Which thresholds of the rules in force were crossed between two looks of the pulse. The rules themselves say where
 * the thresholds are, so one of a user's own is watched as well as a shipped one.
 */
import { valueAt } from "../types/fields.ts";
import { type PulseFact, type PulseFacts, pulseFacts } from "../types/pulse.ts";
import type { Condition, Leaf, Rule } from "../types/rules.ts";
import { leavesOf } from "./compile.ts";
import type { RuleSet } from "./load.ts";
import { parseOperator } from "./operators.ts";

const thresholds: ReadonlySet<string> = new Set([
  "greaterThan",
  "greaterThanInclusive",
  "lessThan",
  "lessThanInclusive",
]);

/**
 * A value that swings around its threshold wakes Argus once in this time, or once between two cycles of the schedule.
 * A wake-up's own cycle does not end that: the value is as likely as not back below when it looks, and each swing would
 * then wake it again, one in ten seconds.
 */
const quietAfterMs = 300_000;

export interface Crossings {
  /** The facts that some threshold is on: of the shipped rules, memory and disk. */
  watches(rules: RuleSet): ReadonlySet<PulseFact>;
  /** @returns one clause for each threshold that was not passed at the look before and is now. */
  look(rules: RuleSet, facts: PulseFacts, nowMs: number): string[];
  /** The same look where a cycle begins: what it sees is that cycle's business. */
  leaveToCycle(rules: RuleSet, facts: PulseFacts, scheduled: boolean): void;
}

/** The first look at something only learns: what is passed already is the cycle's business. */
export function createCrossings(): Crossings {
  /** By threshold and disk. What a look cannot tell stays as it was. */
  let passed = new Map<string, boolean>();
  let mounts: ReadonlySet<string> | null = null;
  const told = new Map<string, number>();
  let compiledFor: RuleSet | null = null;
  let watched: readonly Watched[] = [];
  let watchedFacts: ReadonlySet<PulseFact> = new Set();

  function prepare(rules: RuleSet): void {
    if (compiledFor === rules) return;
    watched = rules.rules.flatMap(({ compiled }) => watchedOf(compiled.rule) ?? []);
    watchedFacts = new Set(watched.flatMap(({ facts }) => facts));
    compiledFor = rules;
  }

  function see(rules: RuleSet, facts: PulseFacts): Seen[] {
    prepare(rules);
    return watched.flatMap((each) => seenBy(each, facts));
  }

  function remember(seen: readonly Seen[], facts: PulseFacts): void {
    const next = new Map<string, boolean>();
    for (const { key, holds } of seen) {
      const is = holds ?? passed.get(key);
      if (is !== undefined) next.set(key, is);
    }
    // Disks that gave no answer in time have not changed for that.
    if (facts.disk === undefined) for (const [key, was] of passed) if (!next.has(key)) next.set(key, was);
    passed = next;
    if (facts.disk !== undefined) mounts = new Set(facts.disk.map(({ mount }) => mount));
  }

  /** Nobody has looked at a disk that was mounted since; a threshold of a new rule was looked at by the cycle that read it. */
  function isNews({ key, mount }: Seen): boolean {
    const was = passed.get(key);
    return was === undefined ? mount !== null && mounts !== null && !mounts.has(mount) : !was;
  }

  return {
    watches(rules) {
      prepare(rules);
      return watchedFacts;
    },
    look(rules, facts, nowMs) {
      const seen = see(rules, facts);
      for (const [key, atMs] of told) if (nowMs - atMs >= quietAfterMs) told.delete(key);
      const news = new Map<string, Seen>();
      for (const each of seen) {
        if (each.holds === true && each.mayFire && isNews(each) && !told.has(each.key))
          news.set(each.key, each);
      }
      for (const key of news.keys()) told.set(key, nowMs);
      remember(seen, facts);
      return [...news.values()].map(({ clause }) => clause());
    },
    leaveToCycle(rules, facts, scheduled) {
      const seen = see(rules, facts);
      if (scheduled) for (const { key, holds } of seen) if (holds === false) told.delete(key);
      remember(seen, facts);
    },
  };
}

interface Seen {
  readonly key: string;
  readonly mount: string | null;
  /** Made only when it is told. */
  readonly clause: () => string;
  /** null: cannot be told. */
  readonly holds: boolean | null;
  /** Whether its rule may hold, as far as the pulse can tell. */
  readonly mayFire: boolean;
}

type Values = Readonly<Record<string, unknown>>;

interface Watched {
  readonly perDisk: boolean;
  /** All of the rule's that the pulse has: what is not on a threshold may still rule it out. */
  readonly facts: readonly PulseFact[];
  readonly mayHold: (values: Values) => boolean | null;
  readonly leaves: readonly {
    readonly leaf: Leaf;
    readonly name: string;
    readonly holds: (values: Values) => boolean | null;
  }[];
}

/**
 * null: nothing to watch. A rule with a longer `for` has nothing either: its streak begins with a scheduled cycle, so
 * at the moment of a crossing it cannot fire.
 */
function watchedOf(rule: Rule): Watched | null {
  const atOnce = rule.for === undefined || (rule.for.cycles === 1 && rule.for.minutes === undefined);
  if (!atOnce || (rule.forEach !== undefined && rule.forEach !== "disk")) return null;
  const leaves = thresholdsOf(rule.conditions, false);
  if (leaves.length === 0) return null;
  const facts = factsOf(rule.conditions);
  return { perDisk: rule.forEach === "disk", facts, mayHold: truthOf(rule.conditions), leaves };
}

/** @param inverted below an odd number of `not`: there it is passed when the comparison ends to hold. */
function thresholdsOf(condition: Condition, inverted: boolean): Watched["leaves"] {
  if ("all" in condition) return condition.all.flatMap((each) => thresholdsOf(each, inverted));
  if ("any" in condition) return condition.any.flatMap((each) => thresholdsOf(each, inverted));
  if ("not" in condition) return thresholdsOf(condition.not, !inverted);
  const { fact, path = "", operator, value } = condition;
  const parsed = parseOperator(operator);
  if ("fault" in parsed || !isPulseFact(fact) || !thresholds.has(parsed.name)) return [];
  const limit = typeof value === "object" && "fact" in value ? `${value.fact}.${value.path ?? ""}` : value;
  const name = `${fact} ${path} ${inverted ? "not " : ""}${operator} ${limit}`;
  const holds = inverted ? not(truthOf(condition)) : truthOf(condition);
  return [{ leaf: condition, name, holds }];
}

const isPulseFact = (name: string): name is PulseFact => (pulseFacts as readonly string[]).includes(name);

function factsOf(condition: Condition): PulseFact[] {
  const all = leavesOf(condition).flatMap(({ fact, value }) =>
    typeof value === "object" && "fact" in value ? [fact, value.fact] : [fact],
  );
  return all.filter(isPulseFact);
}

const not =
  (inner: (values: Values) => boolean | null) =>
  (values: Values): boolean | null => {
    const value = inner(values);
    return value === null ? null : !value;
  };

/** Three values, as in judge.ts: what the pulse does not see cannot be told. */
function truthOf(condition: Condition): (values: Values) => boolean | null {
  if ("all" in condition) {
    const parts = condition.all.map(truthOf);
    return (values) => fold(parts, values, false);
  }
  if ("any" in condition) {
    const parts = condition.any.map(truthOf);
    return (values) => fold(parts, values, true);
  }
  if ("not" in condition) return not(truthOf(condition.not));
  const parsed = parseOperator(condition.operator);
  if ("fault" in parsed) return () => null;
  const { fact, path = "" } = condition;
  return (values) => {
    const left = valueAt(values[fact], path) ?? null;
    const right = wanted(condition, values);
    return left === null || right === null ? null : parsed.compare(left, right);
  };
}

/** @param decisive the value that one part alone gives to the whole. */
function fold(
  parts: readonly ((values: Values) => boolean | null)[],
  values: Values,
  decisive: boolean,
): boolean | null {
  const each = parts.map((part) => part(values));
  return each.includes(decisive) ? decisive : each.includes(null) ? null : !decisive;
}

function wanted({ value }: Leaf, values: Values): unknown {
  const isReference = typeof value === "object" && "fact" in value;
  return isReference ? (valueAt(values[value.fact], value.path ?? "") ?? null) : value;
}

function seenBy({ perDisk, mayHold, leaves }: Watched, facts: PulseFacts): Seen[] {
  const { memory, pressure, swap } = facts;
  const disks = perDisk ? (facts.disk ?? []) : [null];
  return disks.flatMap((disk) => {
    const values: Values = disk === null ? { memory, pressure, swap } : { memory, pressure, swap, disk };
    const mayFire = mayHold(values) !== false;
    const mount = disk?.mount ?? null;
    return leaves.map(({ leaf, name, holds }) => ({
      key: mount === null ? name : `${name} ${mount}`,
      mount,
      clause: () => clauseOf(leaf, values, mount),
      holds: holds(values),
      mayFire,
    }));
  });
}

/** `disk / usedPercent crossed 90 (now 93.4)`. */
function clauseOf(leaf: Leaf, values: Values, mount: string | null): string {
  const { fact, path = "" } = leaf;
  const subject = fact === "disk" && mount !== null ? `disk ${mount}` : fact;
  const now = valueAt(values[fact], path);
  const is = typeof now === "number" ? ` (now ${rounded(now)})` : "";
  return `${subject} ${path} crossed ${wanted(leaf, values)}${is}`;
}

const rounded = (value: number): number => (Math.abs(value) < 1000 ? Math.round(value * 10) / 10 : value);
