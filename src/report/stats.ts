/** What Argus did over days, counted from the trail and the registry: the data of `argus stats`. */
import { type ActionRecord, ActionType, type RefusalReason } from "../types/action.ts";
import type { ConsultationOutcome, Rejection } from "../types/consultation.ts";
import { pastAction } from "../types/past.ts";
import type { RegistryRecord } from "../types/problem.ts";
import type { ModelAnswer, TrailCycle } from "../types/trail.ts";
import { type Lives, livesOf } from "./lives.ts";
import { type Asker, askerOf, Counts, percentile } from "./tally.ts";

export interface Stats {
  /** ISO 8601, UTC. */
  readonly from: string;
  readonly to: string;
  /** The oldest cycle of this time that the trail still has; null: none. */
  readonly since: string | null;
  readonly cycles: {
    readonly total: number;
    readonly byTrigger: Readonly<Record<string, number>>;
    /** In which anything was found. */
    readonly withFindings: number;
  };
  readonly problems: Lives;
  readonly model: {
    readonly calls: number;
    readonly byOutcome: Readonly<Partial<Record<ConsultationOutcome, number>>>;
    /** Cycles in which something was found and the model was not asked, by the reason. */
    readonly avoided: Readonly<Partial<Record<ModelAnswer, number>>>;
    readonly tokens: number;
    readonly latencyMs: { readonly median: number; readonly percentile95: number } | null;
    /** Of the calls whose price is known. */
    readonly costDollars: number;
    readonly callsWithoutPrice: number;
    readonly days: readonly DayStats[];
    /** Problems that ended after an action of the model had worked. */
    readonly resolvedByModel: number;
  };
  /** By action and by who asked for it, most first. */
  readonly actions: readonly ActionStats[];
  /** Most first. */
  readonly rules: readonly { readonly rule: string; readonly fired: number }[];
}

export interface DayStats {
  /** `2026-11-20`, UTC. */
  readonly day: string;
  readonly calls: number;
  readonly tokens: number;
  /** Of the calls whose price is known. */
  readonly costDollars: number;
  readonly callsWithoutPrice: number;
}

export interface ActionStats {
  /** One of the actions there are, or `unknown`. */
  readonly action: string;
  readonly source: Asker;
  readonly asked: number;
  readonly done: number;
  readonly withoutEffect: number;
  readonly failed: number;
  /** Argus was told to stop before it came to them. */
  readonly notBegun: number;
  /** By the gate, or already where the reply was read. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
}

/** @param cycles newest first; reading ends with the first one older than `from`. @param records newest first. */
export function statsOf(
  { from, to }: { readonly from: string; readonly to: string },
  records: Iterable<RegistryRecord>,
  cycles: Iterable<TrailCycle>,
): Stats {
  const tally = newTally();
  for (const each of cycles) {
    if (each.cycle.ts < from) break;
    tally.take(each);
  }
  const { problems, resolvedByModel } = livesOf(tally.takePast(records, from), from);
  const { model, ...rest } = tally.result();
  return { from, to, ...rest, problems, model: { ...model, resolvedByModel } };
}

function newTally() {
  let total = 0;
  let withFindings = 0;
  let since: string | null = null;
  const byTrigger = new Counts<string>();
  const avoided = new Counts<ModelAnswer>();
  const byOutcome = new Counts<ConsultationOutcome>();
  const fired = new Counts<string>();
  const latencies: number[] = [];
  const days = new Map<string, { -readonly [field in keyof DayStats]: DayStats[field] }>();
  const actions = new Map<string, ReturnType<typeof newRow>>();

  function takeConsultation({ cycle, consultation }: TrailCycle): void {
    if (consultation === null || consultation === undefined || consultation.requests === 0) return;
    const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costDollars } = consultation;
    byOutcome.add(consultation.outcome);
    latencies.push(consultation.latencyMs);
    const day = cycle.ts.slice(0, 10);
    const row = days.get(day) ?? { day, calls: 0, tokens: 0, costDollars: 0, callsWithoutPrice: 0 };
    row.calls += 1;
    if (costDollars === null) row.callsWithoutPrice += 1;
    row.tokens += inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens;
    row.costDollars += costDollars ?? 0;
    days.set(day, row);
  }

  function rowOf(type: string, source: Asker) {
    // What the model called an action may be any text: only those that there are get a row of their own.
    const action = ActionType.safeParse(type).data ?? "unknown";
    const name = nameOf({ action, source });
    const row = actions.get(name) ?? newRow(action, source);
    actions.set(name, row);
    row.asked += 1;
    return row;
  }

  function takeAction(action: ActionRecord): void {
    const row = rowOf(action.type, askerOf(action.source));
    if (action.refusal !== null) row.refused.add(action.refusal);
    else if (action.result === "failure") row.failed += 1;
    else if (action.result === "success" && action.verified === false) row.withoutEffect += 1;
    else if (action.result === "success") row.done += 1;
    else row.notBegun += 1;
  }

  /** What went no further than the reading of the reply is in no record of an action. */
  function takeRejected(source: "model" | "agent", rejected: readonly Rejection[]): void {
    for (const { what, reason } of rejected) rowOf(what.split(" ", 1)[0] ?? "", source).refused.add(reason);
  }

  return {
    /** What the first Argus did stands in the registry alone. @returns the records as they came. */
    *takePast(records: Iterable<RegistryRecord>, from: string): Generator<RegistryRecord> {
      for (const record of records) {
        const action = record.event === "past" && record.ts >= from ? pastAction(record) : null;
        if (action !== null) {
          const row = rowOf(action, askerOf(record.source));
          if (record.action_result === "success") row.done += 1;
          else if (record.action_result === "failure") row.failed += 1;
          else row.notBegun += 1;
        }
        yield record;
      }
    },
    take(each: TrailCycle): void {
      since = each.cycle.ts;
      if (each.cycle.trigger !== "command") {
        total += 1;
        byTrigger.add(each.cycle.trigger);
      }
      if (each.findings.length > 0) withFindings += 1;
      if (each.findings.length > 0 && !each.cycle.model.asked) avoided.add(each.cycle.model.why);
      for (const rule of new Set(each.findings.map((finding) => finding.rule))) fired.add(rule);
      for (const action of each.actions) takeAction(action);
      takeRejected("model", each.consultation?.rejected ?? []);
      for (const { rejected } of each.hand_offs ?? []) takeRejected("agent", rejected);
      takeConsultation(each);
    },
    result() {
      const rows = [...days.values()].sort((a, b) => (a.day < b.day ? -1 : 1));
      const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + of(row), 0);
      return {
        since,
        cycles: { total, byTrigger: byTrigger.all(), withFindings },
        model: {
          calls: latencies.length,
          byOutcome: byOutcome.all(),
          avoided: avoided.all(),
          tokens: sum(({ tokens }) => tokens),
          latencyMs:
            latencies.length === 0
              ? null
              : { median: percentile(latencies, 0.5), percentile95: percentile(latencies, 0.95) },
          costDollars: sum(({ costDollars }) => costDollars),
          callsWithoutPrice: sum((row) => row.callsWithoutPrice),
          days: rows,
        },
        actions: [...actions.values()]
          .map(({ refused, ...row }) => ({ ...row, refused: refused.all() }))
          .sort((a, b) => b.asked - a.asked || (nameOf(a) < nameOf(b) ? -1 : 1)),
        rules: fired.rows().map(([rule, number]) => ({ rule, fired: number })),
      };
    },
  };
}

const nameOf = ({ action, source }: { action: string; source: Asker }): string => `${action} ${source}`;

const newRow = (action: string, source: Asker) => ({
  action,
  source,
  asked: 0,
  done: 0,
  withoutEffect: 0,
  failed: 0,
  notBegun: 0,
  refused: new Counts<RefusalReason>(),
});
