/** What an Alertmanager is told, over a real server that refuses what the real one refuses. test/host has the real one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDelivery, type Delivery } from "../../src/notify/deliver.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { OutboxMessage, ProblemNote } from "../../src/types/action.ts";

const real = createSystem();
const start = Date.parse("2026-02-19T23:30:00.500Z");
const key = "service:3f1c0c9a5d2e7b40";
const at = (seconds: number) => new Date(start + seconds * 1000).toISOString();

interface Alert {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
}

let stateDir: string;
let url: string;
let posts: Alert[][];
/** What the clocks here say, in seconds since `start`: the one that can be set, and the one that cannot. */
let wall: number;
let uptime: number;
/** How far the clock of the Alertmanager is ahead of the one here. */
let ahead: number;
/** The status with which it refuses whatever comes; null: it does not. */
let refuses: number | null;
let delivery: Delivery;
const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  const alerts: Alert[] = JSON.parse(body);
  posts.push(alerts);
  response.setHeader("date", new Date(start + (wall + ahead) * 1000).toUTCString());
  if (refuses !== null) return void response.writeHead(refuses).end("no");
  const isWrong = alerts.some(({ startsAt, endsAt }) => Date.parse(startsAt) > Date.parse(endsAt));
  response.writeHead(isWrong ? 400 : 200).end(isWrong ? '"start time must be before end time"\n' : "");
});

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), "argus-alertmanager-"));
  mkdirSync(join(stateDir, "outbox"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  posts = [];
  refuses = null;
  wall = uptime = ahead = 0;
  const clock = {
    ...real.clock,
    now: () => ({ wallMs: start + wall * 1000, uptimeSeconds: 1000 + uptime, bootId: "boot" }),
    monotonicMs: () => uptime * 1000,
    sleep: async () => undefined,
  };
  delivery = createDelivery({ ...real, clock }, stateDir);
});
afterEach(async () => {
  rmSync(stateDir, { recursive: true, force: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

let number = 0;
function tell(state: ProblemNote["state"], more: Partial<ProblemNote> = {}): void {
  number += 1;
  const id = `m${String(number).padStart(5, "0")}`;
  const note: ProblemNote = {
    problem: key,
    type: "service",
    subject: "shop",
    severity: "critical",
    state,
    at: at(wall),
    summary: `shop: ${state}`,
    ...more,
  };
  const { severity, problem } = note;
  const message: OutboxMessage = {
    version: 1,
    id,
    createdAt: at(wall),
    severity,
    text: "shop",
    problems: [problem],
    host: "web1",
    notes: [note],
  };
  writeFileSync(join(stateDir, "outbox", `${id}.json`), JSON.stringify(message));
}

async function deliver(open: readonly string[] = [key]) {
  const done = await deliverAny(open);
  expect(done.errors).toEqual([]);
  return done;
}
function deliverAny(open: readonly string[] = [key]) {
  const account = { type: "alertmanager" as const, name: "alertmanager", url };
  const channels = [{ ...account, authorization: null, timeoutSeconds: 10 }];
  const config = { channels, intervalSeconds: 60 };
  return delivery.deliver(config, new AbortController().signal, 5000, new Set(open));
}
function pass(seconds: number): void {
  wall += seconds;
  uptime += seconds;
}
const last = () => posts.at(-1) ?? [];
const times = () => last().map(({ startsAt, endsAt }) => [startsAt, endsAt]);

describe("an alert", () => {
  it("keeps its labels and its beginning, and holds for as long as the problem is open", async () => {
    tell("firing");
    await deliver();
    const [first] = last();
    expect(first).toEqual({
      labels: {
        alertname: "ArgusService",
        host: "web1",
        instance: "web1",
        type: "service",
        subject: "shop",
        severity: "critical",
        problem: key,
      },
      annotations: { summary: "shop: firing", explain: `argus explain ${key}` },
      startsAt: at(0),
      endsAt: at(300),
    });
    pass(60);
    await deliver();
    expect(last()).toEqual([{ ...first, endsAt: at(360) }]);
    const before = posts.length;
    pass(10);
    await deliver();
    expect(posts).toHaveLength(before);
    pass(60);
    await deliver([]);
    expect(posts).toHaveLength(before);
  });

  it("ended when Argus saw its end, not when the message got through", async () => {
    tell("firing");
    await deliver();
    pass(60);
    tell("resolved");
    pass(40);
    await deliver([]);
    expect(times()).toEqual([[at(0), at(60)]]);
  });

  it("that is over is said to be over for a quarter of an hour: an end that lies ahead of the other clock is not taken", async () => {
    tell("firing");
    await deliver();
    pass(60);
    tell("resolved");
    await deliver([]);
    for (const seconds of [120, 700]) {
      pass(seconds);
      posts = [];
      await deliver([]);
      expect(times()).toEqual([[at(0), at(60)]]);
    }
    pass(120);
    posts = [];
    await deliver([]);
    expect(posts).toEqual([]);
  });

  it("that begins again is a new one, and its old end is not said any more", async () => {
    for (const state of ["firing", "resolved", "firing"] as const) {
      tell(state);
      await deliver(state === "firing" ? [key] : []);
      pass(60);
    }
    await deliver();
    expect(times()).toEqual([[at(120), at(480)]]);
  });

  it("of another severity is another one: the end of the first is said as long, but not when it is back", async () => {
    tell("firing", { severity: "warning" });
    await deliver();
    pass(60);
    tell("firing");
    pass(60);
    await deliver();
    const told = () => last().map(({ labels, startsAt, endsAt }) => [labels["severity"], startsAt, endsAt]);
    const both = [
      ["warning", at(0), at(60)],
      ["critical", at(0), at(420)],
    ];
    expect(told()).toHaveLength(2);
    expect(told()).toEqual(expect.arrayContaining(both));
    tell("firing", { severity: "warning" });
    pass(60);
    await deliver();
    expect(told()).toHaveLength(2);
    expect(told()).toEqual(
      expect.arrayContaining([
        ["critical", at(0), at(120)],
        ["warning", at(0), at(480)],
      ]),
    );
  });
});

it.each([400, 413, 422])(
  "a message refused with status %i is set aside, and does not hold up the others",
  async (status) => {
    tell("firing");
    refuses = status;
    const { notes, errors } = await deliverAny();
    expect(notes).toEqual([
      expect.stringContaining(`Alertmanager refused it (${status}: no); the message is kept as `),
    ]);
    expect(errors).toMatchObject([
      { text: `Alertmanager refused it (${status}: no), and no shorter form passed` },
    ]);
    refuses = null;
    tell("firing", { problem: "service:0000000000000001", subject: "till" });
    expect(await deliver([])).toMatchObject({ sent: 1, waiting: 0 });
  },
);

describe("a clock that is set back by an hour", () => {
  it("keeps no alert from being held, nor from its end", async () => {
    tell("firing");
    await deliver();
    wall -= 3600;
    uptime += 60;
    await deliver();
    expect(times()).toEqual([[at(-3300), at(-3300)]]);
    uptime += 60;
    tell("resolved");
    await deliver([]);
    expect(times()).toEqual([[at(-3600), at(-3600)]]);
  });

  it("between an end and its delivery puts the end at the delivery, not into the future", async () => {
    tell("firing");
    await deliver();
    tell("resolved");
    wall -= 3600;
    await deliver([]);
    expect(times()).toEqual([[at(-3600), at(-3600)]]);
  });

  it("keeps no alert from beginning again", async () => {
    tell("firing");
    tell("resolved");
    await deliver([]);
    wall -= 3600;
    uptime += 60;
    tell("firing");
    await deliver();
    expect(times()).toEqual([[at(-3600), at(-3300)]]);
  });
});

describe("clocks that differ", () => {
  it.each([
    [-400, "behind"],
    [400, "ahead of"],
  ])("by %i s are told with each message, since alerts would end too early or too late", async (by, word) => {
    ahead = by;
    tell("firing");
    const sentence = `the clock of Alertmanager is 400 s ${word} the one here, so that alerts may end too early or too late; set both by NTP (timedatectl)`;
    expect((await deliver()).notes).toEqual([sentence]);
    pass(60);
    expect((await deliver()).notes).toEqual([]);
  });

  it("by less than a minute are no matter", async () => {
    ahead = 50;
    tell("firing");
    expect((await deliver()).notes).toEqual([]);
  });
});
