/** The words that messages to people share, whoever composes, shortens or takes apart one. */
import { type Severity, severities } from "../types/problem.ts";

/** What a message says of one problem. */
export interface Said {
  readonly severity: Severity;
  readonly state: "firing" | "resolved";
}

/** What the line about a problem begins with. */
export const labelOf = ({ severity, state }: Said): string =>
  state === "resolved" ? "RECOVERED" : severity.toUpperCase();

export const explainCommand = (problem: string): string => `argus explain ${problem}`;

/** `2 critical, 1 recovered`. */
export function countsOf(all: readonly Said[]): string {
  const resolved = all.filter(({ state }) => state === "resolved").length;
  const firing = severities.flatMap((each) => {
    const count = all.filter(({ severity, state }) => state === "firing" && severity === each).length;
    return count === 0 ? [] : [`${count} ${each}`];
  });
  return [...firing, ...(resolved === 0 ? [] : [`${resolved} recovered`])].join(", ");
}
