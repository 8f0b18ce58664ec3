/** Who is listened to in Telegram, against a server that speaks the Bot API. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ListenOptions, listen, type Reply } from "../../src/notify/talk/listen.ts";
import { createSystem } from "../../src/system/machine.ts";
import { type BotChat, startBotChat, token } from "./bot-chat.ts";

let chat: BotChat;
let stateDir: string;
let end: AbortController;
let asked: string[];
let told: string[];
let bugs: unknown[];

beforeEach(async () => {
  chat = await startBotChat();
  stateDir = mkdtempSync(join(tmpdir(), "argus-listen-"));
  end = new AbortController();
  [asked, told, bugs] = [[], [], []];
});
afterEach(async () => {
  end.abort();
  await chat.close();
  rmSync(stateDir, { recursive: true });
});

const report: Reply = { text: "all is well", isReport: true };

function start(more: Partial<ListenOptions> = {}): Promise<void> {
  const system = createSystem();
  const account = { token, chatId: "-100", apiUrl: chat.url };
  return listen({
    system: { ...system, clock: { ...system.clock, sleep: (_ms, signal) => system.clock.sleep(20, signal) } },
    stateDir,
    wanted: () => ({ account, answering: { users: [7], may: ["approve"] } }),
    answer: async (words, { user, name }) => {
      asked.push(`${user} ${name}: ${words}`);
      return report;
    },
    tell: (sentence) => void told.push(sentence),
    onBug: (error) => void bugs.push(error),
    signal: end.signal,
    ...more,
  });
}

describe("a word of somebody whom the settings name", () => {
  it("is answered where it was said, in private and in the chat of the alerts", async () => {
    start();
    chat.says(7, "/status");
    await vi.waitFor(() => expect(chat.sent).toHaveLength(1));
    chat.says(7, "/status@argus_bot", { chat: -100 });
    chat.presses(7, "/explain service:3f1c0c9a5d2e7b40", -100);
    await vi.waitFor(() => expect(chat.sent).toHaveLength(3));
    expect(chat.sent.map(({ chat: to, text, isFixed }) => [to, text, isFixed])).toEqual([
      ["7", "all is well", true],
      ["-100", "all is well", true],
      ["-100", "all is well", true],
    ]);
    expect(asked).toEqual([
      "7 user7: status",
      "7 user7: status@argus_bot",
      "7 Ann: explain service:3f1c0c9a5d2e7b40",
    ]);
    // A button spins until its press is answered.
    expect(chat.answered).toHaveLength(1);
  });

  it("is taken once: the next listener goes on after it, also when the first was cut off by it", async () => {
    const first = start({ answer: () => new Promise(() => undefined) });
    chat.says(7, "/pause");
    await vi.waitFor(() =>
      expect(JSON.parse(readFileSync(join(stateDir, "telegram.json"), "utf8")).offset).toBe(702),
    );
    void first;
    end.abort();
    end = new AbortController();
    start();
    chat.says(7, "/status");
    await vi.waitFor(() => expect(asked).toEqual(["7 user7: status"]));
  });

  it("is not taken when it was written long before, and says so", async () => {
    start();
    chat.says(7, "/resume", { secondsAgo: 3600 });
    await vi.waitFor(() => expect(chat.sent).toHaveLength(1));
    expect(chat.sent[0]?.text).toBe(
      "You wrote this a while ago, when nobody listened. Say it again if it still holds.",
    );
    expect(asked).toEqual([]);
  });

  it("gets long answers in parts, and secrets not at all", async () => {
    const secret = "postgres://web:hunter2secret@db/web";
    start({ answer: async () => ({ text: `${secret}\n${"line\n".repeat(4000)}`, isReport: true }) });
    chat.says(7, "/problems");
    await vi.waitFor(() => expect(chat.sent).toHaveLength(3));
    expect(JSON.stringify(chat.sent)).not.toContain("hunter2secret");
  });

  it("gets an answer also when that failed by a bug, which the log gets", async () => {
    const bug = new Error("boom");
    start({ answer: () => Promise.reject(bug) });
    chat.says(7, "/status");
    await vi.waitFor(() => expect(chat.sent).toHaveLength(1));
    expect(chat.sent[0]?.text).toBe("That failed, because of a bug in Argus: its log says more.");
    expect(bugs).toEqual([bug]);
  });
});

describe("nobody answers", () => {
  it.each([
    ["a stranger in private", 9, 9],
    ["a stranger in the chat of the alerts", 9, -100],
    ["one who is named, in a chat of others", 7, -200],
  ])("%s, which the log says once", async (_, user, where) => {
    start();
    chat.says(user, "/pause", { chat: where });
    chat.presses(user, "/approve abcd", where);
    chat.says(7, "/status");
    await vi.waitFor(() => expect(chat.sent).toHaveLength(1));
    expect(asked).toEqual(["7 user7: status"]);
    expect(told).toEqual([
      `the Telegram user ${user} is not named in argus.json, or wrote elsewhere, and got no answer`,
    ]);
    expect(chat.answered).toEqual([]);
  });

  it("a private chat that only says so: its number must be the person's own", async () => {
    start();
    chat.says(7, "/pause", { chat: 55, type: "private" });
    chat.says(7, "/status");
    await vi.waitFor(() => expect(asked).toEqual(["7 user7: status"]));
  });

  it("people of a group who talk with one another", async () => {
    start();
    chat.says(7, "who restarts the database?", { chat: -100 });
    chat.says(7, "/status", { chat: -100 });
    await vi.waitFor(() => expect(asked).toEqual(["7 user7: status"]));
    expect(told).toEqual([]);
  });

  it("anybody while the settings name nobody: the bot is not even asked", async () => {
    let looks = 0;
    start({
      wanted: () => {
        looks += 1;
        return null;
      },
    });
    await vi.waitFor(() => expect(looks).toBeGreaterThan(3));
    expect(chat.polls).toEqual([]);
    expect(existsSync(join(stateDir, "telegram.json"))).toBe(false);
  });
});

describe("when Telegram does not let itself be asked", () => {
  const refused = (status: number, description: string, parameters?: object) => ({
    status,
    body: { ok: false, error_code: status, description, parameters },
  });
  const cases: [string, { status: number; body: unknown }, string][] = [
    [
      "because another program asks",
      refused(409, "Conflict: terminated by other getUpdates request"),
      "nobody can be heard in Telegram (409: Conflict: terminated by other getUpdates request): another program reads what is written to this bot, or a webhook is set; give Argus a bot of its own",
    ],
    [
      "because the token was revoked",
      refused(401, `Unauthorized ${token}`),
      "nobody can be heard in Telegram (401: Unauthorized ***): TELEGRAM_BOT_TOKEN in argus.env is wrong or was revoked",
    ],
    [
      "because of too many questions",
      refused(429, "Too Many Requests", { retry_after: 3 }),
      "nobody can be heard in Telegram (429: Too Many Requests)",
    ],
    [
      "because somebody else answers",
      { status: 200, body: "<html>log in</html>" },
      "nobody can be heard in Telegram (200: no description)",
    ],
    [
      "and its answer is no list of updates",
      { status: 200, body: { ok: true, result: { update_id: 3 } } },
      "nobody can be heard in Telegram (200: no description)",
    ],
  ];
  it.each(cases)("%s, it is said, and asked again later", async (_, answer, sentence) => {
    chat.next.set("getUpdates", answer);
    start();
    chat.says(7, "/status");
    await vi.waitFor(() => expect(asked).toEqual(["7 user7: status"]));
    expect(told).toEqual([sentence, "people in Telegram are heard again"]);
  });

  it("what is no word of a person is passed over", async () => {
    const odd = [
      {},
      { message: { text: 5 } },
      { callback_query: { id: "x" } },
      { message: { message_id: 1 } },
    ];
    const result = odd.map((each, index) => ({ update_id: 10 + index, ...each }));
    chat.next.set("getUpdates", { status: 200, body: { ok: true, result } });
    start();
    chat.says(7, "/status");
    await vi.waitFor(() => expect(asked).toEqual(["7 user7: status"]));
    expect([told, bugs]).toEqual([[], []]);
    expect(chat.polls[0]).toBe(14);
  });
});
