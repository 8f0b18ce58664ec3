/** What a channel refuses: shorter forms of it, what is kept aside, what is said of it, and whose end is told. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { composeMessages } from "../../src/execute/outbox.ts";
import { createDelivery } from "../../src/notify/deliver.ts";
import { tellDirectly } from "../../src/notify/direct.ts";
import { failingChannels, viewOutbox } from "../../src/notify/view.ts";
import type { System } from "../../src/system/system.ts";
import type { Channel } from "../../src/types/channels.ts";
import { manualClock } from "../execute/support.ts";
import { startFakeAlertmanager } from "./alertmanager.ts";
import { token } from "./bot-api.ts";
import { afterThis, hasty, noteOf, type Post, postOffice, real } from "./support.ts";
import { type Answer, startWebServer, type WebServer } from "./web-server.ts";

let post: Post;
let web: WebServer;
beforeEach(async () => {
  post = postOffice();
  web = await startWebServer();
  afterThis(() => web.close());
});

const hook = (more: { name?: string; url?: string } = {}): Channel => ({
  type: "webhook",
  name: "ops",
  url: web.url,
  secret: "a key that only two know",
  authorization: null,
  timeoutSeconds: 5,
  ...more,
});
const bot = (): Channel => ({
  type: "telegram",
  name: "telegram",
  token,
  chatId: "-100",
  apiUrl: web.url,
  may: ["silence"],
});

const keyOf = (digit: number) => `service:${String(digit).padStart(16, "0")}`;
interface About {
  readonly digit?: number;
  readonly recovery?: boolean;
  readonly summary?: string;
}
/** As the executor writes it. */
function alert(...all: About[]): string {
  const alerts = all.map(
    ({ digit = 1, recovery = false, summary = `web_${digit} is <failed> für immer` }) => ({
      problem: keyOf(digit),
      type: "service" as const,
      subject: `web_${digit}`,
      severity: "critical" as const,
      recovery,
      text: [summary, ...Array.from({ length: 8 }, (_, line) => `line ${line} ${"x".repeat(200)}`)].join(
        "\n",
      ),
    }),
  );
  const [message] = composeMessages("landmass", alerts, real.clock.now());
  if (message === undefined) throw new Error("no message");
  const { text, ...rest } = message;
  return post.put(text, { ...rest, createdAt: new Date().toISOString() });
}
const bodies = () => web.asked.map(({ body }) => JSON.parse(body));
const view = (names: string[] = ["ops"]) => viewOutbox(real.files, post.stateDir, names, Date.now()).channels;
const ok: Answer = { status: 200, body: JSON.stringify({ ok: true, result: {} }) };

describe("what Telegram refuses as it was written is sent in a form that it takes:", () => {
  interface Payload {
    readonly text: string;
    readonly reply_markup?: unknown;
  }
  const cases: [description: string, status: number, minds: (payload: Payload) => boolean][] = [
    ["Bad Request: message is too long", 400, ({ text }) => text.length > 1000],
    ["Bad Request: can't parse entities: unexpected end tag", 400, ({ text }) => /[<_*]/.test(text)],
    ["Bad Request: text must be encoded in UTF-8", 400, ({ text }) => /[^\n\x20-\x7e]/.test(text)],
    ["Bad Request: message text is empty", 400, ({ text }) => text.includes("failed")],
    ["Request Entity Too Large", 413, ({ text }) => text.length > 500],
    ["Bad Request: ENTITIES_TOO_LONG", 400, ({ text }) => text.length > 1000],
  ];
  it.each(cases)("%s (%i)", async (description, status, minds) => {
    alert({});
    web.otherwise = ({ body }) =>
      minds(JSON.parse(body)) ? { status, body: JSON.stringify({ ok: false, description }) } : ok;
    expect(await post.deliver([bot()])).toMatchObject({ sent: 1, waiting: 0, errors: [] });
    const taken: Payload = bodies().at(-1);
    expect(minds(taken)).toBe(false);
    expect(taken.text).toMatch(/^landmass: 1 critical/);
    expect(taken.text).toMatch(/argus (explain|problems)/);
    expect(taken.reply_markup).toBeUndefined();
    expect(post.outbox()).toEqual([]);
    expect(view(["telegram"])).toMatchObject([{ error: null, refused: null }]);
  });

  it("the short form names the problem, its command and why it is short", async () => {
    alert({});
    const body = '{"ok":false,"description":"Bad Request: message is too long"}';
    web.otherwise = (asked) => (JSON.parse(asked.body).text.length > 1000 ? { status: 400, body } : ok);
    await post.deliver([bot()]);
    expect(bodies().at(-1).text).toBe(
      [
        "landmass: 1 critical",
        "CRITICAL web 1 is (failed) fur immer",
        `argus explain ${keyOf(1)}`,
        "(shortened: Telegram refused (400: Bad Request: message is too long); in full: argus problems)",
      ].join("\n"),
    );
  });

  it.each(["Bad Request: BUTTON_DATA_INVALID", "Bad Request: can't parse reply keyboard markup JSON object"])(
    "%s: the buttons go, the words stay",
    async (description) => {
      alert({});
      web.otherwise = ({ body }) =>
        JSON.parse(body).reply_markup === undefined
          ? ok
          : { status: 400, body: JSON.stringify({ ok: false, description }) };
      expect(await post.deliver([bot()])).toMatchObject({ sent: 1, waiting: 0, errors: [] });
      expect(bodies()).toHaveLength(2);
      expect(bodies()[1].text).toBe(bodies()[0].text);
    },
  );

  it.each([
    "Bad Request: not enough rights to send text messages to the chat",
    "Bad Request: need administrator rights in the channel chat",
    "Bad Request: TOPIC_CLOSED",
    "Bad Request: message thread not found",
  ])("but %s is the fault of the chat: the message waits as it is", async (description) => {
    const name = alert({});
    web.otherwise = { status: 400, body: JSON.stringify({ ok: false, description }) };
    const { errors } = await post.deliver([bot()]);
    expect(errors[0]?.text).toContain("let the bot write in that chat");
    expect(post.outbox()).toEqual([name]);
    expect(web.asked).toHaveLength(1);
  });
});

describe("a webhook", () => {
  it.each([400, 413, 414, 422, 431])("that refuses what is long (%i) gets it short", async (status) => {
    alert({ digit: 1 }, { digit: 2 });
    web.otherwise = ({ body }) => ({ status: body.length > 1500 ? status : 200 });
    expect(await post.deliver([hook()])).toMatchObject({ sent: 1, waiting: 0, errors: [] });
    const taken = bodies().at(-1);
    expect(taken.text).toContain(keyOf(1));
    expect(taken.text).toContain(keyOf(2));
    expect(taken.problems.map(({ problem }: { problem: string }) => problem)).toEqual([keyOf(1), keyOf(2)]);
    expect(new Set(bodies().map(({ id }) => id)).size).toBe(2);
  });

  it("that fails at what is long for a while gets it short", async () => {
    alert({});
    const clock = manualClock();
    web.otherwise = ({ body }) => ({ status: body.length > 1500 ? 500 : 200 });
    const { system } = hasty({ ...real, clock });
    const sent: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      sent.push((await post.deliver([hook()], { system, withinMs: 900 })).sent);
      clock.advance(300);
    }
    expect(sent).toEqual([0, 0, 0, 1]);
  });

  it("gets every problem of a long list, in as many short messages as that takes", async () => {
    alert(...Array.from({ length: 25 }, (_, digit) => ({ digit })));
    web.replies = [{ status: 413 }];
    await post.deliver([hook()]);
    const short = bodies().slice(1);
    expect(short.length).toBeGreaterThan(1);
    for (const { text } of short) expect(text.length).toBeLessThan(1000);
    for (let digit = 0; digit < 25; digit += 1)
      expect(short.map(({ text }) => text).join()).toContain(keyOf(digit));
  });
});

describe("a program", () => {
  const script = (text: string): string => {
    const path = join(post.stateDir, "program");
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o700);
    return path;
  };

  it("that takes no long message gets it short, after it has failed at it a few times", async () => {
    alert({});
    const path = script(`cat > ${post.stateDir}/last; [ $(wc -c < ${post.stateDir}/last) -lt 800 ]`);
    const channel: Channel = { type: "command", name: "sms", command: [path], timeoutSeconds: 5 };
    const clock = manualClock();
    const { system } = hasty({ ...real, clock });
    const sent: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      sent.push((await post.deliver([channel], { system })).sent);
      clock.advance(300);
    }
    expect(sent).toEqual([0, 0, 0, 1]);
    expect(readFileSync(join(post.stateDir, "last"), "utf8")).toContain(`argus explain ${keyOf(1)}`);
  });

  it("that is a relay and takes no long message gets it short", async () => {
    post.put("words ".repeat(500));
    const path = script(`[ "\${#3}" -lt 1200 ] && printf %s "$3" > ${post.stateDir}/last`);
    const file = join(post.stateDir, "relay.jsonl");
    const account = { program: path, to: "lead", from: "argus", timeoutSeconds: 5, file };
    const { sent, errors, notes } = await post.deliver([{ type: "relay", name: "relay", ...account }]);
    expect({ sent, errors }).toEqual({ sent: 1, errors: [] });
    expect(notes).toEqual([`${path} failed with exit status 1; it took the message in a shorter form`]);
    expect(JSON.parse(readFileSync(join(post.stateDir, "last"), "utf8")).message).toMatch(/^words .*…$/);
    expect(existsSync(file)).toBe(false);
  });
});

describe("an Alertmanager that refuses the labels of one alert", () => {
  it("gets the others, and that one in plainer words, under which it is held and ends", async () => {
    const far = await startFakeAlertmanager(() => Date.now());
    afterThis(() => far.close());
    const channel: Channel = {
      type: "alertmanager",
      name: "am",
      url: far.url,
      authorization: null,
      timeoutSeconds: 5,
    };
    const before = far.web.otherwise;
    far.web.otherwise = (request) =>
      /ü/.test(request.body)
        ? { status: 400, body: "invalid label" }
        : typeof before === "function"
          ? before(request)
          : before;
    const bad = noteOf({ problem: keyOf(1), subject: "für" });
    const good = noteOf({ problem: keyOf(2), subject: "db" });
    const put = (notes: (typeof bad)[]) =>
      post.put("x", { notes, problems: notes.map(({ problem }) => problem), severity: "critical" });
    put([bad, good]);
    const open = [keyOf(1), keyOf(2)];
    expect(await post.deliver([channel], { open })).toMatchObject({ sent: 1, errors: [] });
    expect((await far.firing()).map(({ labels }) => labels["subject"]).sort()).toEqual(["db", "fur"]);
    put([bad]);
    expect(await post.deliver([channel], { open })).toMatchObject({ sent: 1, errors: [] });
    expect(await far.firing()).toHaveLength(2);
    put([{ ...bad, state: "resolved" }]);
    await post.deliver([channel], { open: [keyOf(2)] });
    expect((await far.firing()).map(({ labels }) => labels["subject"])).toEqual(["db"]);
    expect(view(["am"])).toMatchObject([{ error: null, refused: null }]);
  });

  it("in every form is told of the others all the same", async () => {
    const channel: Channel = {
      type: "alertmanager",
      name: "am",
      url: web.url,
      authorization: null,
      timeoutSeconds: 5,
    };
    web.otherwise = ({ body }) => ({ status: body.includes(keyOf(1)) ? 400 : 200 });
    const notes = [noteOf({ problem: keyOf(1) }), noteOf({ problem: keyOf(2), subject: "db" })];
    const name = post.put("x", { notes, problems: [keyOf(1), keyOf(2)], severity: "critical" });
    expect((await post.deliver([channel])).errors).toHaveLength(1);
    expect(post.outbox()).toEqual([`${name}.refused-1`]);
    expect(bodies().some((alerts) => alerts.length === 1 && alerts[0].labels.problem === keyOf(2))).toBe(
      true,
    );
    const remembered = JSON.parse(post.remembered()).channels.am;
    expect(Object.keys(remembered.firing)).toEqual([keyOf(2)]);
    expect(remembered.unheard).toEqual([keyOf(1)]);
  });
});

describe("what names no problem announces none:", () => {
  const three = () => alert({ digit: 1 }, { digit: 2 }, { digit: 3 });
  const keysIn = (body: { problems: { problem: string }[] }) => body.problems.map(({ problem }) => problem);

  it("a message is tried one problem at a time, and the one that is refused even so is not announced", async () => {
    const name = three();
    web.otherwise = ({ body }) => ({ status: body.includes(keyOf(2)) ? 422 : 200 });
    const text = "the webhook ops refused it (422), and 1 of its problems passed in no form";
    expect((await post.deliver([hook()])).errors).toMatchObject([{ text }]);
    const taken = bodies().filter((body) => !JSON.stringify(body).includes(keyOf(2)));
    expect(taken.flatMap(keysIn).sort()).toEqual([keyOf(1), keyOf(3)]);
    expect(taken.at(-1).text).toBe("landmass: 1 critical, see argus problems");
    expect(post.outbox()).toEqual([`${name}.refused-1`]);
    expect(view()).toMatchObject([{ waiting: 0, error: { text, kind: "kept" }, refused: { count: 1 } }]);
    web.otherwise = { status: 200 };
    web.asked.splice(0);
    alert({ digit: 1, recovery: true }, { digit: 2, recovery: true }, { digit: 3, recovery: true });
    expect(await post.deliver([hook()])).toMatchObject({ sent: 1, errors: [] });
    expect(bodies().flatMap(keysIn)).toEqual([keyOf(1), keyOf(3)]);
  });

  it("words of one problem that are minded cost the others nothing, and that one only its words", async () => {
    alert({ digit: 1 }, { digit: 2, summary: "evil" }, { digit: 3 });
    web.otherwise = ({ body }) => ({ status: body.includes("evil") ? 400 : 200 });
    expect(await post.deliver([hook()])).toMatchObject({ sent: 1, waiting: 0, errors: [] });
    const taken = bodies().filter((body) => !JSON.stringify(body).includes("evil"));
    expect(taken.flatMap(keysIn).sort()).toEqual([keyOf(1), keyOf(2), keyOf(3)]);
    expect(taken.map(({ text }) => text)).toContain(`landmass: 1 critical\nargus explain ${keyOf(2)}`);
  });

  it("when only the line passes, the message is kept, and no end is told", async () => {
    const name = three();
    web.otherwise = ({ body }) => ({ status: body.includes("argus explain") ? 413 : 200 });
    expect(await post.deliver([hook()])).toMatchObject({ sent: 0, waiting: 0 });
    expect(bodies().at(-1).text).toBe("landmass: 3 critical, see argus problems");
    expect(post.outbox()).toEqual([`${name}.refused-1`]);
    expect(JSON.parse(post.remembered()).channels.ops.unheard).toEqual([keyOf(1), keyOf(2), keyOf(3)]);
  });

  it("the data of a short form counts as well", async () => {
    alert(
      ...Array.from({ length: 9 }, (_, digit) => ({ digit, summary: `web ${digit} ${"x".repeat(150)}` })),
    );
    web.otherwise = ({ body }) => ({ status: body.length > 1750 ? 413 : 200 });
    expect(await post.deliver([hook()])).toMatchObject({ sent: 1, errors: [] });
    const asked = web.asked.slice(1).map(({ body }) => body);
    expect(asked.filter((body) => body.length > 1750)).toEqual([]);
  });
});

describe("a message at which the other side breaks, again and again,", () => {
  const turns = async (channel: Channel, times: number, withinMs = 900) => {
    const clock = manualClock();
    const { system } = hasty({ ...real, clock });
    const sent: number[] = [];
    for (let round = 0; round < times; round += 1) {
      sent.push((await post.deliver([channel], { system, withinMs })).sent);
      clock.advance(300);
    }
    return sent;
  };

  it("by a reset, is sent in the shorter form, and what comes after it goes", async () => {
    alert({});
    post.put("the next one", { createdAt: new Date(Date.now() + 1000).toISOString() });
    web.otherwise = ({ body }) => (body.length > 1500 ? "reset" : { status: 200 });
    expect(await turns(hook(), 4)).toEqual([0, 0, 0, 2]);
    expect(bodies().at(-2).text).toContain(
      "(shortened: the webhook ops cannot be reached: connection reset;",
    );
    expect(bodies().at(-1).text).toBe("the next one");
  });

  it("by a hang, leaves time for the shorter form", async () => {
    alert({});
    web.otherwise = ({ body }) => (body.length > 1500 ? "hang" : { status: 200 });
    const { system } = hasty();
    for (let round = 0; round < 4; round += 1) {
      const before = post.remembered();
      if (before !== "") {
        const state = JSON.parse(before);
        state.channels.ops.blocked = null;
        writeFileSync(join(post.stateDir, "delivery.json"), JSON.stringify(state));
      }
      const { sent } = await post.deliver([hook()], { system, withinMs: 800 });
      expect(sent).toBe(round < 3 ? 0 : 1);
    }
  });

  it("by a proxy's page, to Telegram as well", async () => {
    alert({});
    const page = { status: 413, body: "<html>Request Entity Too Large</html>" };
    web.otherwise = ({ body }) => (JSON.parse(body).text.length > 1000 ? page : ok);
    expect(await turns(bot(), 4)).toEqual([0, 0, 0, 1]);
  });

  it("by a signal, is sent in the shorter form", async () => {
    alert({});
    const path = join(post.stateDir, "program");
    writeFileSync(path, `#!/bin/sh\ncat > ${path}.in; [ $(wc -c < ${path}.in) -lt 800 ] || kill -SEGV $$\n`);
    chmodSync(path, 0o700);
    const channel: Channel = { type: "command", name: "sms", command: [path], timeoutSeconds: 5 };
    expect(await turns(channel, 4, 5000)).toEqual([0, 0, 0, 1]);
  });

  it("is another thing than a network that is gone: then it is sent in full", async () => {
    alert({});
    expect(await turns(hook({ url: "http://127.0.0.1:1/" }), 6)).toEqual([0, 0, 0, 0, 0, 0]);
    web.otherwise = "reset";
    expect(await turns(hook(), 6)).toEqual([0, 0, 0, 0, 0, 0]);
    web.otherwise = { status: 200 };
    web.asked.splice(0);
    const clock = manualClock();
    clock.advance(4000);
    const { system } = hasty({ ...real, clock });
    expect(await post.deliver([hook()], { system })).toMatchObject({ sent: 1 });
    expect(bodies()).toHaveLength(1);
    expect(bodies()[0].text).toContain("line 7");
  });
});

it.each([400, 401, 403, 404, 407, 413])(
  "a proxy's page (%i) is no refusal of Telegram's: the message waits, and goes when the proxy works",
  async (status) => {
    alert({});
    web.otherwise = { status, body: "<html><h1>Proxy</h1></html>" };
    expect((await post.deliver([bot()], { withinMs: 300 })).errors).toMatchObject([
      { text: `something else than Telegram answered at TELEGRAM_API_URL (${status})` },
    ]);
    expect(view(["telegram"])).toMatchObject([{ waiting: 1, error: { kind: "later" }, refused: null }]);
    post.forget();
    web.otherwise = ok;
    expect(await post.deliver([bot()])).toMatchObject({ sent: 1, waiting: 0, errors: [] });
  },
);

describe("a message that is refused in every form", () => {
  it("is counted until somebody removes it, and the error stands until a later message is taken", async () => {
    const name = alert({});
    const path = join(post.stateDir, "outbox", `${name}.refused-1`);
    web.otherwise = { status: 413, body: "no" };
    const text = "the webhook ops refused it (413: no), and no shorter form passed";
    expect((await post.deliver([hook()])).errors).toEqual([{ channel: "ops", text, news: true }]);
    // Cycles in which there is nothing to send, each of them after a restart, know nothing better.
    for (let cycle = 0; cycle < 3; cycle += 1)
      expect((await post.deliver([hook()])).errors).toEqual([{ channel: "ops", text, news: false }]);
    expect(view()).toMatchObject([
      {
        waiting: 0,
        error: { text, kind: "kept" },
        refused: { count: 1, path, why: "the webhook ops refused it (413: no)" },
      },
    ]);
    web.otherwise = { status: 200 };
    alert({ digit: 2 });
    expect((await post.deliver([hook()])).errors).toEqual([]);
    expect(view()).toMatchObject([{ error: null, refused: { count: 1, path } }]);
    expect(
      viewOutbox(real.files, post.stateDir, ["ops"], Date.now() + 86_500_000).channels[0]?.refused,
    ).toBeNull();
    rmSync(path);
    expect(view()).toMatchObject([{ error: null, refused: null }]);
  });

  it("is one; when the next one is refused as well it is the channel, and what comes waits for it", async () => {
    alert({ digit: 1 });
    alert({ digit: 2 });
    alert({ digit: 3 });
    web.otherwise = { status: 400 };
    expect((await post.deliver([hook()])).errors).toMatchObject([
      { text: expect.stringContaining("messages wait until it takes one") },
    ]);
    await post.deliver([hook()]);
    expect(view()).toMatchObject([{ waiting: 2, refused: { count: 1 } }]);
    web.otherwise = { status: 200 };
    web.asked.splice(0);
    expect(await post.deliver([hook()])).toMatchObject({ sent: 2, waiting: 0, errors: [] });
    expect(bodies().map(({ problems }) => problems[0].problem)).toEqual([keyOf(2), keyOf(3)]);
  });

  it("is known to be refused before the next turn, however slow another channel is", async () => {
    const slow = await startWebServer();
    afterThis(() => slow.close());
    slow.otherwise = "hang";
    const channels = [hook(), hook({ name: "slow", url: slow.url })];
    const delivery = createDelivery(hasty().system, post.stateDir);
    const stop = new AbortController();
    const deliver = () =>
      delivery.deliver({ channels, intervalSeconds: 300 }, stop.signal, 20_000, new Set<string>());
    web.otherwise = { status: 413 };
    alert({ digit: 1 });
    const first = deliver();
    while (view()[0]?.error === null) await real.clock.sleep(5);
    alert({ digit: 2 });
    const second = deliver();
    while (web.asked.length < 8) await real.clock.sleep(5);
    await real.clock.sleep(50);
    stop.abort();
    await Promise.all([first, second]);
    expect(view()).toMatchObject([{ waiting: 1, refused: { count: 1 } }]);
  });

  it("is kept once when a crash makes it be refused again", async () => {
    const name = alert({});
    web.otherwise = { status: 422 };
    const halted: System = {
      ...real,
      files: {
        ...real.files,
        remove() {
          throw new Error("killed");
        },
      },
    };
    await post.deliver([hook()], { system: hasty(halted).system }).catch(() => null);
    post.forget();
    await post.deliver([hook()]);
    expect(post.outbox()).toEqual([`${name}.refused-1`]);
    expect(view()).toMatchObject([{ refused: { count: 1 } }]);
  });

  it("that cannot be kept, because the disk is full, stays, and does not hold up the next", async () => {
    const name = alert({ digit: 1 });
    alert({ digit: 2 });
    web.otherwise = ({ body }) => ({ status: JSON.parse(body).id.startsWith(name.slice(0, -5)) ? 413 : 200 });
    const full: System = {
      ...real,
      files: {
        ...real.files,
        link() {
          throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
        },
      },
    };
    const { sent, waiting } = await post.deliver([hook()], { system: hasty(full).system });
    expect({ sent, waiting }).toEqual({ sent: 1, waiting: 1 });
    expect(post.outbox()).toEqual([name]);
    await post.deliver([hook()]);
    expect(post.outbox()).toEqual([`${name}.refused-1`]);
  });
});

it("what is told without the outbox is tried in shorter forms as well", async () => {
  web.otherwise = ({ body }) => ({ status: body.length > 1500 ? 413 : 200 });
  const config = { channels: [hook()], intervalSeconds: 300, dashboardUrl: null };
  const parcel = {
    kind: "message" as const,
    id: "self-1",
    files: [],
    createdAt: new Date().toISOString(),
    host: "landmass",
    severity: "critical" as const,
    text: `landmass: CRITICAL ${"a long reason ".repeat(140)}`,
    notes: [noteOf()],
  };
  expect(await tellDirectly(real, config, parcel, new AbortController().signal)).toEqual({
    by: ["ops"],
    errors: [],
  });
});

describe("an error of a channel stands", () => {
  it("when there was no time to ask", async () => {
    alert({});
    web.otherwise = { status: 404 };
    const [error] = (await post.deliver([hook()])).errors;
    expect((await post.deliver([hook()], { withinMs: 0 })).errors).toEqual([{ ...error, news: false }]);
    expect(view()).toMatchObject([{ error: { text: error?.text } }]);
  });

  it("since its beginning, when the words for it change", async () => {
    alert({});
    const clock = manualClock();
    const { system } = hasty({ ...real, clock });
    const sinces: (string | undefined)[] = [];
    for (const status of [404, 403]) {
      web.otherwise = { status };
      await post.deliver([hook()], { system });
      sinces.push(view()[0]?.error?.since);
      clock.advance(1000);
    }
    expect(sinces[1]).toBe(sinces[0]);
  });

  it("while what holds need not be said again yet", async () => {
    const channel: Channel = {
      type: "alertmanager",
      name: "am",
      url: web.url,
      authorization: null,
      timeoutSeconds: 5,
    };
    const delivery = createDelivery(hasty().system, post.stateDir);
    const deliver = () =>
      delivery.deliver(
        { channels: [channel], intervalSeconds: 300 },
        new AbortController().signal,
        5000,
        new Set([keyOf(1)]),
      );
    post.put("x", { notes: [noteOf({ problem: keyOf(1) })], problems: [keyOf(1)] });
    await deliver();
    web.otherwise = { status: 404 };
    // Another Argus: the one before has just said it again.
    const another = createDelivery(hasty().system, post.stateDir);
    const again = () =>
      another.deliver(
        { channels: [channel], intervalSeconds: 300 },
        new AbortController().signal,
        5000,
        new Set([keyOf(1)]),
      );
    const [error] = (await again()).errors;
    expect(error?.text).toContain("404");
    expect((await again()).errors).toEqual([{ ...error, news: false }]);
  });
});

describe("the end of a problem", () => {
  const texts = () => bodies().map(({ text }) => text as string);

  it("is told on a channel only when its alert was, and on the others as ever", async () => {
    const other = await startWebServer();
    afterThis(() => other.close());
    const channels = [hook(), hook({ name: "other", url: other.url })];
    alert({ digit: 1 });
    web.otherwise = { status: 413 };
    expect(await post.deliver(channels)).toMatchObject({ sent: 1 });
    web.otherwise = { status: 200 };
    web.asked.splice(0);
    alert({ digit: 1, recovery: true });
    expect(await post.deliver(channels)).toMatchObject({ sent: 1, waiting: 0 });
    expect(texts()).toEqual([]);
    expect(other.asked.map(({ body }) => JSON.parse(body).problems[0].state)).toEqual(["firing", "resolved"]);
  });

  it("is left out of a message that says more", async () => {
    alert({ digit: 1 });
    web.otherwise = { status: 413 };
    await post.deliver([hook()]);
    web.otherwise = { status: 200 };
    web.asked.splice(0);
    alert({ digit: 1, recovery: true }, { digit: 2 }, { digit: 3, recovery: true });
    await post.deliver([hook()]);
    const [{ text, problems }] = bodies();
    expect(text).toMatch(/^landmass: 1 critical, 1 resolved\n\nCRITICAL web_2 /);
    expect(text).not.toContain(keyOf(1));
    expect(text).not.toContain("web_1");
    expect(text).toContain(`argus explain ${keyOf(3)}`);
    expect(problems.map(({ problem }: { problem: string }) => problem)).toEqual([keyOf(2), keyOf(3)]);
  });

  it("is left out of a list of many, too", async () => {
    alert({ digit: 40 });
    web.otherwise = { status: 413 };
    await post.deliver([hook()]);
    web.otherwise = { status: 200 };
    web.asked.splice(0);
    alert(...Array.from({ length: 12 }, (_, digit) => ({ digit })), { digit: 40, recovery: true });
    await post.deliver([hook()]);
    expect(texts()[0]).toMatch(/^landmass: 12 critical\n/);
    expect(texts()[0]).not.toContain(keyOf(40));
    for (let digit = 0; digit < 12; digit += 1) expect(texts()[0]).toContain(keyOf(digit));
  });

  it("is told again once the problem was alerted again and delivered, in the same delivery or later", async () => {
    alert({ digit: 1 });
    web.otherwise = { status: 413 };
    await post.deliver([hook()]);
    web.otherwise = { status: 200 };
    web.asked.splice(0);
    alert({ digit: 1 });
    alert({ digit: 1, recovery: true });
    expect(await post.deliver([hook()])).toMatchObject({ sent: 2, waiting: 0 });
    expect(bodies().map(({ problems }) => problems[0].state)).toEqual(["firing", "resolved"]);
    expect(JSON.parse(post.remembered()).channels.ops.unheard).toEqual([]);
  });

  it("is not told in the delivery in which the alert is refused", async () => {
    alert({ digit: 1 });
    alert({ digit: 1, recovery: true });
    web.replies = Array(4).fill({ status: 422 });
    expect(await post.deliver([hook()])).toMatchObject({ sent: 0, waiting: 0 });
    expect(web.asked).toHaveLength(4);
  });

  it("is not told on a channel that came after its alert, but that of a later one is", async () => {
    const other = await startWebServer();
    afterThis(() => other.close());
    const added = hook({ name: "added", url: other.url });
    alert({ digit: 1 });
    await post.deliver([hook()], { open: [keyOf(1)] });
    alert({ digit: 2 });
    await post.deliver([hook(), added], { open: [keyOf(1), keyOf(2)] });
    alert({ digit: 1, recovery: true }, { digit: 2, recovery: true });
    await post.deliver([hook(), added]);
    const keys = other.asked.map(({ body }) =>
      JSON.parse(body).problems.map(({ problem, state }: { problem: string; state: string }) => [
        problem,
        state,
      ]),
    );
    expect(keys).toEqual([[[keyOf(2), "firing"]], [[keyOf(2), "resolved"]]]);
  });

  it("is told on the first channel that comes, of alerts that waited for one", async () => {
    alert({ digit: 1 });
    await post.deliver([], { open: [keyOf(1)] });
    alert({ digit: 1, recovery: true });
    expect(await post.deliver([hook()])).toMatchObject({ sent: 2 });
  });
});

describe("what the cycle is told of channels", () => {
  const names = ["ops", "other"];
  const failing = (nowMs = Date.now(), of = names) =>
    failingChannels(real.files, post.stateDir, { names: of, intervalSeconds: 300, nowMs });
  let other: WebServer;
  beforeEach(async () => {
    other = await startWebServer();
    afterThis(() => other.close());
  });
  const both = () => [hook(), hook({ name: "other", url: other.url })];
  const none = { failingChannels: [], failingChannelDetail: null };

  it("is nothing while they work, and before they ever sent", async () => {
    expect(failing()).toEqual(none);
    alert({});
    await post.deliver(both());
    expect(failing()).toEqual(none);
  });

  it("is which one refuses and why, for two cycles also when it takes the next message", async () => {
    alert({});
    web.otherwise = { status: 413 };
    await post.deliver(both());
    expect(failing()).toMatchObject({
      failingChannels: ["ops"],
      failingChannelDetail: expect.stringContaining("the webhook ops refused it (413)"),
    });
    expect(failing(Date.now() + 86_400_000).failingChannels).toEqual(["ops"]);
    web.otherwise = { status: 200 };
    alert({ digit: 2 });
    await post.deliver(both());
    expect(failing().failingChannelDetail).toContain("refused a message at ");
    expect(failing(Date.now() + 601_000)).toEqual(none);
  });

  it("is at once what somebody must fix", async () => {
    alert({});
    web.otherwise = { status: 401 };
    await post.deliver(both());
    expect(failing().failingChannels).toEqual(["ops"]);
  });

  it("is after a quarter of an hour what cannot be reached while another works", async () => {
    alert({});
    const gone = [hook({ url: "http://127.0.0.1:1" }), hook({ name: "other", url: other.url })];
    await post.deliver(gone, { withinMs: 300 });
    expect(failing()).toEqual(none);
    expect(failing(Date.now() + 901_000).failingChannels).toEqual(["ops"]);
  });

  it("is not a network that is gone for all of them", async () => {
    alert({});
    const gone = names.map((name) => hook({ name, url: "http://127.0.0.1:1" }));
    await post.deliver(gone, { withinMs: 300 });
    expect(failing(Date.now() + 901_000)).toEqual(none);
    expect(failing(Date.now() + 901_000, ["ops"])).toEqual(none);
  });
});
