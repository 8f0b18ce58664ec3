/** What is remembered of the model, as plain data for `argus status`. */
import { isoTime, type Moment } from "../types/moment.ts";
import type { Config } from "../types/settings.ts";
import { cooldownAt, type Memory, spentToday } from "./memory.ts";

export interface EscalationView {
  readonly model: string;
  readonly hasKey: boolean;
  /** Of the last 24 hours. */
  readonly requests: { readonly used: number; readonly limit: number };
  readonly tokens: { readonly used: number; readonly limit: number };
  /** Of the requests whose price is known. */
  readonly costDollars: number;
  readonly failuresInARow: number;
  /** null: none is in force. */
  readonly cooldown: { readonly seconds: number; readonly why: string } | null;
  readonly last: { readonly ts: string; readonly outcome: string; readonly detail: string } | null;
}

export function viewOf(
  memory: Memory,
  config: Pick<Config, "anthropicKey" | "model">,
  now: Moment,
): EscalationView {
  const { requests, tokens, costDollars } = spentToday(memory, now);
  const cooldown = cooldownAt(memory, now);
  return {
    model: config.model.name,
    hasKey: config.anthropicKey !== null,
    requests: { used: requests, limit: config.model.dailyCalls },
    tokens: { used: tokens, limit: config.model.dailyTokens },
    costDollars,
    failuresInARow: memory.failuresInARow,
    cooldown: cooldown === null ? null : { seconds: Math.ceil(cooldown.seconds), why: cooldown.why },
    last:
      memory.last === null
        ? null
        : { ts: isoTime(memory.last.at), outcome: memory.last.outcome, detail: memory.last.detail },
  };
}
