/** What Argus did over days, counted from the trail and the registry: the data of `argus stats`. */
import type { ActionRecord, RefusalReason } from "../types/action.ts";
import type { ConsultationOutcome } from "../types/consultation.ts";
import type { RegistryRecord } from "../types/problem.ts";
import type { ModelAnswer, TrailCycle } from "../types/trail.ts";

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
  readonly problems: {
    readonly opened: number;
    readonly resolved: number;
    /** Of those that were both opened and resolved in this time; null: none. */
    readonly secondsToHeal: { readonly median: number; readonly worst: number } | null;
  };
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
    readonly days: readonly {
      readonly day: string;
      readonly calls: number;
      readonly tokens: number;
      readonly costDollars: number;
    }[];
    /** Problems that ended after an action of the model had worked. */
    readonly resolvedByModel: number;
  };
  /** By action and by who asked for it, most first. */
  readonly actions: readonly ActionStats[];
  /** Most first. */
  readonly rules: readonly { readonly rule: string; readonly fired: number }[];
}

export interface ActionStats {
  readonly action: string;
  readonly source: "rule" | "model" | "operator" | "self";
  readonly asked: number;
  readonly done: number;
  readonly withoutEffect: number;
  readonly failed: number;
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
  const { problems, resolvedByModel } = livesOf(records, from);
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
  const days = new Map<string, { day: string; calls: number; tokens: number; costDollars: number }>();
  let callsWithoutPrice = 0;
  const actions = new Map<string, ReturnType<typeof newRow>>();

  function takeConsultation({ cycle, consultation }: TrailCycle): void {
    if (consultation === null || consultation === undefined || consultation.requests === 0) return;
    const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costDollars } = consultation;
    byOutcome.add(consultation.outcome);
    latencies.push(consultation.latencyMs);
    if (costDollars === null) callsWithoutPrice += 1;
    const day = cycle.ts.slice(0, 10);
    const row = days.get(day) ?? { day, calls: 0, tokens: 0, costDollars: 0 };
    row.calls += 1;
    row.tokens += inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens;
    row.costDollars += costDollars ?? 0;
    days.set(day, row);
  }

  function takeAction(action: ActionRecord): void {
    const name = `${action.type} ${sourceOf(action.source)}`;
    const row = actions.get(name) ?? newRow(action);
    actions.set(name, row);
    row.asked += 1;
    if (action.refusal !== null) row.refused.add(action.refusal);
    else if (action.result === "failure") row.failed += 1;
    else if (action.result === "success" && action.verified === false) row.withoutEffect += 1;
    else if (action.result === "success") row.done += 1;
  }

  return {
    take(each: TrailCycle): void {
      total += 1;
      since = each.cycle.ts;
      byTrigger.add(each.cycle.trigger);
      if (each.findings.length > 0) withFindings += 1;
      if (each.findings.length > 0 && !each.cycle.model.asked) avoided.add(each.cycle.model.why);
      for (const rule of new Set(each.findings.map((finding) => finding.rule))) fired.add(rule);
      for (const action of each.actions) takeAction(action);
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
          callsWithoutPrice,
          days: rows,
        },
        actions: [...actions.values()]
          .map(({ refused, ...row }) => ({ ...row, refused: refused.all() }))
          .sort((a, b) => b.asked - a.asked || (a.action < b.action ? -1 : 1)),
        rules: fired.rows().map(([rule, number]) => ({ rule, fired: number })),
      };
    },
  };
}

const newRow = ({ type, source }: ActionRecord) => ({
  action: type === "" ? "unknown" : type,
  source: sourceOf(source),
  asked: 0,
  done: 0,
  withoutEffect: 0,
  failed: 0,
  refused: new Counts<RefusalReason>(),
});

function sourceOf(source: string): ActionStats["source"] {
  if (source.startsWith("rule:")) return "rule";
  if (source.startsWith("llm:")) return "model";
  return source === "operator" ? "operator" : "self";
}

/** Openings and ends, paired by key. */
function livesOf(records: Iterable<RegistryRecord>, from: string) {
  const sorted = [...records].filter(({ ts, event }) => ts >= from && event !== "changed").reverse();
  sorted.sort((a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0));
  const openedAt = new Map<string, string>();
  const helped = new Set<string>();
  const durations: number[] = [];
  let opened = 0;
  let resolved = 0;
  let resolvedByModel = 0;
  for (const { ts, key, event, source, action_result: result, verified } of sorted) {
    if (event === "opened") {
      opened += 1;
      openedAt.set(key, ts);
      helped.delete(key);
    }
    const isModels = event === "action" && source.startsWith("llm:");
    if (isModels && result === "success" && verified === true) helped.add(key);
    if (event !== "resolved") continue;
    resolved += 1;
    const begun = openedAt.get(key);
    if (begun !== undefined) durations.push((Date.parse(ts) - Date.parse(begun)) / 1000);
    if (helped.delete(key)) resolvedByModel += 1;
    openedAt.delete(key);
  }
  const secondsToHeal =
    durations.length === 0 ? null : { median: percentile(durations, 0.5), worst: Math.max(...durations) };
  return { problems: { opened, resolved, secondsToHeal }, resolvedByModel };
}

/** The nearest rank: one of the values themselves. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

class Counts<T extends string> {
  readonly #counts = new Map<T, number>();

  add(what: T): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** Most first. */
  rows(): [T, number][] {
    return [...this.#counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  }

  all(): Record<T, number> {
    return Object.fromEntries(this.rows()) as Record<T, number>;
  }
}
