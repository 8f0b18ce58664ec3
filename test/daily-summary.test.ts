/** The summary of the day, over days and restarts, on a clock of its own. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDailySummary, slotBefore } from "../src/daily-summary.ts";
import type { InForce } from "../src/report/summary.ts";
import { createSystem } from "../src/system/machine.ts";
import type { System } from "../src/system/system.ts";
import type { OutboxMessage } from "../src/types/action.ts";
import type { Channel } from "../src/types/channels.ts";
import { manualClock } from "./execute/support.ts";

const zone = process.env["TZ"];
let dir: string;
let clock: ReturnType<typeof manualClock>;
let system: System;
let daily: ReturnType<typeof createDailySummary>;
beforeEach(() => {
  process.env["TZ"] = "UTC";
  dir = mkdtempSync(join(tmpdir(), "argus-daily-"));
  clock = manualClock();
  system = { ...createSystem(), clock };
  restart();
});
afterEach(() => {
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
  rmSync(dir, { recursive: true, force: true });
});

const restart = () => {
  daily = createDailySummary(system, dir);
};
const nothing: InForce = { silenced: [], mode: "act" };
const channels = [{ type: "command", name: "c", command: ["true"], timeoutSeconds: 1 }] as Channel[];
const tend = (more: { summaryAt?: string | null; channels?: Channel[] } = {}) =>
  daily.tend({ summaryAt: "08:00", channels, ...more }, async () => nothing);
/** Looks every ten minutes. @returns times of the messages. */
async function pass(hours: number): Promise<void> {
  for (let look = 0; look < hours * 6; look += 1) {
    await tend();
    clock.advance(600);
  }
}
const messages = (): OutboxMessage[] =>
  !existsSync(join(dir, "outbox"))
    ? []
    : readdirSync(join(dir, "outbox"))
        .sort()
        .map((name) => JSON.parse(readFileSync(join(dir, "outbox", name), "utf8")));
const times = () => messages().map(({ createdAt }) => createdAt);
const kept = () =>
  readFileSync(join(dir, "summaries.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { to: string; text: string });

// 2026-11-20 22:40 UTC is when the clock begins.
describe("the summary of the day", () => {
  it("is sent once a day over three days, whatever restarts in between", async () => {
    for (let hour = 0; hour < 72; hour += 1) {
      await pass(1);
      restart();
    }
    expect(times()).toEqual(["2026-11-21T08:00:00Z", "2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z"]);
    expect(kept().map(({ to }) => to)).toEqual(times());
    const [first] = messages();
    expect(first?.daily).toMatchObject({
      from: "2026-11-20T08:00:00Z",
      to: "2026-11-21T08:00:00Z",
      opened: 0,
    });
    expect(first?.text).toMatch(/^\S+: 2026-11-20 08:00 to 2026-11-21 08:00 UTC\n/);
    expect(kept()[0]?.text).toBe(first?.text);
  });

  it("is sent late when Argus was away at its time, and once for many missed days", async () => {
    await pass(1);
    clock.advance(5 * 86_400);
    restart();
    await pass(3);
    expect(times()).toEqual(["2026-11-25T23:40:00Z"]);
    await pass(24);
    expect(times()).toHaveLength(2);
  });

  it("does not begin with one: the first comes when its time of day has come", async () => {
    await tend();
    clock.advance(9 * 3600);
    await tend();
    expect(times()).toEqual([]);
    clock.advance(3600);
    await tend();
    expect(times()).toEqual(["2026-11-21T08:40:00Z"]);
  });

  it.each([null, "never"])("is never sent with ARGUS_SUMMARY_AT %s", async (summaryAt) => {
    for (let day = 0; day < 3; day += 1) {
      expect(await tend({ summaryAt })).toEqual([]);
      clock.advance(86_400);
    }
    expect(readdirSync(dir)).toEqual([]);
  });

  it("without a channel stands in the file alone", async () => {
    await tend();
    clock.advance(86_400);
    await tend({ channels: [] });
    expect([times(), kept().length]).toEqual([[], 1]);
  });

  it("is not sent twice when the clock is set back by seconds, and goes on after a clock that was wrong by years", async () => {
    await pass(12);
    expect(times()).toHaveLength(1);
    clock.setWall(-3 * 3600);
    await pass(3);
    expect(times()).toHaveLength(1);
    clock.setWall(10 * 365 * 86_400);
    await pass(1);
    expect(times()).toHaveLength(2);
    clock.setWall(-10 * 365 * 86_400);
    restart();
    await pass(48);
    expect(times()).toHaveLength(4);
  });

  it("is not doubled by a wake-up that ends while the executor is still asked what is silenced", async () => {
    await tend();
    clock.advance(86_400);
    let answer: (inForce: InForce) => void = () => {};
    const first = daily.tend(
      { summaryAt: "08:00", channels },
      () => new Promise((resolve) => (answer = resolve)),
    );
    await tend();
    answer(nothing);
    await first;
    expect(times()).toHaveLength(1);
  });

  it("says what is silenced, or that nobody could be asked", async () => {
    const one = {
      id: "abcd",
      match: { subject: "web" },
      since: "2026-11-20T00:00:00Z",
      until: "2026-11-25T10:00:00Z",
      reason: "moving",
      by: "ann",
      actions: true,
    };
    await tend();
    clock.advance(86_400);
    await daily.tend({ summaryAt: "08:00", channels }, async () => ({ silenced: [one], mode: "watch" }));
    clock.advance(86_400);
    await daily.tend({ summaryAt: "08:00", channels }, () => Promise.reject(new Error("nobody there")));
    expect(messages()[0]?.text).toContain("\nsilenced until 2026-11-25 10:00 UTC, actions too: subject web");
    expect(messages()[0]?.text).toContain(
      "\nMode: watch-only: Argus looks and alerts, and changes nothing (",
    );
    expect(messages()[0]?.daily).toMatchObject({ silenced: [{ id: "abcd" }], mode: "watch" });
    expect(messages()[1]?.text).toContain("\nwhat is silenced is not known");
  });

  it("that cannot be written is said once, and sent when it can be", async () => {
    await tend();
    clock.advance(86_400);
    writeFileSync(join(dir, "outbox"), "in the way");
    const [said, ...more] = await tend();
    expect(said).toMatch(/^the summary of the day: .*outbox/);
    expect(more).toEqual([]);
    expect(await tend()).toEqual([]);
    rmSync(join(dir, "outbox"));
    restart();
    await tend();
    await tend();
    expect(times()).toHaveLength(1);
  });

  it("is sent once by a process that cannot remember it", async () => {
    await tend();
    clock.advance(86_400);
    const { files } = system;
    system = {
      ...system,
      files: {
        ...files,
        writeAtomic(path, ...rest) {
          if (path.endsWith("summary.json")) throw Object.assign(new Error("EROFS"), { code: "EROFS" });
          files.writeAtomic(path, ...rest);
        },
      },
    };
    restart();
    expect(await tend()).toHaveLength(1);
    clock.advance(300);
    expect(await tend()).toEqual([]);
    expect(times()).toHaveLength(1);
  });
});

describe("the time of day is that of this machine's clock", () => {
  const slot = (at: string, now: string) => {
    const ms = slotBefore(at, { wallMs: Date.parse(now) });
    return new Date(ms).toISOString().slice(0, 16);
  };

  it.each([
    ["UTC", "08:00", "2026-11-20T07:59:59Z", "2026-11-19T08:00"],
    ["UTC", "08:00", "2026-11-20T08:00:00Z", "2026-11-20T08:00"],
    ["UTC", "00:00", "2026-03-01T00:00:00Z", "2026-03-01T00:00"],
    ["Europe/Berlin", "08:00", "2026-07-01T06:30:00Z", "2026-07-01T06:00"],
    ["Europe/Berlin", "08:00", "2026-12-01T06:30:00Z", "2026-11-30T07:00"],
    // 02:30 is not there on 2026-03-29: it is 03:30.
    ["Europe/Berlin", "02:30", "2026-03-29T01:29:00Z", "2026-03-28T01:30"],
    ["Europe/Berlin", "02:30", "2026-03-29T01:30:00Z", "2026-03-29T01:30"],
    // It comes twice on 2026-10-25: the first one counts.
    ["Europe/Berlin", "02:30", "2026-10-25T00:30:00Z", "2026-10-25T00:30"],
    ["Europe/Berlin", "02:30", "2026-10-25T01:31:00Z", "2026-10-25T00:30"],
  ])("%s %s at %s: %s", (timeZone, at, now, wanted) => {
    process.env["TZ"] = timeZone;
    expect(slot(at, now)).toBe(wanted);
  });

  it.each([
    ["2026-03-27T12:00:00Z", 5],
    ["2026-10-23T12:00:00Z", 5],
  ])("and over a change of it at %s it is sent once a day", async (start, days) => {
    process.env["TZ"] = "Europe/Berlin";
    clock.setWall((Date.parse(start) - clock.now().wallMs) / 1000);
    for (let look = 0; look < days * 48; look += 1) {
      await daily.tend({ summaryAt: "02:30", channels }, async () => nothing);
      clock.advance(1800);
    }
    const local = (iso: string) => new Date(iso).getDate();
    expect(times()).toHaveLength(days);
    expect(new Set(times().map(local)).size).toBe(days);
  });
});
