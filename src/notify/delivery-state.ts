/** `delivery.json`: how far each channel is, and what is remembered between deliveries. */
import { join } from "node:path";
import * as z from "zod";
import { Moment } from "../types/moment.ts";
import { Digest } from "./digest.ts";

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
const Trouble = z.strictObject({
  text: z.string(),
  /** Since when it takes nothing, whatever the text was at first. */
  since: z.string(),
  /**
   * `later`: it may pass by itself; `refused`: somebody must fix something; `kept`: it refused a message in every form,
   * which is kept aside. Left out: written by an Argus that did not know.
   */
  kind: z.enum(["later", "refused", "kept"]).optional(),
});
export type Trouble = z.infer<typeof Trouble>;

/** A message that a channel refused in every form. */
export const Refused = z.strictObject({
  at: z.string(),
  /** Where it is kept. */
  path: z.string(),
  why: z.string(),
});
export type Refused = z.infer<typeof Refused>;
/** Of so many the channel's state knows. */
export const mostRefused = 200;
export const mostUnheard = 1000;

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
  /** Stands until a later message is taken. */
  error: Trouble.nullable(),
  lastSentAt: z.string().nullable(),
  /** The newest last. */
  refused: z.array(Refused).default([]),
  /** Keys of problems whose alert it did not get, so that it does not hear of their end either. */
  unheard: z.array(z.string()).default([]),
});
export type ChannelState = z.infer<typeof ChannelState>;

export const noChannelState = (): ChannelState => ({
  done: [],
  folded: null,
  blocked: null,
  failures: 0,
  error: null,
  lastSentAt: null,
  refused: [],
  unheard: [],
});

const Version2 = z.strictObject({
  version: z.literal(2),
  channels: z.record(z.string(), ChannelState),
  /** While there is no channel at all. */
  error: Trouble.nullable(),
  /** What was taken out of the outbox while there was no channel, for the channels that come. */
  folded: Digest.nullable().default(null),
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
      dropped === 0
        ? null
        : { count: dropped, critical: 0, since, until: error?.since ?? since, entries: {}, unnamed: [] };
    const telegram = { ...noChannelState(), blocked: blockedUntil, error, lastSentAt, folded };
    const moved = movedTo === null ? {} : { movedTo };
    return { ...noDeliveries(), channels: { telegram: { ...telegram, ...moved } } };
  });

export const DeliveryState: z.ZodType<DeliveryState> = z.union([Version2, Version1]);

export const noDeliveries = (): DeliveryState => ({
  version: 2,
  channels: {},
  error: null,
  folded: null,
});

export const deliveryStatePath = (stateDir: string): string => join(stateDir, "delivery.json");
