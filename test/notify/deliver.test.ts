import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDelivery, type Delivered } from "../../src/notify/deliver.ts";
import { viewOutbox } from "../../src/notify/view.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { System } from "../../src/system/system.ts";
import type { OutboxMessage } from "../../src/types/action.ts";
import { type BotApi, refusal, startBotApi, token } from "./bot-api.ts";

const real = createSystem();
let stateDir: string;
let api: BotApi;
beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), "argus-notify-"));
  api = await startBotApi();
});
afterEach(async () => {
  await api.close();
  chmodSync(join(stateDir, "outbox"), 0o700);
  rmSync(stateDir, { recursive: true, force: true });
});

/** The pauses between messages cost the test nothing; what they would have been is written down. */
function hasty(): { system: System; slept: number[] } {
  const slept: number[] = [];
  const sleep: System["clock"]["sleep"] = async (milliseconds) => void slept.push(milliseconds);
  return { system: { ...real, clock: { ...real.clock, sleep } }, slept };
}

let number = 0;
function put(text: string, more: Partial<OutboxMessage> = {}): string {
  number += 1;
  const id = `20260219T233000Z-${String(number).padStart(5, "0")}`;
  const createdAt = new Date(Date.now() - 60_000 + number).toISOString();
  const message: OutboxMessage = {
    version: 1,
    id,
    createdAt,
    severity: "warning",
    text,
    problems: [],
    ...more,
  };
  mkdirSync(join(stateDir, "outbox"), { recursive: true });
  writeFileSync(join(stateDir, "outbox", `${id}.json`), JSON.stringify(message));
  return `${id}.json`;
}

const telegramOf = (more = {}) => ({
  type: "telegram" as const,
  name: "telegram",
  token,
  chatId: "-100",
  apiUrl: api.url,
  ...more,
});
const account = (more = {}) => ({ channels: [telegramOf(more)], intervalSeconds: 300 });
/** What a delivery looks like in which nothing is wrong. */
const fine = { sent: 0, waiting: 0, errors: [], notes: [] };
const trouble = (text: string, news = true) => [{ channel: "telegram", text, news }];
const outbox = () => readdirSync(join(stateDir, "outbox")).sort();
const texts = () => api.told.map(({ text }) => text);

function deliver(
  options: { system?: System; telegram?: object | null; withinMs?: number; signal?: AbortSignal } = {},
): Promise<Delivered> {
  const { system = hasty().system, withinMs = 5000, signal = new AbortController().signal } = options;
  const config =
    options.telegram === null ? { channels: [], intervalSeconds: 300 } : account(options.telegram ?? {});
  return createDelivery(system, stateDir).deliver(config, signal, withinMs);
}

describe("delivery", () => {
  it("sends what waits, oldest first, about one a second, and removes what was confirmed", async () => {
    put("second", { createdAt: new Date(Date.now() - 1000).toISOString() });
    put("first", { createdAt: new Date(Date.now() - 2000).toISOString() });
    put("third", { createdAt: new Date(Date.now()).toISOString() });
    const { system, slept } = hasty();
    expect(await deliver({ system })).toEqual({ ...fine, sent: 3 });
    expect(texts()).toEqual(["first", "second", "third"]);
    expect(api.told[0]?.chat).toBe("-100");
    expect(slept).toEqual([1000, 1000]);
    expect(outbox()).toEqual([]);
  });

  it("does nothing without an outbox, and asks nobody", async () => {
    expect(await deliver()).toEqual(fine);
    expect(api.asked).toEqual([]);
    mkdirSync(join(stateDir, "outbox"));
  });

  it("says of an old message when it was written", async () => {
    put("disk is full", { createdAt: "2026-02-19T23:30:00.123Z" });
    await deliver();
    expect(texts()).toEqual(["(delivered late, written 2026-02-19 23:30 UTC)\ndisk is full"]);
  });

  it("sets aside what is not a message, says so, and sends the others", async () => {
    put("fine");
    writeFileSync(join(stateDir, "outbox", "a.json"), "{");
    mkdirSync(join(stateDir, "outbox", "b.json"));
    const { sent, notes } = await deliver();
    expect(sent).toBe(1);
    const folder = join(stateDir, "outbox");
    expect(notes).toEqual(
      ["a", "b"].map(
        (name) =>
          `${folder}/${name}.json is not a message and was set aside as ${folder}/${name}.json.corrupt-1`,
      ),
    );
    expect(outbox()).toEqual(["a.json.corrupt-1", "b.json.corrupt-1"]);
  });

  it("splits what is too long for one message at line ends", async () => {
    put(Array.from({ length: 300 }, (_, line) => `line ${line} ${"x".repeat(20)}`).join("\n"));
    expect((await deliver()).sent).toBe(1);
    expect(texts().length).toBe(3);
    expect(texts().join("\n")).toContain("line 299");
    for (const text of texts()) expect(text.startsWith("line ") && text.endsWith("x")).toBe(true);
  });
});

describe("trouble on the way", () => {
  it.each([
    ["a server error", [refusal(502, "Bad Gateway"), refusal(500, "Internal")]],
    ["a connection that is reset", ["reset" as const]],
    ["a proxy that answers for Telegram", [{ status: 200, body: "<html>Welcome to the hotel</html>" }]],
  ])("%s is tried again", async (_, replies) => {
    put("hello");
    api.replies = [...replies];
    expect(await deliver({ system: real })).toEqual({ ...fine, sent: 1 });
    expect(api.asked).toHaveLength(replies.length + 1);
  });

  it("429 is answered by waiting as long as Telegram asks", async () => {
    put("hello");
    api.replies = [refusal(429, "Too Many Requests: retry after 3", { retry_after: 3 })];
    const { system, slept } = hasty();
    expect(await deliver({ system })).toEqual({ ...fine, sent: 1 });
    expect(slept).toEqual([3000]);
  });

  it("429 for longer than there is time leaves the message, and nobody is asked before the pause is over", async () => {
    put("hello");
    api.replies = [refusal(429, "Too Many Requests: retry after 300", { retry_after: 300 })];
    let passed = 0;
    const now = () => ({ ...real.clock.now(), uptimeSeconds: 1000 + passed });
    const system = { ...real, clock: { ...real.clock, now } };
    const error = "Telegram asks for a pause of 300 s (429)";
    expect(await deliver({ system })).toMatchObject({ sent: 0, waiting: 1, errors: trouble(error) });
    passed = 299;
    expect(await deliver({ system })).toMatchObject({ sent: 0, waiting: 1, errors: trouble(error, false) });
    expect(api.asked).toHaveLength(1);
    passed = 301;
    expect(await deliver({ system })).toMatchObject({ sent: 1, waiting: 0, errors: [] });
  });

  it("a server that hangs costs no more than the time that was given", async () => {
    put("hello");
    put("world");
    api.replies = ["hang", "hang", "hang"];
    const delivered = await deliver({ system: real, withinMs: 300 });
    expect(delivered).toMatchObject({ sent: 0, waiting: 2, errors: [{ news: true }] });
    expect(delivered.errors[0]?.text).toMatch(/^Telegram cannot be reached: no answer within 0\.\d+ s$/);
    expect(outbox()).toHaveLength(2);
  });

  it("the end of Argus ends it at once, and that is no error", async () => {
    put("hello");
    api.replies = ["hang"];
    const stop = new AbortController();
    const delivery = deliver({ system: real, signal: stop.signal, withinMs: 60_000 });
    while (api.asked.length === 0) await real.clock.sleep(5);
    stop.abort();
    expect(await delivery).toMatchObject({ sent: 0, waiting: 1, errors: [] });
    expect(outbox()).toHaveLength(1);
  });

  it("a group that became a supergroup is followed, said once, and remembered", async () => {
    put("hello");
    api.replies = [
      refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", {
        migrate_to_chat_id: -1001234,
      }),
    ];
    expect((await deliver()).notes).toEqual([
      "the chat -100 is now -1001234; put that into TELEGRAM_CHAT_ID in argus.env",
    ]);
    put("again");
    expect((await deliver()).notes).toEqual([]);
    expect(api.asked.map(({ chat }) => chat)).toEqual(["-100", "-1001234", "-1001234"]);
  });
});

describe("settings that Telegram refuses", () => {
  const wrong: [number, string, string][] = [
    [401, "Unauthorized", "TELEGRAM_BOT_TOKEN in argus.env is wrong or was revoked, get one from @BotFather"],
    [
      403,
      "Forbidden: bot was blocked by the user",
      "open a chat with the bot and press Start, or add it to the group again",
    ],
    [
      400,
      "Bad Request: chat not found",
      "check TELEGRAM_CHAT_ID in argus.env, and write to the bot once so that it may answer",
    ],
    [418, "I'm a teapot", "check TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env"],
  ];
  it.each(wrong)(
    "%i is said once with the mend, and every message stays",
    async (status, description, mend) => {
      put("one");
      put("two");
      const error = `Telegram refused (${status}: ${description}); ${mend}`;
      for (const news of [true, false]) {
        api.replies = [refusal(status, description)];
        expect(await deliver()).toEqual({ sent: 0, waiting: 2, errors: trouble(error, news), notes: [] });
      }
      expect(api.asked).toHaveLength(2);
      expect(viewOutbox(real.files, stateDir, ["telegram"], Date.now())).toMatchObject({
        waiting: 2,
        channels: [{ name: "telegram", waiting: 2, error: { text: error } }],
      });
      expect(await deliver()).toMatchObject({ sent: 2, waiting: 0, errors: [] });
    },
  );

  it("a text that it will never take is kept under another name and does not hold up the others", async () => {
    const name = put("one");
    put("two");
    const description = "Bad Request: can't parse entities";
    api.replies = [refusal(400, description), refusal(400, description), refusal(400, description)];
    const kept = join(stateDir, "outbox", `${name}.refused-1`);
    expect(await deliver()).toEqual({
      sent: 1,
      waiting: 0,
      errors: [],
      notes: [
        `Telegram refused (400: Bad Request: can't parse entities); the message is kept as ${kept} and not sent again`,
      ],
    });
    expect(JSON.parse(readFileSync(kept, "utf8")).text).toBe("one");
  });

  it("never show the token, whatever a server, the network or the address says back", async () => {
    put("hello");
    const seen: string[] = [];
    const look = async (telegram: object, replies: typeof api.replies = []) => {
      api.replies = [...replies];
      const delivered = await deliver({ telegram, withinMs: 200 });
      seen.push(JSON.stringify(delivered), readFileSync(join(stateDir, "delivery.json"), "utf8"));
      // The pause after a failure is another matter.
      rmSync(join(stateDir, "delivery.json"));
      return delivered.errors[0]?.text ?? null;
    };
    expect(await look({}, [refusal(401, `bad /bot${token}/x`)])).toContain("bad /bot***/x");
    expect(await look({}, [refusal(500, `secret ABC-DEF_ghi`), "hang"])).not.toBeNull();
    expect(await look({ apiUrl: "nonsense" })).toMatch(/^Telegram cannot be reached: /);
    expect(await look({ apiUrl: "http://127.0.0.1:1" })).toBe(
      "Telegram cannot be reached: connection refused",
    );
    expect(await look({ apiUrl: `http://${token}.invalid` })).toMatch(/^Telegram cannot be reached: /);
    for (const text of seen) expect(text).not.toMatch(/ABC-DEF_ghi|123456:/);
  });

  it("a token that cannot be one is said without asking anybody", async () => {
    put("hello");
    expect((await deliver({ telegram: { token: "not a token" } })).errors[0]?.text).toBe(
      "TELEGRAM_BOT_TOKEN is not a bot token (123456:ABC...); copy it from @BotFather into argus.env",
    );
    expect(api.asked).toEqual([]);
  });
});

describe("too many messages", () => {
  it("cost the oldest info, then the oldest warning ones, never a critical one, and what they said is told in short", async () => {
    for (let count = 0; count < 510; count += 1) {
      put(`${count}`, { severity: count < 5 ? "critical" : count < 12 ? "info" : "warning" });
    }
    api.replies = [refusal(403, "Forbidden")];
    const delivered = await deliver();
    expect(delivered).toMatchObject({ sent: 0, waiting: 500 });
    expect(delivered.notes).toEqual([
      "the outbox held more than 500 messages because they could not be delivered; 10 of the oldest, none of them critical, will be told in a digest",
    ]);
    const kept = outbox().map(
      (name) => JSON.parse(readFileSync(join(stateDir, "outbox", name), "utf8")).text,
    );
    expect(kept.slice(0, 7)).toEqual(["0", "1", "2", "3", "4", "15", "16"]);
    await deliver();
    expect(texts()[0]).toMatch(
      /: 10 messages of .* could not be delivered at the time\. None was critical; /,
    );
    for (let count = 5; count < 15; count += 1)
      expect(texts()[0]).toMatch(new RegExp(`^${count} \\(\\d{4}`, "m"));
    expect(texts().slice(1, 3)).toEqual(["0", "1"]);
    expect(outbox()).toEqual([]);
    put("later");
    await deliver();
    expect(texts().at(-1)).toBe("later");
  });

  it("without a channel wait as well, and the channel that comes is told of all of them", async () => {
    for (let count = 0; count < 510; count += 1)
      put(`${count}`, { severity: count % 100 === 0 ? "critical" : "warning" });
    const text =
      "no channel is configured; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env, or name channels in argus.json";
    expect(await deliver({ telegram: null })).toEqual({
      sent: 0,
      waiting: 500,
      errors: [{ channel: null, text, news: true }],
      notes: [
        "the outbox held more than 500 messages because no channel is configured; 10 of the oldest, none of them critical, will be told in a digest",
      ],
    });
    expect((await deliver({ telegram: null })).errors).toEqual([{ channel: null, text, news: false }]);
    expect(viewOutbox(real.files, stateDir, [], Date.now()).waiting).toBe(510);
    expect(await deliver({ withinMs: 60_000 })).toMatchObject({ sent: 500, waiting: 0, errors: [] });
    expect(texts()[0]).toContain(": 10 messages of ");
    for (let count = 1; count < 11; count += 1)
      expect(texts()[0]).toMatch(new RegExp(`^${count} \\(\\d{4}`, "m"));
    expect(texts().slice(1)).toEqual(
      Array.from({ length: 510 }, (_, count) => `${count}`).filter((_, count) => count === 0 || count > 10),
    );
  });

  it("without a channel keep up to 2000 critical ones, and count the others", async () => {
    for (let count = 0; count < 2005; count += 1) put(`${count}`, { severity: "critical" });
    expect(await deliver({ telegram: null })).toMatchObject({
      waiting: 2000,
      notes: [
        "the outbox held more than 2000 messages because no channel is configured; 5 of the oldest, 5 of them critical, will be told in a digest",
      ],
    });
    api.replies = ["ok", refusal(403, "Forbidden")];
    await deliver();
    expect(texts()[0]).toMatch(
      /: 5 messages of .* could not be delivered at the time\. 5 of them critical; in short:/,
    );
  });
});

describe("a message that was sent", () => {
  it("is not sent every cycle when its file cannot be removed", async () => {
    put("hello");
    const { system } = hasty();
    const readOnly = {
      ...system,
      files: {
        ...system.files,
        remove: () => {
          throw Object.assign(new Error("EROFS"), { code: "EROFS" });
        },
      },
    };
    const delivery = createDelivery(readOnly, stateDir);
    const { signal } = new AbortController();
    const error = `cannot remove the delivered message ${join(stateDir, "outbox", outbox()[0] ?? "")}: the file system is read-only; mount it writable, or move the folder with ARGUS_STATE_DIR and ARGUS_LOG_DIR`;
    const said = (news: boolean) => [{ channel: null, text: error, news }];
    expect(await delivery.deliver(account(), signal, 5000)).toMatchObject({ sent: 1, errors: said(true) });
    expect(await delivery.deliver(account(), signal, 5000)).toMatchObject({ sent: 0, errors: said(false) });
    expect(texts()).toEqual(["hello"]);
  });

  it("leaves its name to a later one, which every channel is told of", async () => {
    const other = await startBotApi();
    const channels = [telegramOf(), telegramOf({ name: "other", apiUrl: other.url })];
    const delivery = createDelivery(hasty().system, stateDir);
    const { signal } = new AbortController();
    for (const text of ["one", "two"]) {
      number = 0;
      put(text);
      expect(await delivery.deliver({ channels, intervalSeconds: 300 }, signal, 5000)).toMatchObject({
        sent: 2,
      });
    }
    expect([texts(), other.told.map(({ text }) => text)]).toEqual([
      ["one", "two"],
      ["one", "two"],
    ]);
    await other.close();
  });

  it("is sent once by two deliveries at the same time", async () => {
    put("hello");
    const delivery = createDelivery(real, stateDir);
    const { signal } = new AbortController();
    const both = await Promise.all([
      delivery.deliver(account(), signal, 5000),
      delivery.deliver(account(), signal, 5000),
    ]);
    expect(both.map(({ sent }) => sent)).toEqual([1, 0]);
    expect(texts()).toEqual(["hello"]);
  });
});
