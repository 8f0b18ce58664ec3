/** The small campaign; `npm run test:campaign` is the one of 200 kills and 1,000 messages. */
import { expect, it } from "vitest";
import { onceEach, runCampaign } from "./kills.ts";

it("every message goes through kill -9 and flaky servers at least once, in order for each channel", async () => {
  const messages = 100;
  const kills = 20;
  const { telegram, webhook, failed, left } = await runCampaign({ messages, kills, haste: 20 });
  const all = Array.from({ length: messages }, (_, number) => number);
  // What is said twice is said twice in a row: it was on its way when its Argus was killed, one at most for each kill.
  expect(onceEach(telegram)).toEqual(all);
  expect(onceEach(webhook)).toEqual(all);
  for (const taken of [telegram, webhook]) expect(taken.length - messages).toBeLessThanOrEqual(kills);
  expect(failed).toBeGreaterThan(0);
  expect(left).toEqual(["delivery.json", "outbox"]);
});
