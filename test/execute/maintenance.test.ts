/** Maintenance windows: when they are open, and what they hold back. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOpenAt } from "../../src/execute/maintenance.ts";
import { Maintenance } from "../../src/types/maintenance.ts";
import { Settings } from "../../src/types/settings.ts";
import {
  alertOf,
  bench,
  endedByItself,
  failed,
  manualClock,
  only,
  recordedSystemd,
  restart,
  running,
} from "./support.ts";

const window = (more: object = {}): Maintenance =>
  Maintenance.parse({ name: "nightly", from: "22:00", to: "02:00", ...more });
const open = (given: Maintenance, iso: string) =>
  isOpenAt(given, { wallMs: Date.parse(iso), uptimeSeconds: 1, bootId: "b" });

describe("a window is open", () => {
  const berlin = { timeZone: "Europe/Berlin" };
  const cases: [string, object, string, boolean][] = [
    ["from its beginning", { from: "10:00", to: "11:00" }, "2026-11-20T10:00:00Z", true],
    ["until its end, and not at it", { from: "10:00", to: "11:00" }, "2026-11-20T11:00:00Z", false],
    ["over midnight, before it", {}, "2026-11-20T23:59:59Z", true],
    ["over midnight, after it", {}, "2026-11-21T01:59:59Z", true],
    ["over midnight, no longer", {}, "2026-11-21T02:00:00Z", false],
    ["on the day on which it begins (a Friday)", { days: ["fri"] }, "2026-11-21T01:00:00Z", true],
    ["not on the day after, when that is not named", { days: ["fri"] }, "2026-11-21T23:00:00Z", false],
    ["not in the night before that day", { days: ["fri"] }, "2026-11-20T01:00:00Z", false],
    ["all day when it ends as it begins", { from: "06:00", to: "06:00" }, "2026-11-20T05:59:00Z", true],
    [
      "by the clock of its zone, in winter",
      { ...berlin, from: "12:00", to: "13:00" },
      "2026-11-20T11:30:00Z",
      true,
    ],
    [
      "by the clock of its zone, in summer",
      { ...berlin, from: "12:00", to: "13:00" },
      "2026-07-20T10:30:00Z",
      true,
    ],
    [
      "not for an hour that summer time left out",
      { ...berlin, from: "02:00", to: "03:00" },
      "2026-03-29T01:30:00Z",
      false,
    ],
    [
      "for both of the hours that winter time gives twice, first",
      { ...berlin, from: "02:00", to: "03:00" },
      "2026-10-25T00:30:00Z",
      true,
    ],
    [
      "for both of the hours that winter time gives twice, second",
      { ...berlin, from: "02:00", to: "03:00" },
      "2026-10-25T01:30:00Z",
      true,
    ],
    [
      "on the day of its zone",
      { timeZone: "Pacific/Auckland", days: ["sat"], from: "00:00", to: "06:00" },
      "2026-11-20T12:00:00Z",
      true,
    ],
  ];
  it.each(cases)("%s", (_, given, iso, wanted) => {
    expect(open(window(given), iso)).toBe(wanted);
  });

  it("exactly when the window from its end to its beginning is not, on all days and in every zone", () => {
    const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }));
    const text = ([hours, minutes]: readonly [number, number]) =>
      `${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
    const zone = fc.constantFrom(
      "UTC",
      "Europe/Berlin",
      "America/St_Johns",
      "Asia/Kathmandu",
      "Pacific/Apia",
      "Antarctica/Troll",
    );
    const moment = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) });
    fc.assert(
      fc.property(time, time, zone, moment, (from, to, timeZone, wallMs) => {
        fc.pre(text(from) !== text(to));
        const iso = new Date(wallMs).toISOString();
        const there = open(window({ from: text(from), to: text(to), timeZone }), iso);
        const back = open(window({ from: text(to), to: text(from), timeZone }), iso);
        expect(there).toBe(!back);
      }),
    );
  });

  const zones = fc.constantFrom(
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
  );
  const quarter = fc.integer({ min: 0, max: 95 });
  const clockOf = (quarters: number) =>
    `${String(Math.floor(quarters / 4)).padStart(2, "0")}:${String((quarters % 4) * 15).padStart(2, "0")}`;

  it("on each day for as long as from its beginning to its end, but where the clock is changed", () => {
    const monday = fc
      .integer({ min: 0, max: 500 })
      .map((weeks) => Date.UTC(2024, 0, 1) + weeks * 7 * 86_400_000);
    const days = fc.subarray(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], { minLength: 1 });
    const step = 900_000;
    fc.assert(
      fc.property(quarter, quarter, zones, days, monday, (from, to, timeZone, named, startMs) => {
        const given = window({ from: clockOf(from), to: clockOf(to), timeZone, days: named });
        const steps = Array.from({ length: 7 * 96 }, (_, index) => startMs + index * step);
        const offset = (ms: number) =>
          new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" }).format(ms);
        const zoneOf = (ms: number) => /GMT.*$/.exec(offset(ms))?.[0];
        fc.pre(zoneOf(startMs - 86_400_000) === zoneOf(startMs + 8 * 86_400_000));
        const length = to > from ? to - from : 96 - from + to;
        expect(steps.filter((ms) => open(given, new Date(ms).toISOString()))).toHaveLength(
          length * named.length,
        );
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ["Europe/Berlin", "2026-03-29", 23],
    ["Europe/Berlin", "2026-10-25", 25],
    ["Australia/Lord_Howe", "2026-10-04", 23.5],
    ["Australia/Lord_Howe", "2026-04-05", 24.5],
    ["Africa/Cairo", "2026-04-24", 23],
    ["UTC", "2026-03-29", 24],
  ])("in %s on %s from midnight to midnight for %d hours", (timeZone, day, hours) => {
    const weekday = new Date(`${day}T12:00Z`).toUTCString().slice(0, 3).toLowerCase();
    const given = window({ from: "00:00", to: "00:00", timeZone, days: [weekday] });
    const noon = Date.parse(`${day}T12:00Z`);
    const minutes = Array.from({ length: 3 * 1440 }, (_, index) => noon + (index - 2160) * 60_000);
    expect(minutes.filter((ms) => open(given, new Date(ms).toISOString())).length / 60).toBe(hours);
  });
});

describe("an open window", () => {
  /** Ten to eleven at night by the clock of the test. */
  function server(more: object = {}) {
    const systemd = recordedSystemd();
    systemd.set("web.service", failed);
    systemd.afterRestart("web.service", running);
    systemd.journal(...endedByItself);
    const clock = manualClock();
    const maintenance = [window({ to: "23:00", ...more })];
    return bench({ path: systemd.path, system: { clock }, policy: { maintenance } });
  }
  const alert = (more: Record<string, unknown> = {}) => alertOf(1, "web is down", more);

  it("holds messages back and says which one it is, but neither actions nor the end of what was announced", async () => {
    const argus = server();
    const [told, done] = await argus.run([alert(), restart("web")]);
    expect(told).toMatchObject({
      result: "suppressed",
      refusal: "silenced",
      detail: "the maintenance window nightly is open until 23:00 UTC",
    });
    expect(done?.result).toBe("success");
  });

  it("holds actions back as well when it says so", async () => {
    expect(only(await server({ actions: true }).run([restart("web")])).refusal).toBe("silenced");
  });

  it("tells the end of what was announced before it", async () => {
    const systemd = recordedSystemd();
    const clock = manualClock();
    clock.setWall(-2460);
    const argus = bench({ path: systemd.path, system: { clock }, policy: { maintenance: [window()] } });
    expect(only(await argus.run([alert()])).result).toBe("success");
    clock.advance(2460);
    expect(only(await argus.run([alert({ severity: "critical" })])).refusal).toBe("silenced");
    expect(only(await argus.run([alert({ recovery: true })])).result).toBe("success");
  });

  it("does nothing about its unit, whatever the proposal calls its subject", async () => {
    const given = { actions: true, subjects: ["web"] };
    expect(only(await server(given).run([restart("web", { subject: "other" })])).refusal).toBe("silenced");
  });

  const fitting: [object, string | null][] = [
    [{ rules: ["test"] }, "silenced"],
    [{ rules: ["other"] }, null],
    [{ subjects: ["web"] }, "silenced"],
    [{ subjects: ["api"] }, null],
    [{ types: ["service"] }, "silenced"],
    [{ types: ["disk"] }, null],
    [{ types: ["service"], subjects: ["api"] }, null],
    [{ rules: ["other", "test"], subjects: ["api", "web.service"], types: ["disk", "service"] }, "silenced"],
  ];
  it.each(fitting)("is about what fits all that it names: %j", async (given, refusal) => {
    expect(only(await server(given).run([alert()])).refusal).toBe(refusal);
  });
});

it("what is no window is said in a sentence", () => {
  const said = (given: object) =>
    Settings.safeParse({ maintenance: [{ name: "n", from: "22:00", to: "02:00", ...given }] }).error
      ?.issues[0]?.message;
  expect(said({ from: "24:00" })).toBe("must be a time of day such as 22:30");
  expect(said({ timeZone: "Mars/Base" })).toBe("is no time zone such as Europe/Berlin or UTC");
  expect(said({})).toBeUndefined();
});
