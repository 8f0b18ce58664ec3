/** What others say back, made fit for an error, a log and a report: one line, and no secret of any channel in it. */
import { oneLine } from "../../system/printable.ts";
import { redact } from "../../system/redact/redact.ts";
import type { Channel } from "../../types/channels.ts";

/** Shorter ones are no secrets, and taking them out would leave no word whole. */
const fewestCharacters = 4;

export type Clean = (text: string) => string;

/** To be cut only afterwards: half a secret would not be known again. */
export function cleanerFor(channels: readonly Channel[]): Clean {
  const secrets = [...new Set(channels.flatMap(secretsOf))]
    .filter((secret) => secret.length >= fewestCharacters)
    .sort((a, b) => b.length - a.length);
  return (text) => {
    const hidden = secrets.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
    return oneLine(redact(hidden));
  };
}

/** As a whole and in the parts that somebody may repeat alone. */
function secretsOf(channel: Channel): string[] {
  switch (channel.type) {
    case "telegram": {
      const { token } = channel;
      return [token, encodeURIComponent(token), token.slice(token.indexOf(":") + 1)];
    }
    case "webhook":
      return [channel.secret, ...credentials(channel.authorization)];
    case "alertmanager":
      return credentials(channel.authorization);
    case "command":
    case "relay":
      return [];
  }
}

/** `Bearer KEY`, `Basic BASE64`. */
function credentials(authorization: string | null): string[] {
  if (authorization === null) return [];
  const words = authorization.split(/\s+/);
  return [authorization, ...(words.length > 1 ? words.slice(1) : [])];
}
