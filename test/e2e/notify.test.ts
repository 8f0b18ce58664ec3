/** `argus notify --test`, against a server that speaks the Bot API. */
import { expect, test } from "vitest";
import { refusal, startBotApi, token } from "../notify/bot-api.ts";
import { afterThis, argus, ended } from "./argus.ts";

test("a test message says what came back from the channel", async () => {
  const api = await startBotApi();
  afterThis(() => void api.close());
  const watch = argus({ TELEGRAM_BOT_TOKEN: token, TELEGRAM_CHAT_ID: "-100", TELEGRAM_API_URL: api.url });
  const run = async (...args: string[]) => {
    const child = watch.start("notify", "--test", ...args);
    return [await ended(child), child.output()];
  };
  expect(await run()).toEqual([0, "telegram: sent: chat -100 has it\n"]);
  expect(api.told).toMatchObject([{ chat: "-100", text: expect.stringMatching(/^\S+: a test of Argus\. /) }]);
  const [status, json] = await run("--json");
  expect([status, JSON.parse(String(json))]).toEqual([
    0,
    [
      {
        channel: "telegram",
        type: "telegram",
        to: "Telegram chat -100",
        ok: true,
        detail: "chat -100 has it",
      },
    ],
  ]);
  api.replies = [refusal(401, "Unauthorized")];
  const [failed, output] = await run();
  expect(failed).toBe(1);
  expect(output).toMatch(/^telegram: not sent: .*TELEGRAM_BOT_TOKEN/);
});

test("without a channel, or without --test, it says what is missing", () => {
  const watch = argus();
  expect(watch.run("notify", "--test")).toMatchObject({
    status: 2,
    stderr:
      "argus: no channel is configured; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env, or name channels in argus.json\n",
  });
  expect(watch.run("notify")).toMatchObject({ status: 2 });
});
