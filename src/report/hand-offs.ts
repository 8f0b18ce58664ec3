/** Coding agents that ended: how, what they say, and what they asked for. */
import type { HandOffReport } from "../types/hand-off.ts";
import type { TrailCycle } from "../types/trail.ts";
import { askedLines } from "./consultation.ts";
import { type Line, labelled, type Text, toned } from "./layout.ts";
import type { Style } from "./style.ts";
import { duration } from "./values.ts";

export function handOffLines(
  { hand_offs: reports = [] }: TrailCycle,
  layout: { style: Style; labelWidth: number },
): Line[] {
  return reports.flatMap((report) => reportLines(report, layout));
}

function reportLines(
  report: HandOffReport,
  { style, labelWidth }: { style: Style; labelWidth: number },
): Line[] {
  const { id, problem, outcome, detail, assessment, observations, seconds, costDollars } = report;
  const field = (label: string, text: Text) =>
    labelled(toned("quiet", label), text, { style, indent: labelWidth, labelWidth: 11 });
  const cost = costDollars === null ? "" : `, $${costDollars.toFixed(4)}`;
  const isWell = outcome === "answered" || outcome === "text";
  return [
    ...labelled(
      toned("strong", "Hand-off"),
      [
        toned(isWell ? "good" : "bad", outcome),
        ` (${id}) on ${problem} after ${duration(seconds)}${cost}: ${detail}`,
      ],
      { style, indent: 0, labelWidth },
    ),
    ...(assessment === "" ? [] : field("report", assessment)),
    ...observations.flatMap((text) => field("observed", text)),
    ...askedLines(report, field),
  ];
}
