/** What others say back, made fit for an error, a log and a report: one line, and no secret of any channel in it. */
import { oneLine } from "../../system/printable.ts";
import { hiderOf } from "../../system/redact/known.ts";
import { redact } from "../../system/redact/redact.ts";
import { headerParts } from "../../system/secrets.ts";
import type { Channel } from "../../types/channels.ts";

/** Shorter ones are no secrets, and taking them out would leave no word whole. */
const fewestCharacters = 4;

export type Clean = (text: string) => string;

/** To be cut only afterwards: half a secret would not be known again. */
export function cleanerFor(channels: readonly Channel[]): Clean {
  const hide = hiderOf(channels.flatMap(secretsOf).filter((secret) => secret.length >= fewestCharacters));
  return (text) => oneLine(redact(hide(text, "***")));
}

/** As a whole and in the parts that somebody may repeat alone. */
function secretsOf(channel: Channel): string[] {
  switch (channel.type) {
    case "telegram":
      return [channel.token, channel.token.slice(channel.token.indexOf(":") + 1)];
    case "webhook":
      return [channel.secret, ...headerParts(channel.authorization ?? "")];
    case "alertmanager":
      return headerParts(channel.authorization ?? "");
    case "command":
    case "relay":
      return [];
  }
}
