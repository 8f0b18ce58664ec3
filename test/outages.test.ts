/** Days of trouble through the whole cycle, on a clock of their own: how many messages people get, and which. */
import { describe, expect, it } from "vitest";
import type { Endpoint, Service } from "../src/types/facts.ts";
import type { Facts } from "../src/types/snapshot.ts";
import { serviceFact } from "./escalate/samples.ts";
import { fakeBeads } from "./support/beads.ts";
import { folder, type World, world } from "./support/world.ts";

const web = (ok: boolean): Facts => ({
  endpoint: [
    {
      name: "web",
      url: "http://127.0.0.1:8080/",
      ok,
      status: ok ? 200 : 503,
      latencyMilliseconds: 3,
      error: ok ? null : "status 503",
      service: null,
    } as Endpoint,
  ],
});
/** Not one that Argus may restart: people have to hear of it. */
const unit = (name: string, activeState: string): Service =>
  serviceFact({
    name,
    watched: false,
    restartable: false,
    activeState,
    result: activeState === "failed" ? "exit-code" : "success",
  });
const texts = (its: World) => its.messages().map(({ text }) => text);

describe("an outage of one endpoint", () => {
  it("of 24 hours, seen every 30 s, is one message an hour and one at its end, whatever restarts in between", async () => {
    const its = world();
    for (let cycle = 0; cycle < 2880; cycle += 1) {
      if (cycle % 700 === 699) its.restart();
      await its.look(web(false), 30);
    }
    const during = its.messages().length;
    expect(during).toBeGreaterThanOrEqual(23);
    expect(during).toBeLessThanOrEqual(24);
    for (let cycle = 0; cycle < 20; cycle += 1) await its.look(web(true), 30);
    expect(its.messages()).toHaveLength(during + 1);
    expect(texts(its)[0]).toMatch(/^landmass: CRITICAL web \(http:\/\/127\.0\.0\.1:8080\/\) does not answer/);
    expect(texts(its)[1]).toMatch(/\nSince 2026-11-20 22:40 UTC \(1 h\)\.\n/);
    expect(texts(its).at(-1)).toMatch(
      /^landmass: RESOLVED web \(was: .*\), down (1 d|23 h \d+ min), ended without Argus\.\nargus explain endpoint:[0-9a-f]{16}$/,
    );
  }, 120_000);

  it("that was never announced ends without a word", async () => {
    const its = world();
    await its.look(web(false), 30);
    for (let cycle = 0; cycle < 5; cycle += 1) await its.look(web(true), 30);
    await its.look({ disk: [] }, 30);
    expect(() => its.messages()).toThrow(/ENOENT/);
  });

  it("that comes again after its end was told is told again, once each", async () => {
    const its = world();
    for (let round = 0; round < 2; round += 1) {
      for (let cycle = 0; cycle < 6; cycle += 1) await its.look(web(false), 30);
      for (let cycle = 0; cycle < 6; cycle += 1) await its.look(web(true), 30);
    }
    expect(texts(its).map((text) => text.split(" ")[1])).toEqual([
      "CRITICAL",
      "RESOLVED",
      "CRITICAL",
      "RESOLVED",
    ]);
  });

  it("that comes and goes for six hours is at most eight messages, which say so, and its end is told when it is calm", async () => {
    const its = world();
    for (let minute = 0; minute < 360; minute += 1) {
      for (const ok of [false, false, true]) await its.look(web(ok), 20);
    }
    for (let minute = 0; minute < 120; minute += 1) await its.look(web(true), 60);
    expect(its.messages().length).toBeLessThanOrEqual(8);
    expect(texts(its).some((text) => /It is flapping: \d+ times within the last hour\./.test(text))).toBe(
      true,
    );
    expect(texts(its).at(-1)).toMatch(
      /RESOLVED web \(was: status 503\), .*\n.*\nIt was flapping, and has been calm since\./,
    );
    expect(texts(its).filter((text) => text.includes("RESOLVED")).length).toBeLessThanOrEqual(3);
  }, 120_000);
});

describe("many at once", () => {
  it("50 units that fail together are as few messages as name them all, once, and so when they are back", async () => {
    const its = world();
    const all = (state: string): Facts => ({
      service: Array.from({ length: 50 }, (_, index) => unit(`app-${index}`, state)),
    });
    const named = (some: readonly string[]) =>
      all("").service?.filter(({ name }) => some.some((text) => text.includes(`${name} `))) ?? [];
    for (let cycle = 0; cycle < 4; cycle += 1) await its.look(all("failed"), 30);
    const failed = texts(its);
    expect(failed.length).toBeLessThan(5);
    expect(failed[0]).toMatch(new RegExp(`^landmass: part 1 of ${failed.length}: \\d+ (warning|critical)`));
    expect(named(failed)).toHaveLength(50);
    for (let cycle = 0; cycle < 4; cycle += 1) await its.look(all("active"), 30);
    const back = texts(its).slice(failed.length);
    expect(back.length).toBeLessThan(5);
    expect(named(back)).toHaveLength(50);
  });
});

describe("a reboot", () => {
  it("is no reason to be silent: what failed is alerted at once, and so is its end", async () => {
    const its = world();
    await its.look({ service: [unit("db", "active"), unit("app", "active")] }, 30);
    its.clock.reboot();
    for (let cycle = 0; cycle < 3; cycle += 1)
      await its.look({ service: [unit("db", "failed"), unit("app", "failed")] }, 30);
    for (let cycle = 0; cycle < 4; cycle += 1)
      await its.look({ service: [unit("db", "active"), unit("app", "failed")] }, 30);
    expect(its.messages()).toHaveLength(2);
    expect(texts(its)[0]).toMatch(/^landmass: 2 warning\n\nWARNING db failed[\s\S]*\n\nWARNING app failed/);
    expect(texts(its)[1]).toContain("RESOLVED db ");
  });
});

describe("tickets", () => {
  const withTracker = () => {
    const dir = folder();
    const beads = fakeBeads(dir);
    return { beads, its: world({ dir, path: beads.path }) };
  };
  const looks = async (its: World, facts: Facts, cycles: number, seconds = 30) => {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      await its.look(facts, seconds);
      await its.settle();
    }
  };

  it("an outage of 24 hours, seen every 30 s, is one ticket, whatever restarts in between, and it is closed at its end", async () => {
    const { its, beads } = withTracker();
    for (let part = 0; part < 4; part += 1) {
      await looks(its, { service: [unit("app", "failed")] }, 720);
      its.restart();
    }
    expect(beads.issues()).toHaveLength(1);
    expect(beads.issues()[0]).toMatchObject({
      id: "bd-1",
      status: "open",
      labels: ["argus"],
      title: expect.stringMatching(/^\[argus\] service: app /),
      description: expect.stringMatching(/^Problem key: service:[0-9a-f]{16}\nHost: landmass\n/),
    });
    // One ticket costs one look at what is open: nobody is asked again every 30 s.
    expect(beads.calls("create")).toHaveLength(1);
    expect(beads.calls("list").length).toBeLessThanOrEqual(3);
    await looks(its, { service: [unit("app", "active")] }, 4);
    expect(beads.issues()).toMatchObject([{ status: "closed" }]);
    expect(beads.calls("close")).toHaveLength(1);
  }, 240_000);

  it("an endpoint that flaps for six hours files no ticket an hour, and the last one is closed when it is calm", async () => {
    const { its, beads } = withTracker();
    for (let minute = 0; minute < 360; minute += 1) {
      for (const ok of [false, false, true]) {
        await its.look(web(ok), 20);
        await its.settle();
      }
    }
    // The third time within a day it stays: it is about what keeps coming back.
    expect(beads.issues().length).toBeLessThanOrEqual(3);
    expect(beads.issues().filter(({ status }) => status === "open")).toHaveLength(1);
    expect(beads.issues().at(-1)?.description).toMatch(/It began 3 times within 1 d\./);
    await looks(its, web(true), 26 * 2, 1800);
    expect(beads.issues().filter(({ status }) => status === "open")).toEqual([]);
  }, 240_000);

  it("what is back within the boot grace needs none, and what is not gets one", async () => {
    const { its, beads } = withTracker();
    await looks(its, { service: [unit("db", "active"), unit("app", "active")] }, 1);
    its.clock.reboot();
    await looks(its, { service: [unit("db", "failed"), unit("app", "failed")] }, 3);
    await looks(its, { service: [unit("db", "active"), unit("app", "failed")] }, 4);
    expect(beads.issues().map(({ title }) => title.split(" ")[2])).toEqual(["app"]);
  });
});
