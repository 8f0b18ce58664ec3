/** The Alertmanager channel: against one that keeps alerts as Alertmanager does, and Debian's own where it is installed. */

import { beforeEach, describe, expect, it } from "vitest";
import { createDelivery } from "../../src/notify/deliver.ts";
import { printable } from "../../src/system/printable.ts";
import type { Channel } from "../../src/types/channels.ts";
import {
  type Alertmanager,
  type FakeAlertmanager,
  hasAlertmanager,
  startFakeAlertmanager,
  startRealAlertmanager,
} from "./alertmanager.ts";
import { afterThis, fine, hasty, noteOf, type Post, postOffice, real } from "./support.ts";

let post: Post;
beforeEach(() => {
  post = postOffice();
});

const key = noteOf().problem;
const channelOf = ({ url }: Alertmanager, more = {}): Channel => ({
  type: "alertmanager",
  name: "alertmanager",
  url: `${url}/`,
  authorization: null,
  timeoutSeconds: 10,
  ...more,
});
const labels = {
  alertname: "ArgusService",
  host: "landmass",
  instance: "landmass",
  type: "service",
  subject: "web.service",
  severity: "critical",
  problem: key,
};
const annotations = { summary: "web.service is failed (exit-code)", explain: `argus explain ${key}` };
const shown = (alerts: readonly { labels: object; annotations: object; startsAt: string }[]) =>
  alerts.map(({ labels: its, annotations: words, startsAt }) => ({
    labels: its,
    annotations: words,
    startsAt: new Date(startsAt).toISOString(),
  }));

const kinds: [string, () => Promise<Alertmanager>][] = [
  ["a kept copy of its ways", () => startFakeAlertmanager(Date.now)],
  ...(hasAlertmanager
    ? [["Debian's own", startRealAlertmanager] as [string, () => Promise<Alertmanager>]]
    : []),
];

describe.each(kinds)("an Alertmanager (%s)", (_, start) => {
  it("has one alert from the first message of a problem to its end, whatever its text becomes", async () => {
    const manager = await start();
    afterThis(() => manager.close());
    const channel = channelOf(manager);
    const began = new Date(Date.now() - 120_000).toISOString();
    const at = (secondsAgo: number) => new Date(Date.now() - secondsAgo * 1000).toISOString();

    post.put("down", { notes: [noteOf({ at: began })] });
    expect(await post.deliver([channel])).toEqual({ ...fine, sent: 1 });
    expect(shown(await manager.firing())).toEqual([{ labels, annotations, startsAt: began }]);

    const summary = "web.service is failed (signal)";
    post.put("still down", { notes: [noteOf({ at: at(90), summary })] });
    await post.deliver([channel]);
    expect(shown(await manager.firing())).toEqual([
      { labels, annotations: { ...annotations, summary }, startsAt: began },
    ]);

    // Another severity is another alert: the one before is over.
    post.put("less bad", { notes: [noteOf({ at: at(60), severity: "warning" })] });
    await post.deliver([channel]);
    expect(shown(await manager.firing())).toEqual([
      { labels: { ...labels, severity: "warning" }, annotations, startsAt: began },
    ]);

    post.put("well again", { notes: [noteOf({ at: at(30), severity: "warning", state: "resolved" })] });
    await post.deliver([channel]);
    expect(await manager.firing()).toEqual([]);
    expect(JSON.parse(post.remembered()).channels.alertmanager.firing).toEqual({});
  });

  it("hears of several problems at once, and the end of one leaves the others", async () => {
    const manager = await start();
    afterThis(() => manager.close());
    const other = noteOf({
      problem: "disk:00000000000000ff",
      type: "disk",
      subject: "/",
      severity: "warning",
    });
    post.put("two", { notes: [noteOf(), other] });
    await post.deliver([channelOf(manager)]);
    expect((await manager.firing()).map(({ labels: its }) => its["alertname"]).sort()).toEqual([
      "ArgusDisk",
      "ArgusService",
    ]);
    post.put("one over", { notes: [noteOf({ state: "resolved", at: new Date().toISOString() })] });
    await post.deliver([channelOf(manager)]);
    expect((await manager.firing()).map(({ labels: its }) => its["subject"])).toEqual(["/"]);
  });

  it("takes the worst that a machine can be called: quotes, other scripts, halves of characters, great length", async () => {
    const manager = await start();
    afterThis(() => manager.close());
    const subject = `"} or 1 {"\\ 服务 \ud83d ${"x".repeat(3000)}`;
    post.put("odd", { notes: [noteOf({ subject, summary: `\u0000 ${subject}` })] });
    expect(await post.deliver([channelOf(manager)])).toEqual({ ...fine, sent: 1 });
    const [alert] = await manager.firing();
    expect(alert?.labels["subject"]).toBe(printable(subject).slice(0, 1024));
  });

  it("keeps an alert whose Argus's clock was set back since it began", async () => {
    const manager = await start();
    afterThis(() => manager.close());
    post.put("from tomorrow", { notes: [noteOf({ at: new Date(Date.now() + 86_400_000).toISOString() })] });
    expect(await post.deliver([channelOf(manager)])).toEqual({ ...fine, sent: 1 });
  });
});

describe("what holds", () => {
  let manager: FakeAlertmanager;
  let passedMs: number;
  let system: typeof real;
  beforeEach(async () => {
    passedMs = 0;
    manager = await startFakeAlertmanager(() => Date.now() + passedMs);
    afterThis(() => manager.close());
    const now = () => {
      const moment = real.clock.now();
      const { wallMs, uptimeSeconds } = moment;
      return { ...moment, wallMs: wallMs + passedMs, uptimeSeconds: uptimeSeconds + passedMs / 1000 };
    };
    const clock = { ...hasty().system.clock, now, monotonicMs: () => real.clock.monotonicMs() + passedMs };
    system = { ...real, clock };
  });
  const deliver = (open: readonly string[], intervalSeconds = 300) =>
    post.deliver([channelOf(manager)], { system, open, intervalSeconds });

  it("is said again by every cycle, so that it neither ends while it lasts nor lasts when Argus is gone", async () => {
    post.put("down", { notes: [noteOf()] });
    await deliver([key]);
    const [first] = await manager.firing();
    for (let cycle = 0; cycle < 12; cycle += 1) {
      passedMs += 300_000;
      expect(await deliver([key])).toEqual(fine);
      expect(await manager.firing()).toHaveLength(1);
    }
    const [still] = await manager.firing();
    expect(still?.startsAt).toBe(first?.startsAt);
    // Four cycles that nobody saw, and it is over by itself.
    passedMs += 4 * 300_000 - 10_000;
    expect(await manager.firing()).toHaveLength(1);
    passedMs += 20_000;
    expect(await manager.firing()).toEqual([]);
  });

  it("outlives five minutes, also with the shortest interval", async () => {
    post.put("down", { notes: [noteOf()] });
    await deliver([key], 10);
    passedMs += 290_000;
    expect(await manager.firing()).toHaveLength(1);
    passedMs += 20_000;
    expect(await manager.firing()).toEqual([]);
  });

  it("is not said again when the problem is no longer open", async () => {
    post.put("down", { notes: [noteOf()] });
    await deliver([]);
    passedMs += 300_000;
    await deliver([]);
    expect(manager.batches()).toHaveLength(1);
    await deliver([key]);
    expect(manager.batches()).toHaveLength(2);
  });

  it("is said again no more often than every half minute, however often there is a cycle", async () => {
    const delivery = createDelivery(system, post.stateDir);
    const config = { channels: [channelOf(manager)], intervalSeconds: 5 };
    const { signal } = new AbortController();
    post.put("down", { notes: [noteOf()] });
    for (let cycle = 0; cycle < 13; cycle += 1) {
      await delivery.deliver(config, signal, 5000, new Set([key]));
      passedMs += 5000;
    }
    // The message itself, and at 0, 30 and 60 seconds.
    expect(manager.batches()).toHaveLength(4);
  });

  it("comes back after an Alertmanager that forgot all, with the time when it began", async () => {
    const began = new Date(Date.now() - 5000).toISOString();
    post.put("down", { notes: [noteOf({ at: began })] });
    await deliver([key]);
    passedMs += 600_000;
    const fresh = await startFakeAlertmanager(() => Date.now() + passedMs);
    afterThis(() => fresh.close());
    await post.deliver([channelOf(fresh)], { system, open: [key] });
    expect(shown(await fresh.firing())).toEqual([{ labels, annotations, startsAt: began }]);
  });

  it("was put right before the present: a digest that comes late ends no younger alert", async () => {
    post.put("down again", { notes: [noteOf({ at: new Date(Date.now() - 1000).toISOString() })] });
    await deliver([key]);
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
    for (let number = 0; number < 6; number += 1)
      post.put("was well for a while", {
        createdAt: hourAgo,
        notes: [noteOf({ state: "resolved", at: hourAgo })],
      });
    expect((await deliver([key])).sent).toBe(6);
    expect(await manager.firing()).toHaveLength(1);
  });
});

describe("what an Alertmanager says back", () => {
  const url = "check url of the channel alertmanager in argus.json";
  it.each([
    [
      "nothing there",
      { status: 404, body: "404 page not found" },
      `Alertmanager refused (404: 404 page not found); ${url}`,
    ],
    ["trouble", { status: 503 }, "Alertmanager has trouble of its own (503)"],
    [
      "a page for people",
      { status: 200, body: "<!doctype html><html>hotel</html>" },
      `something else than Alertmanager answered (200: a web page); ${url}`,
    ],
    ["a reset", "reset" as const, "Alertmanager cannot be reached: connection reset"],
    [
      "half a page",
      { status: 200, body: "<html", cut: true as const },
      `something else than Alertmanager answered (200: a web page); ${url}`,
    ],
    [
      "no entry",
      { status: 401, body: "Bearer letmein is wrong" },
      "Alertmanager refused (401: *** is wrong); check authorizationVariable of the channel, and what stands in argus.env under that name",
    ],
  ])("%s: the message stays", async (_, reply, text) => {
    const manager = await startFakeAlertmanager(Date.now);
    afterThis(() => manager.close());
    manager.web.otherwise = reply;
    post.put("down", { notes: [noteOf()] });
    const channel = channelOf(manager, { authorization: "Bearer letmein" });
    expect(await post.deliver([channel], { withinMs: 300 })).toEqual({
      sent: 0,
      waiting: 1,
      errors: [{ channel: "alertmanager", text, news: true }],
      notes: [],
    });
    // Nothing fires there, so nothing is remembered as firing.
    expect(JSON.parse(post.remembered()).channels.alertmanager.firing).toBeUndefined();
    expect(manager.web.asked[0]?.headers.authorization).toBe("Bearer letmein");
  });

  it("a message about no problem, such as the daily summary, is none for it", async () => {
    const manager = await startFakeAlertmanager(Date.now);
    afterThis(() => manager.close());
    post.put("the day in short");
    expect(await post.deliver([channelOf(manager)])).toEqual({ ...fine, sent: 1 });
    expect(manager.batches()).toEqual([]);
  });
});
