/** What waits for a person's yes. */
import type { Proposal } from "../types/action.ts";
import { blank, type Line, print, type Text, toned, wrap } from "./layout.ts";
import { severityTone } from "./sentences.ts";
import type { Style } from "./style.ts";
import { oneLine } from "./text.ts";
import { dayAndTime, duration } from "./values.ts";

export interface ApprovalData {
  readonly id: string;
  readonly state: "pending" | "approved" | "denied";
  readonly proposal: Proposal;
  readonly askedAt: string;
  readonly expiresInSeconds: number;
  readonly decided: { readonly by: string; readonly at: string } | null;
}

export const deedOf = ({ type, target }: Proposal): string =>
  target === undefined ? type : `${type} ${target}`;

export function approvalsReport(waiting: readonly ApprovalData[], style: Style): string {
  if (waiting.length === 0) return "Nothing waits for approval.";
  const lines = waiting.flatMap((each, index): Line[] => [
    ...(index === 0 ? [] : [blank]),
    ...approvalLines(each, style),
  ]);
  return print([...lines, blank, ...wrap("argus approve ID, or argus deny ID", { style })], style);
}

function approvalLines(
  { id, state, proposal, askedAt, expiresInSeconds, decided }: ApprovalData,
  style: Style,
): Line[] {
  const { severity, subject, problem, source, reason } = proposal;
  const answer: Text =
    decided === null
      ? [toned("warning", state), ` for another ${duration(expiresInSeconds)}`]
      : [
          toned(state === "approved" ? "good" : "quiet", state),
          ` by ${decided.by} at ${dayAndTime(decided.at)} UTC`,
        ];
  const inner = { style, indent: 6, hang: 2 };
  return [
    ...wrap([toned("strong", id), `  ${deedOf(proposal)}`], { style, hang: 6 }),
    ...wrap(answer, inner),
    ...wrap(
      [
        toned(severityTone(severity), severity),
        ` ${oneLine(subject)}, asked for by ${source} at ${dayAndTime(askedAt)} UTC`,
      ],
      inner,
    ),
    ...(reason === undefined ? [] : wrap(oneLine(reason), { ...inner, indent: 8, marked: "all" })),
    ...wrap(`argus explain ${problem}`, inner),
  ];
}
