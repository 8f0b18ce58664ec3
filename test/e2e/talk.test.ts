/** People in Telegram and the daemon, through the built program and a server that speaks the Bot API. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startBotChat, token } from "../notify/bot-chat.ts";
import { afterThis, alive, argus, until, unwrapped } from "./argus.ts";
import { lightNode, processRule } from "./light-node.ts";

async function daemon(settings: object, interval = "3600") {
  const chat = await startBotChat();
  afterThis(() => void chat.close());
  const watch = argus({
    ARGUS_INTERVAL: interval,
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_CHAT_ID: "-100",
    TELEGRAM_API_URL: chat.url,
  });
  watch.settings({ telegram: { users: [7] }, ...settings });
  /** What was answered to this, beside the alerts that come by themselves. */
  const ask = async (words: string): Promise<string> => {
    const before = chat.sent.length;
    chat.says(7, words);
    const answers = () => chat.sent.slice(before).filter(({ chat: to }) => to === "7");
    await until(`an answer to ${words}`, () => answers().length > 0, 30_000);
    return answers()[0]?.text ?? "";
  };
  return { chat, watch, ask };
}

test("an action that waits is approved by a button below its message, done at once, and explained", async () => {
  const { chat, watch, ask } = await daemon({ approval: { rules: ["kill_pid"] } });
  const pid = lightNode();
  watch.rule("wanted.json", processRule(pid, true));
  watch.start("run");
  await until("the question", () => chat.sent.some(({ buttons }) => buttons.length > 0), 30_000);
  const { text, buttons } = chat.sent.find((each) => each.buttons.length > 0) ?? { text: "", buttons: [] };
  const id = /argus approve ([a-z0-9]{4})/.exec(text)?.[1] ?? "";
  const key = /argus explain (\S+)/.exec(text)?.[1] ?? "";
  expect(buttons).toEqual([
    { text: `Yes to ${id}`, callback_data: `/approve ${id}` },
    { text: `No to ${id}`, callback_data: `/deny ${id}` },
    { text: "Explain", callback_data: `/explain ${key}` },
    { text: "Silence 1 h", callback_data: `/silence ${key} 1h` },
    { text: "1 day", callback_data: `/silence ${key} 1d` },
  ]);
  expect(alive(pid)).toBe(true);
  chat.presses(9, `/approve ${id}`, -100);
  chat.presses(7, `/approve ${id}`, -100);
  const said = () => chat.sent.map((each) => each.text).filter((each) => each.startsWith("approved"));
  await until("what became of it", () => said().length > 0, 30_000);
  expect(said()[0]).toMatch(new RegExp(`^approved ${id}\\. kill_pid ${pid}: success: `));
  expect(alive(pid)).toBe(false);
  expect(unwrapped(await ask(`/explain ${key}`))).toContain("Ann (Telegram 7)");
  expect(watch.run("explain", key).stdout).toContain("Ann (Telegram 7) approved");
}, 60_000);

test("people look, silence, pause and resume; the command line shows the same, with who it was", async () => {
  const { watch, ask } = await daemon({});
  const pid = lightNode();
  watch.rule("there.json", processRule(pid, false));
  watch.start("run");
  expect(await ask("/status")).toContain("Argus ·");
  expect(await ask("/problems")).toContain(`process ${pid}`);
  const explained = await ask("/explain");
  expect(explained).toContain(`away-with-${pid}`);
  const key = String(watch.registry()[0]?.key);
  expect(await ask(`/explain ${key}`)).toContain(key);
  expect(await ask("/explain nonsense")).toBe(
    'there is no cycle "nonsense" in the trail, and it is no problem\'s key; `argus problems` lists the keys',
  );
  expect(await ask(`/silence ${key} 2h`)).toMatch(
    new RegExp(`^Silenced ${key} until .* \\(/unsilence \\w{4}\\); the watching goes on\\.$`),
  );
  expect(watch.run("silence", "list").stdout).toContain("user7 (Telegram 7)");
  expect(await ask("/silence")).toMatch(
    new RegExp(`^\\w{4}: key ${key} until [\\d :-]+ UTC, by user7 \\(Telegram 7\\) \\(by Telegram\\)$`),
  );
  expect(await ask("/silence service:nothing")).toBe("That cannot be understood; /help lists what can.");
  expect(await ask("/silence x soon")).toBe("It must be a number and s, m, h or d, such as 30m, 2h or 7d.");
  expect(await ask("/pause 2h")).toMatch(
    /^Paused until [\d :-]+ UTC: no restarts, kills or cleaning; alerts and notes go on\.$/,
  );
  expect(unwrapped(watch.run("status").stdout)).toContain("by user7 (Telegram 7)");
  expect(await ask("/resume")).toMatch(/^Resumed; it was paused since /);
  expect(await ask("/approve zzzz")).toBe("nothing waits under the id zzzz any more");
  expect(await ask("what can you do?")).toContain("/problems");
  const log = readFileSync(join(watch.dir, "logs", "argus.log"), "utf8");
  expect(log).toContain('"telegram_user":7');
  expect(log).toContain("was asked: /pause 2h");
  expect(log).not.toContain(token);
}, 60_000);

test("a daemon that is told to stop does not wait for Telegram, which would answer in a minute", async () => {
  const { chat, watch } = await daemon({});
  const child = watch.start("run");
  await until("the long question", () => chat.polls.length > 0, 30_000);
  child.kill("SIGTERM");
  await until("its end", () => child.exitCode !== null, 10_000);
  expect(child.exitCode).toBe(0);
});

test("without the setting nobody is asked and messages have no buttons", async () => {
  const { chat, watch } = await daemon({ telegram: undefined }, "1");
  watch.rule("there.json", processRule(lightNode(), false));
  watch.start("run");
  await until("an alert", () => chat.sent.length > 0, 30_000);
  expect(chat.sent[0]?.buttons).toEqual([]);
  expect(chat.polls).toEqual([]);
});
