/** What a person asks of the executor from afar: the same words as on the command line, with who says them. */
import * as z from "zod";
import { AckedProblem } from "./ack.ts";
import { ProblemKey } from "./problem.ts";

/** What people in Telegram may be allowed; to look is always. */
export const orderKinds = ["approve", "silence", "pause"] as const;
export type OrderKind = (typeof orderKinds)[number];

/** Who may answer in Telegram, as it stands in `argus.json`. */
export const Answering = z.strictObject({
  users: z
    .array(z.number().int().min(1))
    .min(1)
    .max(50)
    .describe("numbers of the Telegram users who may; each can ask @userinfobot for theirs"),
  may: z
    .array(z.enum(orderKinds))
    .default([...orderKinds])
    .describe("what they may besides looking; `silence` is also to acknowledge"),
});
export type Answering = z.infer<typeof Answering>;

/** `user`: the number that Telegram gives a person, and nobody can choose. `name`: what they call themselves. */
const By = z.strictObject({ user: z.number().int().min(1), name: z.string().max(64) });
export type By = z.infer<typeof By>;

const monthSeconds = 30 * 86_400;
const seconds = z.number().int().min(60).max(monthSeconds);
const id = z.string().max(16);

export const Order = z.discriminatedUnion("order", [
  z.strictObject({ order: z.literal("approve"), by: By, id, yes: z.boolean() }),
  z.strictObject({ order: z.literal("silence"), by: By, key: ProblemKey, seconds }),
  z.strictObject({ order: z.literal("unsilence"), by: By, id }),
  z.strictObject({ order: z.literal("ack"), by: By, problem: AckedProblem }),
  z.strictObject({ order: z.literal("unack"), by: By, key: ProblemKey }),
  /** null: until somebody ends it. */
  z.strictObject({ order: z.literal("pause"), by: By, seconds: seconds.nullable() }),
  z.strictObject({ order: z.literal("resume"), by: By }),
]);
export type Order = z.infer<typeof Order>;

export const kindOfOrder = {
  approve: "approve",
  silence: "silence",
  unsilence: "silence",
  ack: "silence",
  unack: "silence",
  pause: "pause",
  resume: "pause",
} as const satisfies Record<Order["order"], OrderKind>;

/** One sentence for whoever asked; `done` is false when nothing came of it. */
export const Obeyed = z.strictObject({ done: z.boolean(), text: z.string() });
export type Obeyed = z.infer<typeof Obeyed>;
