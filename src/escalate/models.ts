/** What is particular to a model: how it is kept from thinking at length, and what it costs. */
import type { MessageCreateParamsNonStreaming } from "@anthropic-ai/sdk/resources/messages";

interface Profile {
  readonly model: RegExp;
  /**
   * Thinking counts into the tokens of a reply and is never seen here. Each generation is told in its own way, and
   * refuses the other ways.
   */
  readonly options: Pick<MessageCreateParamsNonStreaming, "thinking"> & { readonly effort?: "low" };
  /** Dollars for a million tokens of a prompt of up to 100,000 (platform.claude.com, November 2026). */
  readonly price: { readonly input: number; readonly output: number };
}

const profiles: readonly Profile[] = [
  {
    model: /^claude-haiku-5-5/,
    options: { thinking: { type: "disabled" } },
    price: { input: 0.1, output: 0.5 },
  },
  { model: /^claude-sonnet-5-5/, options: { effort: "low" }, price: { input: 2, output: 10 } },
  { model: /^claude-opus-5-5/, options: { effort: "low" }, price: { input: 4, output: 20 } },
  { model: /^claude-haiku-4-5/, options: {}, price: { input: 1, output: 5 } },
];

const profileOf = (model: string): Profile | undefined =>
  profiles.find((profile) => profile.model.test(model));

export const optionsOf = (model: string): Profile["options"] => profileOf(model)?.options ?? {};

export interface Usage {
  /** Neither read from nor written to the cache. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

export const tokensOf = (usage: Usage): number =>
  usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;

/** null: the price of the model is not known. Reading the cache costs a tenth of input, writing it a quarter more. */
export function costOf(model: string, usage: Usage): number | null {
  const price = profileOf(model)?.price;
  if (price === undefined) return null;
  const input = usage.inputTokens + usage.cacheReadTokens * 0.1 + usage.cacheWriteTokens * 1.25;
  return (input * price.input + usage.outputTokens * price.output) / 1e6;
}
