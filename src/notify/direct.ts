/** Without the outbox: for what must be told when nothing can be written down. Tried once, through every channel. */
import type { System } from "../system/system.ts";
import type { Config } from "../types/settings.ts";
import type { Parcel, Sent } from "./channels/channel.ts";
import { cleanerFor } from "./channels/clean.ts";
import { wayOf } from "./channels/index.ts";
import { inShorterForms } from "./forms.ts";

export interface Told {
  /** Names of the channels that have it. */
  readonly by: readonly string[];
  /** A sentence for each other one. */
  readonly errors: readonly string[];
}

const withinMs = 30_000;

export async function tellDirectly(
  { http, files, run, clock }: System,
  { channels, intervalSeconds, dashboardUrl }: Pick<Config, "channels" | "intervalSeconds" | "dashboardUrl">,
  parcel: Parcel,
  signal: AbortSignal,
): Promise<Told> {
  const deadlineMs = clock.monotonicMs() + withinMs;
  const means = { http, files, run, clock, clean: cleanerFor(channels) };
  const attempt = { ...means, signal, deadlineMs, intervalSeconds, dashboardUrl };
  const by: string[] = [];
  const errors: string[] = [];
  await Promise.all(
    channels.map(async (channel) => {
      const { name, send, ownForms } = wayOf(channel);
      const isTheMessage = (sent: Sent) => sent.kind === "refused" && sent.of === "message" && !ownForms;
      const answer = await send(parcel, {}, attempt);
      const again = (form: Parcel) => send(form, {}, attempt);
      const sent = isTheMessage(answer) ? await inShorterForms(parcel, answer, again, isTheMessage) : answer;
      if (sent.kind !== "sent") errors.push(`${name}: ${sent.error}`);
      // What stands in a file only, nobody was told.
      else if (sent.memory?.fellBack) errors.push(`${name}: ${sent.memory.fellBack.why}`);
      else by.push(name);
    }),
  );
  return { by, errors };
}
