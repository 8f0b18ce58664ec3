/** `delivery.json`: what is remembered between deliveries, and what `argus status` tells of the outbox. */
import { join } from "node:path";
import * as z from "zod";
import type { Files } from "../system/system.ts";
import { Moment } from "../types/moment.ts";
import { readOutbox } from "./outbox.ts";

export const DeliveryState = z.strictObject({
  version: z.literal(1),
  /** Where a group has moved to, by the id in the settings. */
  movedTo: z.strictObject({ from: z.string(), to: z.string() }).nullable(),
  /** Telegram asked for a pause until then. */
  blockedUntil: z.strictObject({ from: Moment, seconds: z.number() }).nullable(),
  error: z.strictObject({ text: z.string(), since: z.string() }).nullable(),
  lastSentAt: z.string().nullable(),
  /** Messages dropped because too many waited, not yet told. */
  dropped: z.number().int().nonnegative(),
});
export type DeliveryState = z.infer<typeof DeliveryState>;

export const noDeliveries = (): DeliveryState => ({
  version: 1,
  movedTo: null,
  blockedUntil: null,
  error: null,
  lastSentAt: null,
  dropped: 0,
});

export const deliveryStatePath = (stateDir: string): string => join(stateDir, "delivery.json");

export interface OutboxView {
  readonly waiting: number;
  /** ISO 8601; null when none waits. */
  readonly oldest: string | null;
  /** Why they wait, and since when. */
  readonly error: { readonly text: string; readonly since: string } | null;
  readonly lastSentAt: string | null;
}

/** For `argus status`: changes nothing. */
export function viewOutbox(files: Files, stateDir: string): OutboxView {
  const { waiting } = readOutbox(files, stateDir);
  const text = files.tryRead(deliveryStatePath(stateDir));
  let state = noDeliveries();
  try {
    state = DeliveryState.safeParse(JSON.parse(text ?? "")).data ?? state;
  } catch {
    // Torn or not there: what waits can still be counted, and the next delivery sets it aside and says so.
  }
  return {
    waiting: waiting.length,
    oldest: waiting[0]?.message.createdAt ?? null,
    error: waiting.length === 0 ? null : state.error,
    lastSentAt: state.lastSentAt,
  };
}
