/** `argus stats` for people. */
import type { RefusalReason } from "../types/action.ts";
import type { ModelAnswer } from "../types/trail.ts";
import { beside, blank, type Line, print, type Text, toned, wrap } from "./layout.ts";
import type { ActionStats, Stats } from "./stats.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { count, duration, grouped, minute, took } from "./values.ts";

const labelWidth = 10;
const mostRules = 10;
const mostDays = 14;

export function statsReport(stats: Stats, style: Style): string {
  const field = (label: string, lines: Line[]): Line[] =>
    lines.length === 0 ? [] : beside(toned("strong", label), lines, { style, indent: 0, labelWidth });
  const text = (...values: Text[]): Line[] =>
    values.flatMap((each) => wrap(each, { style, indent: labelWidth, hang: labelWidth + 2, marked: "none" }));
  const { from, to, since, cycles } = stats;
  const head = [toned("strong", `${minute(from)} to ${minute(to)} UTC`)];
  if (cycles.total === 0)
    return print(
      [
        ...wrap(head, { style }),
        blank,
        ...wrap("No cycle in this time: is Argus running?", { style }),
        // The first Argus left a registry, and no cycles.
        ...(stats.problems.opened === 0
          ? []
          : [blank, ...field("Problems", text(problems(stats))), ...field("Actions", actions(stats, style))]),
      ],
      style,
    );
  // A trail that was rotated away reaches less far back than was asked for.
  const reach =
    since === null || Date.parse(since) - Date.parse(from) < 3_600_000
      ? ""
      : `; the trail begins at ${minute(since)}`;
  const triggers = Object.entries(cycles.byTrigger).map(
    ([trigger, number]) => `${grouped(number)} ${triggerWord(trigger)}`,
  );
  return print(
    [
      ...wrap([...head, reach], { style, marked: "none" }),
      blank,
      ...field(
        "Cycles",
        text(
          `${grouped(cycles.total)} (${triggers.join(", ")}); something was found in ${grouped(cycles.withFindings)}`,
        ),
      ),
      ...field("Problems", text(problems(stats))),
      ...field("Model", text(...model(stats))),
      ...field("Cost", cost(stats, style)),
      ...field("Actions", actions(stats, style)),
      ...field("Rules", rules(stats, style)),
    ],
    style,
  );
}

const triggerWord = (trigger: string): string =>
  ({ schedule: "by schedule", wake: "by a wake-up", once: "by hand" })[trigger] ?? trigger;

function problems({ problems: { opened, resolved, secondsToHeal } }: Stats): string {
  const heal =
    secondsToHeal === null
      ? ""
      : `; half of them within ${duration(secondsToHeal.median)}, the longest after ${duration(secondsToHeal.worst)}`;
  return `${grouped(opened)} opened, ${grouped(resolved)} resolved${heal}`;
}

function model({ model: { calls, byOutcome, avoided, tokens, latencyMs } }: Stats): Text[] {
  const reasons = Object.entries(avoided) as [ModelAnswer, number][];
  const number = reasons.reduce((sum, [, each]) => sum + each, 0);
  const avoidedText = `${count(number, "call")} avoided${list(reasons)}`;
  if (calls === 0) return ["never asked", avoidedText];
  const time =
    latencyMs === null
      ? ""
      : `, ${took(latencyMs.median)} at the median, ${took(latencyMs.percentile95)} at 95 %`;
  return [
    `${count(calls, "call")}${list(Object.entries(byOutcome))}: ${count(tokens, "token")}${time}`,
    avoidedText,
  ];
}

const list = (parts: readonly (readonly [string, number])[]): string =>
  parts.length === 0 ? "" : ` (${parts.map(([what, number]) => `${grouped(number)} ${what}`).join(", ")})`;

function cost({ model, problems }: Stats, style: Style): Line[] {
  const { calls, days, resolvedByModel } = model;
  const sentences = (...texts: string[]): Line[] =>
    texts.flatMap((text) => wrap(text, { style, indent: labelWidth, hang: labelWidth + 2, marked: "none" }));
  if (calls === 0) return sentences("none: the model was not asked");
  const rows = days
    .slice(-mostDays)
    .map((row): Text[] => [
      row.day,
      count(row.calls, "call"),
      `${grouped(row.tokens)} tokens`,
      amountOf(row) ?? "not known",
    ]);
  const earlier = days.length - rows.length;
  return [
    ...sentences(inAll(model)),
    ...(amountOf(model) === null
      ? []
      : sentences(
          `${each(model, resolvedByModel, "problem that the model's actions resolved", "the model's actions resolved no problem")}; ${each(model, problems.resolved, "problem resolved at all", "no problem was resolved at all")}`,
        )),
    ...table(rows, [{}, { align: "right" }, { align: "right" }, { align: "right" }], {
      style,
      indent: labelWidth,
    }),
    ...(earlier > 0 ? sentences(`and ${count(earlier, "day")} before: argus stats --json`) : []),
  ];
}

type Spent = Pick<Stats["model"], "calls" | "costDollars" | "callsWithoutPrice">;

const noPrice = "no price for its model, or no answer";

function inAll(model: Spent): string {
  const { calls, callsWithoutPrice } = model;
  const amount = amountOf(model);
  if (amount === null) return `not known for any call: ${noPrice}`;
  const unknown =
    callsWithoutPrice === 0
      ? ""
      : `, and what ${grouped(callsWithoutPrice)} of ${count(calls, "call")} cost is not known: ${noPrice}`;
  return `${amount} in all${unknown}`;
}

/** null: of none of the calls is it known. */
function amountOf({ calls, costDollars, callsWithoutPrice }: Spent): string | null {
  if (callsWithoutPrice === calls) return null;
  return `${callsWithoutPrice === 0 ? "" : "at least "}${dollars(costDollars)}`;
}

function each(model: Spent, number: number, what: string, none: string): string {
  if (number === 0) return none;
  return `${amountOf({ ...model, costDollars: model.costDollars / number })} for each ${what} (${grouped(number)})`;
}

const dollars = (amount: number): string => `$${amount.toFixed(4)}`;

function actions({ actions: all }: Stats, style: Style): Line[] {
  const rows = all.map((row): Text[] => [row.action, row.source, count(row.asked, "time"), whatBecame(row)]);
  return table(rows, [{}, {}, { align: "right" }, { wraps: true }], { style, indent: labelWidth });
}

function whatBecame({ done, withoutEffect, failed, notBegun, refused }: ActionStats): string {
  const parts: [number, string][] = [
    [done, "done"],
    [withoutEffect, "without effect"],
    [failed, "failed"],
    [notBegun, "not begun"],
    ...(Object.entries(refused) as [RefusalReason, number][]).map(([reason, number]): [number, string] => [
      number,
      reason,
    ]),
  ];
  return parts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${grouped(number)} ${what}`)
    .join(", ");
}

function rules({ rules: all }: Stats, style: Style): Line[] {
  const rows = all
    .slice(0, mostRules)
    .map(({ rule, fired }): Text[] => [rule, `in ${count(fired, "cycle")}`]);
  const rest = all.length - rows.length;
  return [
    ...table(rows, [{}, { align: "right" }], { style, indent: labelWidth }),
    ...(rest > 0 ? wrap(`and ${rest} more`, { style, indent: labelWidth }) : []),
  ];
}
