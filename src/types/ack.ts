/** A person's word that a problem is seen and being worked on. */
import * as z from "zod";
import { ProblemKey, Severity } from "./problem.ts";

export const mostAckRules = 50;
/** The problem as it was then: what is different later is news. */
export const AckedProblem = z.strictObject({
  key: ProblemKey,
  /** Start of the outage that is meant; ISO 8601. */
  openedAt: z.string().max(40),
  severity: Severity,
  rules: z.array(z.string().max(256)).max(mostAckRules),
});
export type AckedProblem = z.infer<typeof AckedProblem>;

export const longestNote = 1024;
export const Ack = z.strictObject({
  ...AckedProblem.shape,
  by: z.string().max(256),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  note: z.string().max(longestNote),
});
export type Ack = z.infer<typeof Ack>;

export function ackedProblem({ key, openedAt, severity, rules }: AckedProblem): AckedProblem {
  return { key, openedAt, severity, rules: rules.slice(0, mostAckRules) };
}

/** The word about the present outage of a problem; undefined: there is none. */
export function ackOf(
  acks: readonly Ack[],
  problem: { readonly key: string; readonly openedAt: string; readonly life: string },
): Ack | undefined {
  if (problem.life === "resolved") return undefined;
  return acks.find(({ key, openedAt }) => key === problem.key && openedAt === problem.openedAt);
}
