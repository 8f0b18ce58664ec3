/** Three days without a network: the executor writes what there is to tell, nobody hears it, and then all at once. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDelivery } from "../../src/notify/deliver.ts";
import { createHttp } from "../../src/system/http.ts";
import type { OutboxMessage } from "../../src/types/action.ts";
import type { Channel } from "../../src/types/channels.ts";
import { alertOf, bench, manualClock } from "../execute/support.ts";
import { startBotApi, token } from "./bot-api.ts";
import { afterThis } from "./support.ts";
import { startWebServer } from "./web-server.ts";

interface Far {
  readonly channel: Channel;
  /** Texts that arrived. */
  told(): string[];
}

async function telegram(): Promise<Far> {
  const api = await startBotApi();
  afterThis(() => api.close());
  const account = { token, chatId: "-100", apiUrl: api.url };
  return {
    channel: { type: "telegram", name: "far", ...account },
    told: () => api.told.map(({ text }) => text),
  };
}

async function webhook(): Promise<Far> {
  const web = await startWebServer();
  afterThis(() => web.close());
  const account = { url: web.url, secret: "k", authorization: null, timeoutSeconds: 5 };
  return {
    channel: { type: "webhook", name: "far", ...account },
    told: () => web.asked.map(({ body }) => JSON.parse(body).text),
  };
}

/** As `[2026-11-20 22:40 UTC]`. */
const stamp = (iso: string) => `[${iso.slice(0, 16).replace("T", " ")} UTC]`;

/** What goes wrong in three bad days, as proposals of one cycle. */
function troubles(cycle: number) {
  const severe = { severity: "critical" };
  return [
    // One that nobody mends: told again every hour.
    alertOf(1, "db is down and stays down", severe),
    // Twelve that come back every hour, each in a cycle of its own.
    alertOf(100 + (cycle % 12), `warning number ${cycle % 12}`, { severity: "warning" }),
    ...(cycle % 29 === 3 ? [alertOf(1000 + cycle, `outage of cycle ${cycle}.`, severe)] : []),
    ...(cycle % 29 === 5
      ? [alertOf(1000 + cycle - 2, `outage of cycle ${cycle - 2}. is over`, { ...severe, recovery: true })]
      : []),
    ...(cycle % 40 === 7 ? [alertOf(5000 + cycle, `note of cycle ${cycle}`, { severity: "info" })] : []),
  ];
}

describe.each([
  // More than may wait: the oldest of the rest goes into the digest already while nobody can be reached.
  ["Telegram", telegram, 450],
  ["a webhook", webhook, 900],
] as const)("after three days offline, through %s", (_, start, cycleSeconds) => {
  const cycles = (3 * 24 * 3600) / cycleSeconds;
  it("every critical message arrives, the rest as a digest, in under 20 messages", async () => {
    const far = await start();
    const clock = manualClock();
    let online = false;
    const real = createHttp();
    const http: typeof real = {
      ...real,
      request: (wanted) =>
        online ? real.request(wanted) : Promise.reject(new Error("host name lookup failed")),
    };
    const argus = bench({ system: { clock, http } });
    const { signal } = new AbortController();
    let delivery = createDelivery(argus.system, argus.stateDir);
    const deliver = () =>
      delivery.deliver({ channels: [far.channel], intervalSeconds: cycleSeconds }, signal, 500);
    const critical = new Map<string, string>();
    const all = new Set<string>();
    const warned = new Set<string>();
    const notes: string[] = [];
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const records = await argus.run(troubles(cycle));
      // A restart of Argus every day changes nothing.
      if (cycle % 96 === 60) {
        argus.restartArgus();
        delivery = createDelivery(argus.system, argus.stateDir);
      }
      for (const { values } of records) {
        const path = join(argus.stateDir, "outbox", `${values["outbox"]}.json`);
        if (!existsSync(path)) continue;
        const {
          id,
          severity,
          createdAt,
          notes: told = [],
        } = JSON.parse(readFileSync(path, "utf8")) as OutboxMessage;
        all.add(id);
        if (severity === "critical") critical.set(id, createdAt);
        if (severity === "critical") continue;
        for (const note of told)
          if (note.state === "firing" && note.severity === "warning") warned.add(note.summary);
      }
      const delivered = await deliver();
      expect(delivered.sent).toBe(0);
      notes.push(...delivered.notes);
      clock.advance(cycleSeconds);
    }
    expect(all.size).toBe(cycles);
    expect(critical.size).toBeGreaterThan(70);
    const folded = notes.filter((note) => note.includes("none of them critical, will be told in a digest"));
    expect(folded.length > 0).toBe(cycles > 500);
    // The newest are not late yet and go one by one; here all of them are.
    clock.advance(900);
    online = true;
    for (let cycle = 0; argus.outbox().length > 0; cycle += 1) {
      expect(cycle).toBeLessThan(5);
      await delivery.deliver({ channels: [far.channel], intervalSeconds: cycleSeconds }, signal, 60_000);
      clock.advance(cycleSeconds);
    }

    const told = far.told();
    expect(told.length).toBeLessThan(20);
    const caughtUp = told.filter((text) =>
      text.startsWith("landmass: critical messages that could not be delivered"),
    );
    const digests = told.filter((text) =>
      text.includes(" could not be delivered at the time. None was critical"),
    );
    expect(digests).toHaveLength(1);
    expect(caughtUp.length + digests.length).toBe(told.length);
    // Critical ones first, each with its time, in their order.
    expect(told.indexOf(digests[0] ?? "")).toBe(caughtUp.length);
    const stamps = caughtUp.join("\n").match(/^\[[^\]]+ UTC\]/gm);
    expect(stamps).toEqual([...critical.values()].map(stamp));
    for (let cycle = 3; cycle < cycles; cycle += 29)
      expect(caughtUp.join("\n")).toContain(`outage of cycle ${cycle}.`);
    expect(caughtUp.join("\n")).toContain("argus explain service:0000000000000001");
    // Nothing of the rest was dropped without being counted.
    expect(digests[0]).toContain(`landmass: ${all.size - critical.size} messages of 2026-11-20`);
    expect(warned.size).toBeGreaterThan(6);
    for (const summary of warned) expect(digests[0]).toMatch(new RegExp(`^WARNING ${summary} \\(`, "m"));
    expect(digests[0]).toMatch(/RESOLVED outage of cycle/);

    // From then on as ever.
    await argus.run([alertOf(9, "a new day, a new problem")]);
    await deliver();
    expect(far.told().slice(told.length)).toEqual([
      "landmass: CRITICAL a new day, a new problem\nargus explain service:0000000000000009",
    ]);
  }, 120_000);
});
