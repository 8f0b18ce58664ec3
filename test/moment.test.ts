/** What has passed between two moments, over reboots of a machine and restarts of a container. */
import { describe, expect, it } from "vitest";
import { type Moment, secondsAtLeast, secondsBetween } from "../src/types/moment.ts";

const day = 86_400;
const from: Moment = { wallMs: 1.795e12, uptimeSeconds: 30 * day, bootId: "before" };
const later = (wallSeconds: number, uptimeSeconds: number): Moment => ({
  wallMs: from.wallMs + wallSeconds * 1000,
  uptimeSeconds,
  bootId: "after",
});

describe("over a restart of a container, whose kernel goes on", () => {
  // Were it the time since boot, each restart would give all budgets and attempts back.
  it.each([
    ["at once", 7, 7],
    ["with a clock that was corrected by seconds", 47, 7],
    ["a day later", day, day],
  ])("is what the uptime says: %s", (_, wallSeconds, passed) => {
    const to = later(wallSeconds, from.uptimeSeconds + passed);
    expect([secondsAtLeast(from, to), secondsBetween(from, to)]).toEqual([passed, passed]);
  });
});

describe("over a reboot", () => {
  it("is at least the time since boot, and by the wall clock what it says", () => {
    const to = later(600, 500);
    expect([secondsAtLeast(from, to), secondsBetween(from, to)]).toEqual([500, 600]);
  });

  it("is the time since boot, also when the new boot has lasted longer than the old one had", () => {
    const early: Moment = { ...from, uptimeSeconds: 3600 };
    const to = later(7300, 7200);
    expect([secondsAtLeast(early, to), secondsBetween(early, to)]).toEqual([7200, 7300]);
  });

  it("comes out a minute too short at most, where the old boot had only just begun", () => {
    const early: Moment = { ...from, uptimeSeconds: 50 };
    expect(secondsAtLeast(early, later(7205, 7200))).toBe(7150);
  });

  it("believes no wall clock that was set back", () => {
    expect(secondsAtLeast(from, later(-day, 500))).toBe(500);
  });
});
