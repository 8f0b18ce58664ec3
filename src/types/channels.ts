/** Channels: how they stand in `argus.json`, and what they are once their secrets are resolved. */
import * as z from "zod";
import type { OrderKind } from "./orders.ts";

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "must be a short name of a-z, 0-9, - and _")
  .optional()
  .describe("what it is called in `argus status` (default: its type)");
const wrongUrl = "must be http://… or https://…";
const url = z
  .string()
  .regex(/^https?:\/\/[^\s]+$/, { error: wrongUrl, abort: true })
  .refine((text) => URL.canParse(text), wrongUrl);
/** A name of its own, so that a misspelt setting in argus.env is still found out. */
const secretName = z
  .string()
  .regex(/^ARGUS_SECRET_[A-Z0-9_]{1,64}$/, "must be the name of a variable that begins with ARGUS_SECRET_");
const authorizationVariable = secretName
  .optional()
  .describe("variable of `argus.env` with the value of the `Authorization` header, such as `Bearer …`");
const timeoutSeconds = z.number().int().min(1).max(60).default(10).describe("time for one message");

/** One form for each type; a new channel is a form here, a file in notify/channels/ and a row in its index.ts. */
export const ChannelSetting = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("webhook").describe("JSON by POST, signed"),
    name,
    url: url.describe("where it is sent"),
    secretVariable: secretName.describe("variable of `argus.env` with the key of the signature"),
    authorizationVariable,
    timeoutSeconds,
  }),
  z.strictObject({
    type: z.literal("alertmanager").describe("alerts of Prometheus's Alertmanager, API v2"),
    name,
    url: url.describe("where it listens, such as `http://alerts.example:9093`"),
    authorizationVariable,
    timeoutSeconds,
  }),
  z.strictObject({
    type: z.literal("command").describe("a program that reads the message at standard input"),
    name,
    command: z
      .array(z.string().min(1).max(1000))
      .min(1)
      .max(50)
      .describe("the program and its arguments; no shell reads them"),
    timeoutSeconds,
  }),
]);
export type ChannelSetting = z.infer<typeof ChannelSetting>;

interface Web {
  readonly name: string;
  readonly url: string;
  /** null: none is wanted. */
  readonly authorization: string | null;
  readonly timeoutSeconds: number;
}

/** What the channels of this installation are, by type. */
export interface ChannelAccounts {
  readonly telegram: {
    readonly type: "telegram";
    readonly name: string;
    readonly token: string;
    readonly chatId: string;
    readonly apiUrl: string;
    /** What people may answer, so that there are buttons for it; left out: nobody is listened to. */
    readonly may?: readonly OrderKind[];
  };
  readonly webhook: Web & { readonly type: "webhook"; readonly secret: string };
  readonly alertmanager: Web & { readonly type: "alertmanager" };
  readonly command: {
    readonly type: "command";
    readonly name: string;
    readonly command: readonly string[];
    readonly timeoutSeconds: number;
  };
  readonly relay: {
    readonly type: "relay";
    readonly name: string;
    readonly program: string;
    readonly to: string;
    readonly from: string;
    readonly timeoutSeconds: number;
    /** Where it is written what the relay did not take. */
    readonly file: string;
  };
}
export type ChannelType = keyof ChannelAccounts;
export type Channel = ChannelAccounts[ChannelType];
