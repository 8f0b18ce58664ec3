/** The webhook channel, against a real server. */
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { viewOutbox } from "../../src/notify/view.ts";
import type { Channel } from "../../src/types/channels.ts";
import { afterThis, fine, hasty, noteOf, type Post, postOffice, real } from "./support.ts";
import { type Reply, type Request, startWebServer, type WebServer } from "./web-server.ts";

const secret = "a key that only two know";
let web: WebServer;
let post: Post;
beforeEach(async () => {
  web = await startWebServer();
  afterThis(() => web.close());
  post = postOffice();
});

const hook = (more = {}): Channel => ({
  type: "webhook",
  name: "ops",
  url: `${web.url}/argus?team=1`,
  secret,
  authorization: null,
  timeoutSeconds: 10,
  ...more,
});
const nobody: Pick<Request, "headers" | "body"> = { headers: {}, body: "" };
const trouble = (text: string, news = true) => [{ channel: "ops", text, news }];

describe("a message", () => {
  it("arrives as JSON whose sender and time whoever has the key can verify", async () => {
    const note = noteOf();
    const createdAt = new Date(Date.now() - 5000).toISOString();
    const text =
      "landmass: CRITICAL web.service is failed — „exit-code“\nargus explain service:0123456789abcdef";
    post.put(text, { createdAt, severity: "critical", notes: [note] });
    expect(await post.deliver([hook({ authorization: "Bearer letmein" })])).toEqual({ ...fine, sent: 1 });
    const [request] = web.asked;
    expect(request).toMatchObject({ method: "POST", path: "/argus?team=1" });
    const { headers, body } = request ?? nobody;
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "argus",
      authorization: "Bearer letmein",
      "x-argus-id": "20260219T233000Z-00001",
    });
    const sign = (key: string) =>
      `sha256=${createHmac("sha256", key).update(Buffer.from(body)).digest("hex")}`;
    expect(headers["x-argus-signature"]).toBe(sign(secret));
    expect(headers["x-argus-signature"]).not.toBe(sign(`${secret}.`));
    const sentSeconds = Number(headers["x-argus-timestamp"]);
    const sent = JSON.parse(body);
    expect(Math.floor(Date.parse(sent.sentAt) / 1000)).toBe(sentSeconds);
    expect(sent).toEqual({
      version: 1,
      event: "argus.message",
      id: "20260219T233000Z-00001",
      createdAt,
      sentAt: expect.any(String),
      host: "landmass",
      severity: "critical",
      text,
      problems: [note],
    });
    expect(post.outbox()).toEqual([]);
  });

  it("keeps its id when it is sent again, and is signed for the time of that attempt", async () => {
    post.put("hello");
    web.replies = [{ status: 500 }];
    let passedMs = 0;
    const now = () => {
      const moment = real.clock.now();
      return { ...moment, wallMs: moment.wallMs + passedMs };
    };
    web.otherwise = () => ({ status: 200 });
    const asked = web.asked;
    const http: typeof real.http = {
      ...real.http,
      request: (wanted) =>
        real.http.request(wanted).finally(() => {
          passedMs += 7000;
        }),
    };
    const { system } = hasty({ ...real, http, clock: { ...real.clock, now } });
    expect((await post.deliver([hook()], { system })).sent).toBe(1);
    const stamps = asked.map(({ headers }) => Number(headers["x-argus-timestamp"]));
    expect(new Set(asked.map(({ headers }) => headers["x-argus-id"])).size).toBe(1);
    expect((stamps[1] ?? 0) - (stamps[0] ?? 0)).toBeGreaterThanOrEqual(7);
    for (const { headers, body } of asked)
      expect(headers["x-argus-signature"]).toBe(
        `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
      );
  });

  it("with a lone half of a character is signed as it is sent", async () => {
    post.put("cut \ud83d here");
    expect((await post.deliver([hook()])).sent).toBe(1);
    const [{ headers, body } = nobody] = web.asked;
    expect(JSON.parse(body).text).toBe("cut \\u{d83d} here");
    expect(headers["x-argus-signature"]).toBe(
      `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    );
  });
});

const url = "check url of the channel ops in argus.json";
const key = "check authorizationVariable of the channel, and what stands in argus.env under that name";
const page = "<!DOCTYPE html><html><body>Welcome to the hotel, please sign in</body></html>";

describe("what is not a yes is told in one sentence, and the message stays:", () => {
  const answers: [what: string, reply: Reply, text: string][] = [
    ["a server error", { status: 500, body: "boom" }, "the webhook ops has trouble of its own (500: boom)"],
    ["one without a word", { status: 502 }, "the webhook ops has trouble of its own (502)"],
    ["too slow for it", { status: 408 }, "the webhook ops has trouble of its own (408)"],
    ["too many", { status: 429, body: "slow down" }, "the webhook ops asks for a pause of 5 s (429)"],
    [
      "a pause that it asks for",
      { status: 503, headers: { "retry-after": "120" } },
      "the webhook ops asks for a pause of 120 s (503)",
    ],
    ["a key that is wrong", { status: 401, body: "who?" }, `the webhook ops refused (401: who?); ${key}`],
    ["one that may not", { status: 403 }, `the webhook ops refused (403); ${key}`],
    [
      "a wrong address",
      { status: 404, body: "no such hook" },
      `the webhook ops refused (404: no such hook); ${url}`,
    ],
    [
      "a redirect, which is not followed",
      { status: 302, headers: { location: "http://127.0.0.1:1/login" } },
      `the webhook ops answered with a redirect (302); ${url}`,
    ],
    [
      "a captive portal",
      { status: 200, headers: { "content-type": "text/html" }, body: page },
      `something else than the webhook ops answered (200: a web page); ${url}`,
    ],
    ["a connection that is reset", "reset", "the webhook ops cannot be reached: connection reset"],
    [
      "a page that is cut off before it is known as one",
      { status: 200, body: "<!doc", cut: true },
      `something else than the webhook ops answered (200: a web page); ${url}`,
    ],
    [
      "words of many lines",
      { status: 404, body: "a\nb\u001b[31m\u202ec" },
      `the webhook ops refused (404: a b\\e[31m\\u{202e}c); ${url}`,
    ],
    [
      "words without end",
      { status: 404, body: "x".repeat(100_000) },
      `the webhook ops refused (404: ${"x".repeat(120)}…); ${url}`,
    ],
  ];
  it.each(answers)("%s", async (_, reply, text) => {
    const name = post.put("hello");
    web.otherwise = reply;
    expect(await post.deliver([hook()], { withinMs: 300 })).toEqual({
      sent: 0,
      waiting: 1,
      errors: trouble(text),
      notes: [],
    });
    expect(post.outbox()).toEqual([name]);
    expect(viewOutbox(real.files, post.stateDir, ["ops"], Date.now()).channels).toMatchObject([
      { name: "ops", waiting: 1, error: { text } },
    ]);
    // And when it is mended it goes, once the pause is over.
    post.forget();
    web.otherwise = { status: 204 };
    expect(await post.deliver([hook()])).toMatchObject({ sent: 1, waiting: 0, errors: [] });
  });

  it("a server that never begins", async () => {
    post.put("hello");
    web.otherwise = "hang";
    const { errors, waiting } = await post.deliver([hook({ timeoutSeconds: 1 })], { withinMs: 1100 });
    expect(waiting).toBe(1);
    expect(errors[0]?.text).toMatch(/^the webhook ops cannot be reached: no answer within (1|0\.\d+) s$/);
  });

  it("nobody listens", async () => {
    post.put("hello");
    const text = "the webhook ops cannot be reached: connection refused";
    const { errors } = await post.deliver([hook({ url: "http://127.0.0.1:1/" })], { withinMs: 300 });
    expect(errors).toEqual(trouble(text));
  });

  it("an authorization that cannot stand in a header, which is not sent at all", async () => {
    post.put("hello");
    const text = `the webhook ops was not asked: its authorization cannot stand in a header; ${key}`;
    expect((await post.deliver([hook({ authorization: "Bearer a\r\nx-evil: 1" })])).errors).toEqual(
      trouble(text),
    );
    expect(web.asked).toEqual([]);
  });

  it("a key that this user may not read", async () => {
    post.put("hello");
    const text = "the key of the webhook ops is not known here";
    expect((await post.deliver([hook({ secret: "" })])).errors).toEqual(trouble(text));
    expect(web.asked).toEqual([]);
  });
});

it.each(["cut", "trickle"] as const)(
  "a yes whose body does not come to its end is one, and is said once: %s",
  async (reply) => {
    post.put("hello");
    web.otherwise = reply;
    expect(await post.deliver([hook({ timeoutSeconds: 1 })])).toEqual({ ...fine, sent: 1 });
    expect(web.asked).toHaveLength(1);
  },
);

describe("what may pass is tried again in the same delivery:", () => {
  const passing: [string, Reply][] = [
    ["a server error", { status: 500 }],
    ["a reset", "reset"],
    ["a page cut off", { status: 200, headers: { "content-type": "text/html" }, body: " ", cut: true }],
    ["a captive portal", { status: 200, body: page }],
  ];
  it.each(passing)("%s", async (_, reply) => {
    post.put("hello");
    web.replies = [reply];
    expect(await post.deliver([hook()], { system: real })).toEqual({ ...fine, sent: 1 });
    expect(web.asked).toHaveLength(2);
  });
});

describe("retry-after", () => {
  it.each([
    ["seconds", () => "7", 7000, 7000],
    ["a date", () => new Date(Date.now() + 30_000).toUTCString(), 28_000, 31_000],
  ])("as %s is waited for", async (_, header, least, most) => {
    post.put("hello");
    web.replies = [{ status: 429, headers: { "retry-after": header() } }];
    const { system, slept } = hasty();
    expect(await post.deliver([hook()], { system, withinMs: 60_000 })).toEqual({ ...fine, sent: 1 });
    expect(slept).toHaveLength(1);
    expect(slept[0]).toBeGreaterThanOrEqual(least);
    expect(slept[0]).toBeLessThanOrEqual(most);
  });

  it.each(["soon", "-5", "Thu, 01 Jan 1970 00:00:00 GMT"])(
    "%j is none: Argus waits as for any trouble",
    async (header) => {
      post.put("hello");
      web.otherwise = { status: 503, headers: { "retry-after": header } };
      const text = "the webhook ops has trouble of its own (503)";
      expect((await post.deliver([hook()], { withinMs: 300 })).errors).toEqual(trouble(text));
    },
  );
});

describe("a message that it will never take", () => {
  it.each([400, 413, 414, 422, 431])(
    "(%i) is tried in shorter forms, kept under another name, and holds up no other",
    async (status) => {
      const name = post.put("one");
      post.put("two");
      web.replies = Array(3).fill({ status, body: "no" });
      const kept = join(post.stateDir, "outbox", `${name}.refused-1`);
      expect(await post.deliver([hook()])).toEqual({
        sent: 1,
        waiting: 0,
        errors: [],
        notes: [
          `the webhook ops refused it (${status}: no); the message is kept as ${kept} and not sent again`,
        ],
      });
      expect(JSON.parse(readFileSync(kept, "utf8")).text).toBe("one");
      expect(post.outbox()).toEqual([`${name}.refused-1`]);
    },
  );

  it("when several were sent as one is sent one by one: it may be the length", async () => {
    const at = (minutes: number) => ({
      createdAt: new Date(Date.now() - minutes * 60_000).toISOString(),
      severity: "critical" as const,
    });
    for (let count = 0; count < 8; count += 1) post.put(`number ${count}`, at(60 - count));
    web.otherwise = ({ body }) => ({ status: JSON.parse(body).event === "argus.catch_up" ? 413 : 200 });
    expect(await post.deliver([hook()])).toEqual({ ...fine, sent: 8 });
    const texts = web.asked.slice(1).map(({ body }) => JSON.parse(body).text.split("\n")[1]);
    expect(texts).toEqual(Array.from({ length: 8 }, (_, count) => `number ${count}`));
  });

  /** More than may wait, so that the first of them is in the digest. */
  async function foldOne(): Promise<void> {
    for (let count = 0; count < 501; count += 1)
      post.put(`number ${count}`, { createdAt: new Date(Date.now() - 300_000 + count).toISOString() });
    web.replies = [{ status: 403 }];
    await post.deliver([hook()]);
  }

  it("when it is a digest goes as a plain message", async () => {
    await foldOne();
    web.otherwise = ({ body }) => ({ status: JSON.parse(body).event === "argus.digest" ? 422 : 200 });
    expect(await post.deliver([hook()], { withinMs: 60_000 })).toMatchObject({
      sent: 500,
      waiting: 0,
      errors: [],
      notes: ["the webhook ops refused it (422); it took the message in a shorter form"],
    });
    const [, refused, taken] = web.asked.map(({ body }) => JSON.parse(body));
    expect([refused.event, taken.event]).toEqual(["argus.digest", "argus.message"]);
    expect(taken.text).toContain("number 0 (");
    expect(post.outbox()).toEqual([]);
  });

  it("when it is a digest in every form is kept as a text, and what comes after it goes", async () => {
    await foldOne();
    web.otherwise = ({ body }) => ({ status: JSON.parse(body).id.startsWith("digest-") ? 422 : 200 });
    const { sent, waiting, errors, notes } = await post.deliver([hook()], { withinMs: 60_000 });
    expect({ sent, waiting, errors }).toEqual({ sent: 500, waiting: 0, errors: [] });
    expect(notes).toHaveLength(1);
    const [kept = ""] = post.outbox();
    expect(kept).toMatch(/^digest-.*\.refused-1$/);
    expect(notes[0]).toContain(
      `the digest is kept as ${join(post.stateDir, "outbox", kept)} and not sent again`,
    );
    expect(readFileSync(join(post.stateDir, "outbox", kept), "utf8")).toContain("number 0 (");
    const count = web.asked.length;
    expect(await post.deliver([hook()])).toEqual(fine);
    expect(web.asked).toHaveLength(count);
  });
});

it("a secret appears in nothing that is told or written, whatever the server says back", async () => {
  const authorization = `Bearer ${"s3cr3t".repeat(3)}`;
  const channel = hook({ authorization });
  const told: string[] = [];
  for (const status of [200, 400, 401, 413, 500]) {
    for (const body of [
      `you sent ${authorization} and ${secret}`,
      `bad token ${"s3cr3t".repeat(3)}`,
      `${"x".repeat(115)}${"s3cr3t".repeat(3)}`,
      `${"x".repeat(110)}${secret}`,
    ]) {
      post.put("hello");
      web.otherwise = { status, body };
      const delivered = await post.deliver([channel], { withinMs: 200 });
      told.push(JSON.stringify(delivered), post.remembered());
      told.push(JSON.stringify(viewOutbox(real.files, post.stateDir, ["ops"], Date.now())));
      post.forget();
    }
  }
  expect(told.some((text) => text.includes("bad token ***"))).toBe(true);
  for (const text of told) expect(text).not.toMatch(/s3cr3t|a key that only/);
});
