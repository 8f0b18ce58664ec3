/** An action that a person asked for on the command line, on its way into decision log and problem history. */
import * as z from "zod";
import { ActionRecord } from "./action.ts";

export const OperatorAction = z.strictObject({
  /** Of its own, made by the command; the entry in the decision log has it too. */
  id: z.string().min(1).max(128),
  /** When the command asked for it; ISO 8601, UTC. */
  ts: z.iso.datetime(),
  host: z.string().max(256),
  action: ActionRecord,
});
export type OperatorAction = z.infer<typeof OperatorAction>;
