/** JSON by POST. Whoever has the key can tell that it comes from here, unchanged, and when. */
import { createHmac } from "node:crypto";
import { stringify } from "../../system/printable.ts";
import type { ChannelRow, Parcel } from "./channel.ts";
import { refused } from "./channel.ts";
import { persist } from "./persist.ts";
import { post, unfitStatuses } from "./web.ts";

export const webhook: ChannelRow<"webhook"> = {
  paceMs: 200,
  describe: ({ url }) => `webhook at ${new URL(url).host}`,
  async send({ name, url, secret, authorization, timeoutSeconds }, parcel, _memory, attempt) {
    if (secret === "") return refused("channel", `the key of the webhook ${name} is not known here`);
    const who = `the webhook ${name}`;
    return persist(who, attempt, (leftMs) => {
      const sentMs = attempt.clock.now().wallMs;
      const body = bodyOf(parcel, new Date(sentMs).toISOString());
      const signature = createHmac("sha256", secret).update(body, "utf8").digest("hex");
      const headers = {
        "x-argus-signature": `sha256=${signature}`,
        "x-argus-timestamp": String(Math.floor(sentMs / 1000)),
        "x-argus-id": parcel.id,
      };
      const wanted = { who, channel: name, url, headers, body, timeoutSeconds, authorization };
      return post({ ...wanted, unfit: unfitStatuses }, attempt, leftMs);
    });
  },
};

/** The time stands in the body too, so that the signature covers it. */
function bodyOf({ kind, id, createdAt, host, severity, text, notes }: Parcel, sentAt: string): string {
  const message = { id, createdAt, sentAt, host, severity, text: text.toWellFormed(), problems: notes };
  return stringify({ version: 1, event: `argus.${kind}`, ...message });
}
