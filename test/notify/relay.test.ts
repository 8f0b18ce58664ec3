/** The relay, with programs in its place that behave as it does, or do not. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { composeMessages, putIntoOutbox } from "../../src/execute/outbox.ts";
import type { Parcel } from "../../src/notify/channels/channel.ts";
import { wayOf } from "../../src/notify/channels/index.ts";
import { createDelivery } from "../../src/notify/deliver.ts";
import { viewOutbox } from "../../src/notify/view.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { System } from "../../src/system/system.ts";
import type { OutboxMessage } from "../../src/types/action.ts";
import type { Channel, ChannelAccounts } from "../../src/types/channels.ts";
import { manualClock } from "../execute/support.ts";
import { type BotApi, startBotApi, token } from "./bot-api.ts";

let dir: string;
let api: BotApi;
let clock: ReturnType<typeof manualClock>;
let system: System;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "argus-relay-"));
  clock = manualClock();
  system = { ...createSystem(), clock };
  api = await startBotApi();
});
afterEach(async () => {
  await api.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Notes each call, one argument a line, and then does what the test wants. */
function program(does: string): void {
  const path = join(dir, "relay");
  const note = 'for each in "$@"; do printf "%s\\n" "$each"; done >> "$0.calls"; echo -- >> "$0.calls"';
  writeFileSync(path, `#!/bin/sh\n${note}\n${does}\n`);
  chmodSync(path, 0o755);
}

/** The arguments of each call. */
function calls(): string[][] {
  const path = join(dir, "relay.calls");
  if (!existsSync(path)) return [];
  const text = readFileSync(path, "utf8");
  return text
    .split("\n--\n")
    .filter((each) => each !== "")
    .map((each) => each.split("\n"));
}
const sent = () => calls().map(([, , body = ""]) => JSON.parse(body) as Record<string, unknown>);

const file = () => join(dir, "relay.jsonl");
const written = (path = file()) =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    : [];

const account = (): ChannelAccounts["relay"] => ({
  type: "relay",
  name: "relay",
  program: join(dir, "relay"),
  to: "athena",
  from: "argus",
  timeoutSeconds: 1,
  file: file(),
});
const telegram = (): Channel => ({
  type: "telegram",
  name: "telegram",
  token,
  chatId: "-100",
  apiUrl: api.url,
});

let number = 0;
/** One message about so many problems. */
function alert(count = 1, more: { text?: string; recovery?: boolean; actionTaken?: string } = {}): void {
  const alerts = Array.from({ length: count }, () => {
    number += 1;
    return {
      problem: `service:${String(number).padStart(16, "0")}`,
      type: "service" as const,
      subject: `web-${number}`,
      severity: "critical" as const,
      recovery: more.recovery ?? false,
      actionTaken: more.actionTaken,
      text: more.text ?? `web-${number} is failed (exit-code)\nrestart_service web: it failed again`,
    };
  });
  for (const message of composeMessages("landmass", alerts, clock.now()))
    putIntoOutbox(system.files, dir, message, clock.now());
}

function summary(open: readonly object[] = []): void {
  const message: Omit<OutboxMessage, "id"> = {
    version: 1,
    createdAt: new Date(clock.now().wallMs).toISOString(),
    severity: "info",
    text: "landmass: a day\n0 problems opened, 0 resolved, 0 open now",
    problems: [],
    host: "landmass",
    daily: { host: "landmass", opened: 0, open },
  };
  putIntoOutbox(system.files, dir, message, clock.now());
}

const waiting = () => readdirSync(join(dir, "outbox")).filter((name) => name.endsWith(".json"));
const none = new AbortController().signal;
/** As after a restart: what it knows it knows from the disk. */
const deliver = (channels: Channel[] = [account()], more = {}, withinMs = 60_000) =>
  createDelivery(system, dir).deliver({ channels, intervalSeconds: 300, ...more }, none, withinMs);
const fine = { waiting: 0, errors: [], notes: [] };

describe("a relay that works", () => {
  it("gets each problem of a message as JSON, in a call of its own", async () => {
    program("exit 0");
    alert(1, { actionTaken: "restart_service:web (failure)" });
    const [first] = waiting();
    expect(first).toBeDefined();
    expect(await deliver()).toEqual({ ...fine, sent: 1 });
    const [args = []] = calls();
    expect(args.filter((_, index) => index !== 2)).toEqual(
      "send athena --agent argus --priority high --tag argus,problem".split(" "),
    );
    expect(sent()).toEqual([
      {
        type: "alert",
        source: "argus",
        event: "argus.problem",
        severity: "critical",
        problem_type: "service",
        message: `web-${number} is failed (exit-code)`,
        action_taken: "restart_service:web (failure)",
        host: "landmass",
        timestamp: "2026-11-20T22:40:00.000Z",
        state: "firing",
        key: `service:${String(number).padStart(16, "0")}`,
        subject: `web-${number}`,
      },
    ]);
    expect([waiting(), written()]).toEqual([[], []]);
    alert(2, { recovery: true });
    await deliver([account()], { dashboardUrl: "https://watch.example/" });
    expect(sent().slice(1)).toMatchObject([
      {
        message: `RESOLVED web-${number - 1} is failed (exit-code)`,
        action_taken: "none",
        state: "resolved",
      },
      { dashboard_url: "https://watch.example/", state: "resolved" },
    ]);
  });

  it("is told all 500 problems of one message", async () => {
    program("exit 0");
    alert(500);
    expect(await deliver()).toMatchObject(fine);
    expect(new Set(sent().map(({ key }) => key)).size).toBe(500);
  }, 60_000);

  it("may print whatever it likes", async () => {
    program("head -c 300000 /dev/urandom; head -c 1000 /dev/urandom >&2; exit 0");
    alert();
    expect(await deliver()).toEqual({ ...fine, sent: 1 });
    expect(written()).toEqual([]);
  });

  it("gets no body that it would take for a flag, and none that it would refuse as too long", async () => {
    program("exit 0");
    const text = `--help ${"\u0001é".repeat(60_000)}`;
    const [start, key] = ["2026-11-20T22:40:00Z", "service:0123456789abcdef"];
    const note = {
      problem: key,
      type: "service",
      subject: "s",
      severity: "critical",
      state: "firing",
      at: start,
    };
    const parcels = [
      { kind: "message", text, notes: [] },
      { kind: "message", text, notes: [{ ...note, summary: text }] },
      {
        kind: "daily_summary",
        text,
        notes: [],
        daily: { open: Array(9000).fill({ key, a: '"--"' }), opened: 3 },
      },
    ];
    const attempt = {
      ...system,
      signal: none,
      deadlineMs: clock.monotonicMs() + 60_000,
      intervalSeconds: 300,
      dashboardUrl: null,
      clean: (text: string) => text,
    };
    const common = { id: "x", files: [], createdAt: start, host: "--host", severity: "info" };
    for (const parcel of parcels)
      expect(await wayOf(account()).send({ ...common, ...parcel } as Parcel, {}, attempt)).toMatchObject({
        kind: "sent",
        memory: { fellBack: null },
      });
    const bodies = calls().map(([, , body = ""]) => body);
    expect(bodies).toHaveLength(3);
    for (const body of bodies) {
      expect(body.startsWith("{")).toBe(true);
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(65_536);
      expect(JSON.parse(body).message).toMatch(/^--help /);
    }
    expect(sent()[2]).toMatchObject({ event: "argus.daily_summary", summary: { opened: 3 } });
    const { open } = (sent()[2]?.["summary"] as { open: unknown[] }) ?? { open: [] };
    expect(open.length).toBeGreaterThan(10);
  });
});

describe("a relay that does not work", () => {
  it.each([
    ["is missing", null, /relay does not exist here; install it, or set ARGUS_RELAY_BIN in argus\.env/],
    ["fails", "echo no such agent >&2; exit 1", /relay failed with exit status 1: no such agent;/],
    ["hangs", "sleep 60", /relay did not end within 1 s/],
  ])("and %s: the problems stand in the file, nothing waits, and it is said", async (_, does, error) => {
    if (does !== null) program(does);
    alert(3);
    const delivered = await deliver();
    expect(delivered).toMatchObject({ sent: 1, waiting: 0, notes: [] });
    expect(delivered.errors).toEqual([{ channel: "relay", text: expect.stringMatching(error), news: true }]);
    expect(delivered.errors[0]?.text).toContain(`; what it did not take is written to ${file()}`);
    expect(waiting()).toEqual([]);
    expect(written().map(({ subject }) => subject)).toEqual([2, 1, 0].map((back) => `web-${number - back}`));
    expect(viewOutbox(system.files, dir, ["relay"], Date.now()).channels[0]?.error?.text).toMatch(error);
  });

  it("says the same once, also when nothing is sent in between, until it works again", async () => {
    program("echo at $$ >&2; exit 1");
    const news = async () => (await deliver()).errors.map((each) => each.news);
    alert();
    expect(await news()).toEqual([true]);
    expect(await news()).toEqual([false]);
    clock.advance(300);
    alert();
    expect(await news()).toEqual([false]);
    program("exit 0");
    clock.advance(300);
    expect(await news()).toEqual([false]);
    alert();
    expect(await news()).toEqual([]);
    expect(written()).toHaveLength(2);
    expect(viewOutbox(system.files, dir, ["relay"], Date.now()).channels[0]?.error).toBeNull();
  });

  it("is asked once more after a failure, and then not for each of many messages", async () => {
    program('[ -e "$0.again" ] && exit 0; touch "$0.again"; exit 1');
    alert();
    expect(await deliver()).toEqual({ ...fine, sent: 1 });
    expect([calls().length, written().length]).toEqual([2, 0]);

    program("sleep 60");
    for (let each = 0; each < 20; each += 1) alert(5);
    await deliver();
    expect(calls()).toHaveLength(3);
    expect(written()).toHaveLength(100);
    clock.advance(61);
    program("exit 0");
    alert();
    await deliver();
    expect([calls().length, written().length]).toEqual([4, 100]);
  });

  it("holds up no other channel", async () => {
    program("sleep 60");
    for (let each = 0; each < 3; each += 1) alert();
    let toldWhileItHung = 0;
    const { run } = system;
    system = {
      ...system,
      run: async (...call) => {
        const ended = await run(...call);
        toldWhileItHung = Math.max(toldWhileItHung, api.told.length);
        return ended;
      },
    };
    expect(await deliver([account(), telegram()])).toMatchObject({ waiting: 0 });
    expect(toldWhileItHung).toBe(3);
    expect(written()).toHaveLength(3);
  });

  it("repeats no secret that it prints", async () => {
    program("echo login with --password=hunter22secret failed >&2; exit 1");
    alert();
    const { errors } = await deliver();
    expect(errors[0]?.text).toMatch(/login with --password=\[redacted\] failed/);
    expect(readFileSync(join(dir, "delivery.json"), "utf8")).not.toContain("hunter22secret");
  });

  it("leaves the message in the outbox when the file cannot be written either", async () => {
    mkdirSync(file());
    alert();
    const delivered = await deliver();
    expect(delivered).toMatchObject({ sent: 0, waiting: 1, errors: [{ channel: "relay", news: true }] });
    expect(delivered.errors[0]?.text).toContain(file());
    rmSync(file(), { recursive: true });
    clock.advance(300);
    expect(await deliver()).toMatchObject({ sent: 1, waiting: 0 });
    expect(written()).toHaveLength(1);
  });

  it("fills no disk: the file is rotated", async () => {
    const text = "x".repeat(290);
    for (let round = 0; round < 16; round += 1) {
      alert(500, { text });
      await deliver();
    }
    const sizes = ["", ".1", ".2", ".3"].map((end) =>
      existsSync(`${file()}${end}`) ? readFileSync(`${file()}${end}`).length : 0,
    );
    expect(sizes[1]).toBeGreaterThan(500_000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000_000);
    expect(sizes[3]).toBe(0);
    for (const line of written(`${file()}.1`)) expect(line["event"]).toBe("argus.problem");
  });

  it("is no reason to go on when Argus is told to stop: the message is told after the restart", async () => {
    program("sleep 60");
    alert();
    const stop = new AbortController();
    const delivered = createDelivery(system, dir).deliver(
      { channels: [{ ...account(), timeoutSeconds: 60 }], intervalSeconds: 300 },
      stop.signal,
      60_000,
    );
    while (calls().length === 0) await new Promise((wait) => setTimeout(wait, 10));
    stop.abort();
    expect(await delivered).toMatchObject({ sent: 0, waiting: 1 });
    expect(written()).toEqual([]);
  });
});

describe("the summary of a day", () => {
  it("goes by the relay alone when it takes it", async () => {
    program("exit 0");
    summary();
    expect(await deliver([telegram(), account()])).toEqual({ ...fine, sent: 1 });
    expect(await deliver([telegram(), account()])).toEqual({ ...fine, sent: 0 });
    expect(api.told).toEqual([]);
    expect(calls()[0]?.at(-1)).toBe("argus,daily-summary");
    expect(sent()).toEqual([
      {
        type: "status",
        source: "argus",
        event: "argus.daily_summary",
        severity: "info",
        message: "landmass: a day\n0 problems opened, 0 resolved, 0 open now",
        host: "landmass",
        timestamp: "2026-11-20T22:40:00.000Z",
        summary: { host: "landmass", opened: 0, open: [] },
      },
    ]);
    expect(waiting()).toEqual([]);
  });

  it("goes by the other channels when the relay fails, once, and stands in the file", async () => {
    program("exit 1");
    summary();
    await deliver([telegram(), account()]);
    await deliver([telegram(), account()]);
    await deliver([telegram(), account()]);
    expect(api.told.map(({ text }) => text)).toEqual([
      "landmass: a day\n0 problems opened, 0 resolved, 0 open now",
    ]);
    expect(written().map(({ event }) => event)).toEqual(["argus.daily_summary"]);
    expect(waiting()).toEqual([]);
  });

  it("goes by every channel where there is no relay, and is put into no digest", async () => {
    summary();
    clock.advance(7200);
    for (let each = 0; each < 8; each += 1) alert();
    clock.advance(7200);
    await deliver([telegram()]);
    const texts = api.told.map(({ text }) => text);
    expect(texts.filter((text) => text.includes("landmass: a day\n"))).toHaveLength(1);
    expect(texts.filter((text) => text.includes("in short:"))).toEqual([]);
  });
});

it("the address of the dashboard is the last line of each message", async () => {
  alert();
  await deliver([telegram()], { dashboardUrl: "https://watch.example/argus" });
  expect(api.told[0]?.text.split("\n").at(-1)).toBe("https://watch.example/argus");
});
