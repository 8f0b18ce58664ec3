/** What the model was told, what it answered, and what of it went no further. */
import type { Consultation } from "../types/consultation.ts";
import type { TrailCycle } from "../types/trail.ts";
import { type Line, labelled, type Text, toned, wrap } from "./layout.ts";
import { modelText } from "./sentences.ts";
import type { Style } from "./style.ts";
import { bytes, grouped, took } from "./values.ts";

/** The `Model` line of a report; with `whole`, all that is known of the consultation below it. */
export function modelLines(
  { cycle, consultation }: TrailCycle,
  layout: { style: Style; labelWidth: number; whole: boolean },
): Line[] {
  const { style, labelWidth, whole } = layout;
  const head = (text: Text) => labelled(toned("strong", "Model"), text, { style, indent: 0, labelWidth });
  if (consultation === null || consultation === undefined) return head(modelText(cycle.model));
  const { outcome, detail, model, assessment, observations, proposals, told } = consultation;
  const lines = head([
    outcome === "answered" ? toned("good", "answered") : toned("bad", outcome),
    ` (${model}): ${detail}`,
  ]);
  if (!whole) return lines;
  const tokens =
    consultation.inputTokens +
    consultation.outputTokens +
    consultation.cacheReadTokens +
    consultation.cacheWriteTokens;
  const cost = consultation.costDollars === null ? "" : `, $${consultation.costDollars.toFixed(4)}`;
  const field = (label: string, text: Text) =>
    labelled(toned("quiet", label), text, { style, indent: labelWidth, labelWidth: 11 });
  const about = told.problems.length === 0 ? "the whole" : told.problems.join(", ");
  const offered = Object.entries(consultation.candidates).map(
    ([type, targets]) => `${type} ${targets.join(", ")}`,
  );
  const toldText = `${bytes(told.bytes)} about ${about}`;
  return [
    ...lines,
    ...field("sent", [toldText, ...told.cut.map((what) => `; left out: ${what}`)]),
    ...field("offered", offered.length === 0 ? "no target" : offered.join("; ")),
    ...field("spent", `${grouped(tokens)} tokens in ${took(consultation.latencyMs)}${cost}`),
    ...(assessment === "" ? [] : field("assessment", assessment)),
    ...observations.flatMap((text) => field("observed", text)),
    ...askedLines(consultation, field),
    ...(proposals.length === 0 && outcome === "answered"
      ? wrap("it proposed nothing", { style, indent: labelWidth })
      : []),
  ];
}

/** What was asked for, and what of it went no further. */
export function askedLines(
  { proposals, rejected }: Pick<Consultation, "proposals" | "rejected">,
  field: (label: string, text: Text) => Line[],
): Line[] {
  return [
    ...proposals.flatMap(({ type, target, reason }) =>
      field(
        "proposed",
        `${type}${target === undefined ? "" : ` ${target}`}${reason === undefined ? "" : `: ${reason}`}`,
      ),
    ),
    ...rejected.flatMap(({ what, reason, why }) =>
      field("rejected", [what, toned("warning", ` ${reason}`), `: ${why}`]),
    ),
  ];
}
