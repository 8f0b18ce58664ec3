/**
 * Which rules may have begun to fire between two cycles, by the few facts of the pulse. The rules themselves say where
 * the thresholds are, so a threshold of one's own is watched as well as a shipped one.
 */
import type { Facts } from "../types/snapshot.ts";
import type { CompiledRule } from "./compile.ts";
import type { RuleSet } from "./load.ts";

const pulseFacts: ReadonlySet<string> = new Set(["memory", "pressure", "disk"]);
/** A value that swings around its threshold wakes Argus once in this time; the schedule looks anyway. */
const quietAfterMs = 300_000;

export interface Crossings {
  /** @returns one clause for each rule that was certainly quiet at the look before and is not any more. */
  look(rules: RuleSet, facts: Facts, nowMs: number): string[];
}

/** The first look only learns: what is high already is the cycle's business. */
export function createCrossings(): Crossings {
  let before: ReadonlySet<string> | null = null;
  const told = new Map<string, number>();

  return {
    look(rules, facts, nowMs) {
      const loud = new Set(
        rules.rules
          .filter(({ compiled }) => isWatched(compiled))
          .flatMap(({ compiled }) => loudOf(compiled, facts)),
      );
      for (const [clause, atMs] of told) if (nowMs - atMs >= quietAfterMs) told.delete(clause);
      const known = before ?? loud;
      before = loud;
      const news = [...loud].filter((clause) => !known.has(clause) && !told.has(clause));
      for (const clause of news) told.set(clause, nowMs);
      return news;
    },
  };
}

/** One that wants to see something several times cannot fire on a wake-up, which advances no streak. */
function isWatched({ rule, facts }: CompiledRule): boolean {
  const atOnce = rule.for === undefined || (rule.for.cycles === 1 && rule.for.minutes === undefined);
  const ofPulse = facts.length > 0 && facts.every((fact) => pulseFacts.has(fact));
  return atOnce && ofPulse && (rule.forEach === undefined || rule.forEach === "disk");
}

function loudOf({ rule, surelyQuiet }: CompiledRule, facts: Facts): string[] {
  const { memory, pressure } = facts;
  if (rule.forEach === undefined) return surelyQuiet({ memory, pressure }) ? [] : [`${rule.name} may fire`];
  return (facts.disk ?? []).flatMap((disk) =>
    surelyQuiet({ memory, pressure, disk }) ? [] : [`${rule.name} may fire on ${disk.mount}`],
  );
}
