/** What kill -9 costs the messages: none is lost, hardly one is said twice. */
import { expect, it } from "vitest";
import { onceEach, runCampaign } from "../notify/kills.ts";

it("200 times kill -9 while 1,000 messages pass: all delivered, in order, at most 1 % twice", async () => {
  const messages = 1000;
  const kills = 200;
  const began = performance.now();
  const { telegram, webhook, failed, left } = await runCampaign({
    messages,
    kills,
    haste: 4,
  });
  const twice = (taken: readonly number[]) => taken.length - messages;
  console.log({
    messages,
    kills,
    "requests failed": failed,
    "twice through Telegram": twice(telegram),
    "twice through the webhook": twice(webhook),
    minutes: Math.round((performance.now() - began) / 6000) / 10,
  });
  const all = Array.from({ length: messages }, (_, number) => number);
  for (const taken of [telegram, webhook]) {
    expect(onceEach(taken)).toEqual(all);
    expect(twice(taken)).toBeLessThanOrEqual(messages / 100);
  }
  expect(failed).toBeGreaterThan(messages / 100);
  expect(left).toEqual(["delivery.json", "outbox"]);
});
