/** `delivery.json`: how far each channel is, and what is remembered between deliveries. */
import { join } from "node:path";
import * as z from "zod";
import type { Files } from "../system/system.ts";
import { Moment } from "../types/moment.ts";
import { Digest } from "./digest.ts";
import { readOutbox } from "./outbox.ts";

/** An alert that an Alertmanager was told of, and not yet that it is over. */
export const Firing = z.strictObject({
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  startsAt: z.string(),
  /** Of the newest message about it. */
  at: z.string(),
});
export type Firing = z.infer<typeof Firing>;

/** A relay that does not take what it is given. */
export const FellBack = z.strictObject({ how: z.string(), why: z.string(), at: Moment });
export type FellBack = z.infer<typeof FellBack>;

/** An alert that is over, as an Alertmanager was told. */
const Over = Firing.omit({ at: true }).extend({ endsAt: z.string() });

const Pause = z.strictObject({ from: Moment, seconds: z.number() });
const Trouble = z.strictObject({ text: z.string(), since: z.string() });

/** What one kind of channel needs to know the next time. */
const memory = {
  /** telegram: where a group has moved to, by the id in the settings. */
  movedTo: z.strictObject({ from: z.string(), to: z.string() }).optional(),
  /** alertmanager: by the key of the problem. */
  firing: z.record(z.string(), Firing).optional(),
  /** relay: since the last message it took; null: it works. */
  fellBack: FellBack.nullable().optional(),
  /** alertmanager: what is still said to be over. */
  over: z.array(Over).optional(),
};
export const Memory = z.strictObject(memory);
export type Memory = z.infer<typeof Memory>;

export const ChannelState = z.strictObject({
  ...memory,
  /** Names of files in the outbox that it has confirmed, while other channels have not. */
  done: z.array(z.string()),
  /** What was taken out of the outbox because too much waited, not yet told. */
  folded: Digest.nullable(),
  blocked: Pause.nullable(),
  /** Attempts in a row that came to nothing. */
  failures: z.number().int().nonnegative(),
  error: Trouble.nullable(),
  lastSentAt: z.string().nullable(),
});
export type ChannelState = z.infer<typeof ChannelState>;

export const noChannelState = (): ChannelState => ({
  done: [],
  folded: null,
  blocked: null,
  failures: 0,
  error: null,
  lastSentAt: null,
});

const Version2 = z.strictObject({
  version: z.literal(2),
  channels: z.record(z.string(), ChannelState),
  /** While there is no channel at all. */
  error: Trouble.nullable(),
});
export type DeliveryState = z.infer<typeof Version2>;

/** When Telegram was the only channel. */
const Version1 = z
  .strictObject({
    version: z.literal(1),
    movedTo: z.strictObject({ from: z.string(), to: z.string() }).nullable(),
    blockedUntil: Pause.nullable(),
    error: Trouble.nullable(),
    lastSentAt: z.string().nullable(),
    dropped: z.number().int().nonnegative(),
  })
  .transform(({ movedTo, blockedUntil, error, lastSentAt, dropped }): DeliveryState => {
    const since = lastSentAt ?? error?.since ?? "";
    const folded =
      dropped === 0 ? null : { count: dropped, since, until: error?.since ?? since, entries: {} };
    const telegram = { ...noChannelState(), blocked: blockedUntil, error, lastSentAt, folded };
    const moved = movedTo === null ? {} : { movedTo };
    return { version: 2, channels: { telegram: { ...telegram, ...moved } }, error: null };
  });

export const DeliveryState: z.ZodType<DeliveryState> = z.union([Version2, Version1]);

export const noDeliveries = (): DeliveryState => ({ version: 2, channels: {}, error: null });

export const deliveryStatePath = (stateDir: string): string => join(stateDir, "delivery.json");

export interface ChannelView {
  readonly name: string;
  /** Messages that it has not confirmed. */
  readonly waiting: number;
  /** Why, and since when. */
  readonly error: { readonly text: string; readonly since: string } | null;
  readonly lastSentAt: string | null;
}

export interface OutboxView {
  /** Messages that not every channel has confirmed. */
  readonly waiting: number;
  /** ISO 8601; null when none waits. */
  readonly oldest: string | null;
  /** While there is no channel. */
  readonly error: { readonly text: string; readonly since: string } | null;
  /** In the order of the settings. */
  readonly channels: readonly ChannelView[];
}

/** For `argus status` and `argus doctor`: changes nothing. Throws a WorkError when it cannot be read. @param names of the configured channels. */
export function viewOutbox(files: Files, stateDir: string, names: readonly string[]): OutboxView {
  const { waiting } = readOutbox(files, stateDir);
  const text = files.tryRead(deliveryStatePath(stateDir), "own");
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
    channels: names.map((name) => {
      const { done, error, lastSentAt } = state.channels[name] ?? noChannelState();
      const left = waiting.filter(({ file }) => !done.includes(file)).length;
      return { name, waiting: left, error, lastSentAt };
    }),
  };
}
