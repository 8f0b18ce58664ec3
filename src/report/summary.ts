/** The last day in a few lines, for people and for a telephone: the registry and the trail, counted. */
import { oneLine, printable } from "../system/printable.ts";
import type { Ack } from "../types/ack.ts";
import { actionCatalog } from "../types/action.ts";
import { createPastOutages, pastAction } from "../types/past.ts";
import type { Problem, RegistryRecord, Severity } from "../types/problem.ts";
import { severities } from "../types/problem.ts";
import type { Mode } from "../types/settings.ts";
import type { TrailCycle } from "../types/trail.ts";
import { type Acknowledged, acknowledged, ackText } from "./acks.ts";
import { watchMeans, watchOnly } from "./mode.ts";
import { matchText, type SilenceData } from "./silences.ts";
import { count, minute } from "./values.ts";

export interface Summary {
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly from: string;
  readonly to: string;
  /** Complete ones, and how many of those a wake-up started. `since` is later than `from` when the trail begins there. */
  readonly cycles: { readonly total: number; readonly woken: number; readonly since: string | null };
  readonly opened: number;
  readonly resolved: number;
  /** The worst first. */
  readonly open: readonly {
    readonly severity: Severity;
    readonly subject: string;
    readonly description: string;
    readonly openedAt: string;
    readonly key: string;
    readonly acknowledged: Acknowledged;
  }[];
  /** What was done on the machine, by action. */
  readonly actions: readonly {
    readonly action: string;
    readonly success: number;
    readonly failure: number;
  }[];
  readonly model: { readonly calls: number; readonly tokens: number; readonly costDollars: number };
  /** What the model made of the whole, when it looked at it last; null: it did not. */
  readonly review: {
    readonly ts: string;
    readonly assessment: string;
    readonly observations: readonly string[];
  } | null;
  /** In force now; null: it could not be asked. */
  readonly silenced: readonly SilenceData[] | null;
  readonly mode: Mode | null;
}
/** What the executor keeps to. */
export type InForce = Pick<Summary, "silenced" | "mode"> & { readonly acks?: readonly Ack[] };

/**
 * @param records lines of the registry, none older than `from`.
 * @param cycles newest first; reading ends with the first one older than `from`.
 */
export function summarise(
  host: string,
  window: { readonly from: string; readonly to: string },
  records: Iterable<RegistryRecord>,
  cycles: Iterable<TrailCycle>,
  open: readonly Problem[],
  inForce: InForce = { silenced: [], mode: "act" },
): Summary {
  let opened = 0;
  let resolved = 0;
  const actions = new Map<string, { action: string; success: number; failure: number }>();
  const past = createPastOutages();
  for (const record of records) {
    if (record.event === "opened") opened += 1;
    if (record.event === "resolved") resolved += 1;
    past.take(record);
    const action = pastAction(record) ?? "";
    if ((record.event !== "action" && record.event !== "past") || !changesMachine(action)) continue;
    const row = actions.get(action) ?? { action, success: 0, failure: 0 };
    if (record.action_result === "success") row.success += 1;
    if (record.action_result === "failure") row.failure += 1;
    if (row.success + row.failure > 0) actions.set(action, row);
  }
  opened += past.count();
  const seen = { total: 0, woken: 0, since: null as string | null };
  const model = { calls: 0, tokens: 0, costDollars: 0 };
  let review: Summary["review"] = null;
  for (const { cycle, consultation } of cycles) {
    if (cycle.ts < window.from) break;
    if (cycle.trigger !== "command") seen.total += 1;
    seen.since = cycle.ts;
    if (cycle.trigger === "wake") seen.woken += 1;
    if (consultation === null || consultation === undefined) continue;
    const { assessment, observations, told } = consultation;
    if (told.problems.length === 0 && consultation.outcome === "answered")
      review ??= { ts: cycle.ts, assessment, observations };
    model.calls += 1;
    model.tokens += consultation.inputTokens + consultation.outputTokens;
    model.costDollars += consultation.costDollars ?? 0;
  }
  const rank = ({ severity }: { severity: Severity }) => severities.indexOf(severity);
  return {
    host,
    ...window,
    cycles: seen,
    opened,
    resolved,
    open: [...open]
      .sort((a, b) => rank(a) - rank(b) || (a.openedAt < b.openedAt ? -1 : 1))
      .map((problem) => ({
        severity: problem.severity,
        subject: problem.subject,
        description: problem.description,
        openedAt: problem.openedAt,
        key: problem.key,
        acknowledged: acknowledged(inForce.acks ?? [], problem),
      })),
    actions: [...actions.values()].sort((a, b) => (a.action < b.action ? -1 : 1)),
    model,
    review,
    silenced: inForce.silenced,
    mode: inForce.mode,
  };
}

function changesMachine(action: string): boolean {
  return Object.entries(actionCatalog).some(([type, { message }]) => type === action && !message);
}

const reviewText = ({ assessment, observations }: NonNullable<Summary["review"]>): string =>
  [
    `\nThe model's look at the whole: ${oneLine(assessment)}`,
    ...observations.map((each) => `- ${oneLine(each)}`),
  ].join("\n");

/** More would not be read on a telephone; `argus problems` has them all. */
const mostShown = 10;

function silenceLines(silenced: Summary["silenced"]): string[] {
  if (silenced === null) return ["what is silenced is not known: the executor was not to be asked"];
  const shown = silenced.slice(0, mostShown).map(({ match, until, actions }) => {
    return `silenced until ${minute(until)} UTC${actions ? ", actions too" : ""}: ${matchText(match)}`;
  });
  const rest = silenced.length - shown.length;
  return rest === 0 ? shown : [...shown, `and ${rest} more: argus silence list`];
}

/** Plain text, a line for each thing that there is to say. */
export function summaryText(summary: Summary): string {
  const { host, from, to, cycles, opened, resolved, open, actions, model, review, silenced, mode } = summary;
  const shown = open
    .slice(0, mostShown)
    .map(({ severity, description, openedAt, key, acknowledged: ack }) => {
      const seen = ack === null ? "" : `\n${ackText(ack, to)}`;
      return `${severity.toUpperCase()} ${printable(description)} (since ${minute(openedAt)} UTC)${seen}\nargus explain ${key}`;
    });
  const rest = open.length - shown.length;
  const woken = cycles.woken === 0 ? "" : `, ${cycles.woken} of them woken by an event`;
  const cost = model.costDollars > 0 ? `, $${model.costDollars.toFixed(4)}` : "";
  return [
    `${printable(host)}: ${minute(from)} to ${minute(to)} UTC`,
    ...(mode === "watch" ? [`Mode: ${watchOnly}: ${watchMeans}`] : []),
    `${count(opened, "problem")} opened, ${resolved} resolved, ${open.length} open now`,
    ...actions.map(
      ({ action, success, failure }) => `${printable(action)}: ${success} succeeded, ${failure} failed`,
    ),
    cycles.total === 0
      ? "no cycle in this time: is Argus running?"
      : `${count(cycles.total, "cycle")}${woken}`,
    ...(model.calls === 0
      ? ["the model was not asked"]
      : [`the model was asked ${count(model.calls, "time")}: ${count(model.tokens, "token")}${cost}`]),
    ...silenceLines(silenced),
    ...(review === null ? [] : [reviewText(review)]),
    ...shown.map((each) => `\n${each}`),
    ...(rest > 0 ? [`\nand ${rest} more: argus problems --open`] : []),
  ].join("\n");
}
