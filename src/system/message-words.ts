/** The words that messages to people share, whoever composes, shortens or takes apart one. */
import { type Ending, endings, endingWord, type Severity, severities } from "../types/problem.ts";

/** What a message says of one problem. */
export interface Said {
  readonly severity: Severity;
  readonly state: "firing" | "resolved";
  readonly ending?: Ending | undefined;
}

/** What the line about a problem begins with. */
export const labelOf = ({ severity, state, ending }: Said): string =>
  state === "resolved" ? endingWord(ending) : severity.toUpperCase();

export const explainCommand = (problem: string): string => `argus explain ${problem}`;

/** `2 critical, 1 resolved`. */
export function countsOf(all: readonly Said[]): string {
  const counted = <T extends string>(names: readonly T[], nameOf: (each: Said) => T | null): string[] =>
    names.flatMap((name) => {
      const count = all.filter((each) => nameOf(each) === name).length;
      return count === 0 ? [] : [`${count} ${name}`];
    });
  return [
    ...counted(severities, ({ state, severity }) => (state === "firing" ? severity : null)),
    ...counted(endings, ({ state, ending = "resolved" }) => (state === "resolved" ? ending : null)),
  ].join(", ");
}
