/** What a person acknowledged, beside the problem that it is about. */
import { type Ack, ackOf } from "../types/ack.ts";
import type { Problem } from "../types/problem.ts";
import { oneLine } from "./text.ts";
import { duration, secondsFrom } from "./values.ts";

/** As `--json` gives it. */
export type Acknowledged = Pick<Ack, "by" | "at" | "note"> | null;

export interface WithAck {
  readonly acknowledged?: Acknowledged;
}

export function acknowledged(
  acks: readonly Ack[],
  problem: Pick<Problem, "key" | "openedAt" | "life">,
): Acknowledged {
  const ack = ackOf(acks, problem);
  return ack === undefined ? null : { by: ack.by, at: ack.at, note: ack.note };
}

/** `acknowledged by root 5 min ago: the disk is ordered` */
export function ackText({ by, at, note }: NonNullable<Acknowledged>, nowIso: string): string {
  const why = note === "" ? "" : `: ${oneLine(note)}`;
  return `acknowledged by ${oneLine(by)} ${duration(secondsFrom(at, nowIso))} ago${why}`;
}

/** After a description; empty where nobody acknowledged it. */
export const ackInBrackets = ({ acknowledged: ack = null }: WithAck, nowIso: string): string =>
  ack === null ? "" : ` (${ackText(ack, nowIso)})`;
