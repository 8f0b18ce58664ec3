/** What stands below a message: each button sends the very command that a person could write. */
import type { ProblemNote } from "../../types/action.ts";
import type { OrderKind } from "../../types/orders.ts";

export interface Button {
  readonly text: string;
  /** At most 64 bytes. */
  readonly callback_data: string;
}

/** A row for each; more would push the message off a telephone's screen. */
const mostProblems = 3;
const longestSubject = 24;

export function buttonsOf(notes: readonly ProblemNote[], may: readonly OrderKind[]): Button[][] {
  const firing = notes.filter(({ state }) => state === "firing");
  const isAlone = firing.length === 1;
  const about = firing.slice(0, mostProblems).map(({ problem, subject }): Button[] => {
    const name = isAlone ? "" : ` ${subject.slice(0, longestSubject).toWellFormed()}`;
    return [
      { text: `Explain${name}`, callback_data: `/explain ${problem}` },
      ...(may.includes("silence")
        ? [
            { text: `Silence${name} 1 h`, callback_data: `/silence ${problem} 1h` },
            { text: "1 day", callback_data: `/silence ${problem} 1d` },
          ]
        : []),
    ];
  });
  const asked = may.includes("approve") ? firing.flatMap(({ approvals = [] }) => approvals) : [];
  const decide = asked.slice(0, mostProblems).map((id): Button[] => [
    { text: `Yes to ${id}`, callback_data: `/approve ${id}` },
    { text: `No to ${id}`, callback_data: `/deny ${id}` },
  ]);
  return [...decide, ...about];
}
