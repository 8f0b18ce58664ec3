/** The checker of a day finds each kind of lie in a day that is true, and nothing in the day itself. */
import { describe, expect, it } from "vitest";
import { check, type DayLine } from "./check-day.mjs";

const baseMs = Date.UTC(2026, 10, 20);
const seconds = (value: number): number => value * 1000;
const iso = (at: number): string => new Date(baseMs + seconds(at)).toISOString();

const line = (at: number, kind: string, subject: string, state: string, more: object = {}): DayLine => ({
  t: seconds(at),
  kind,
  subject,
  state,
  ...more,
});

/** alpha is down for 64 s and Argus starts it twice; beta is back at once; gamma is stopped; backup rests; shop is away. */
const record: DayLine[] = [
  { t: 0, kind: "base", wallMs: baseMs, intervalSeconds: 30 },
  line(0, "service", "alpha", "up", { by: "boot" }),
  line(0, "service", "beta", "up", { by: "boot" }),
  line(0, "service", "gamma", "up", { by: "boot" }),
  line(0, "service", "delta", "up", { by: "boot" }),
  line(0, "service", "backup", "resting"),
  line(0, "endpoint", "shop", "up"),
  line(0, "executor", "executor", "up"),
  line(1000, "service", "alpha", "down", { cause: "it died" }),
  line(1000, "start", "alpha", "begun", { by: "argus" }),
  line(1060, "start", "alpha", "begun", { by: "argus" }),
  line(1200, "service", "alpha", "up", { by: "argus" }),
  line(2000, "service", "beta", "down", { cause: "it died" }),
  line(2000, "start", "beta", "begun", { by: "argus" }),
  line(2001, "service", "beta", "up", { by: "argus" }),
  line(3000, "service", "gamma", "stopped", { by: "person" }),
  line(4000, "endpoint", "shop", "down"),
  line(4600, "endpoint", "shop", "up"),
  line(5000, "service", "delta", "down", { cause: "it died" }),
  line(5600, "service", "delta", "stopped", { by: "person" }),
  line(9000, "service", "alpha", "up", { by: "argus" }),
];

interface Said {
  readonly at: number;
  readonly subject: string;
  readonly type?: string;
  readonly since?: number;
  readonly text: string;
}
function message({ at, subject, type = "service", since, text }: Said): DayLine {
  const isFiring = /^(CRITICAL|WARNING)/.test(text);
  const key = `${type}:${subject}`;
  return {
    t: seconds(at + 1),
    channel: "webhook",
    event: "argus.message",
    text: `landmass: ${text}\nargus explain ${key}`,
    problems: [
      {
        problem: key,
        type,
        subject,
        severity: isFiring ? "critical" : "info",
        state: isFiring ? "firing" : "resolved",
        at: iso(at),
        summary: text.split("\n", 1)[0]?.replace(/^[A-Z]+ /, ""),
        ...(since === undefined ? {} : { since: iso(since) }),
      },
    ],
  };
}

const begins = { at: 1001, subject: "alpha", since: 1000, text: "CRITICAL alpha is failed (signal)" };
const ends = {
  at: 1205,
  subject: "alpha",
  since: 1000,
  text: "RESOLVED alpha (was: failed, signal), down 3 min 20 s, restarted by Argus on the 2nd attempt.",
};
const repaired = {
  at: 2010,
  subject: "beta",
  text: "REPAIRED beta (was: failed, signal), down 1 s, restarted by Argus.",
};
const shopBegins = {
  at: 4061,
  subject: "shop",
  type: "endpoint",
  text: "CRITICAL shop (http://127.0.0.1:9000/) does not answer as expected",
};
const shopEnds = {
  at: 4610,
  subject: "shop",
  type: "endpoint",
  text: "RESOLVED shop (http://127.0.0.1:9000/) does not answer as expected",
};
const deltaBegins = { at: 5001, subject: "delta", text: "CRITICAL delta is failed (signal)" };
const deltaCloses = { at: 5610, subject: "delta", text: "CLOSED delta: a person stopped it" };
const truth: readonly Said[] = [begins, ends, repaired, shopBegins, shopEnds, deltaBegins, deltaCloses];

const rulesOf = (all: readonly Said[], host = record) =>
  check(host, all.map(message)).violations.map(({ rule, subject }) => `${subject}: ${rule}`);
const without = (gone: Said) => truth.filter((each) => each !== gone);
const changed = (one: Said, more: Partial<Said>) =>
  truth.map((each) => (each === one ? { ...one, ...more } : each));

it("a true day has no violation, and is counted", () => {
  expect(rulesOf(truth)).toEqual([]);
  expect(check(record, truth.map(message)).counts).toEqual({
    outages: 4,
    "outages over a minute": 3,
    "shorter, repaired by Argus": 1,
    "held back by the dedup window or flapping": 0,
    messages: 7,
    "said in them": 7,
  });
});

describe("a message that is missing", () => {
  it.each([
    ["the beginning of an outage of a service", begins, "alpha: no message at the beginning"],
    ["the end of one", ends, "alpha: no message at the end"],
    ["a repair", repaired, "beta: a repair was not reported"],
    ["the beginning of an outage of an endpoint", shopBegins, "shop: no message at the beginning"],
    ["the end of one, of an endpoint", shopEnds, "shop: no message at the end"],
    ["the end by a person", deltaCloses, "delta: no message that it was closed"],
  ])("%s", (_, gone, rule) => {
    expect(rulesOf(without(gone))).toEqual([rule]);
  });
});

describe("a message that comes late", () => {
  it("at the beginning", () => {
    expect(rulesOf(changed(begins, { at: 1150 }))).toEqual(["alpha: late message at the beginning"]);
  });
  it("at the end", () => {
    expect(rulesOf(changed(ends, { at: 1290 }))).toContain("alpha: no message at the end");
  });
});

describe("a message that is not true", () => {
  it.each<[string, readonly Said[], string]>([
    ["trouble of what runs", [...truth, { ...begins, at: 6000, since: 6000 }], "alpha: untrue"],
    ["trouble of what rests", [...truth, { ...begins, at: 6000, subject: "backup" }], "backup: untrue"],
    [
      "trouble of what a person stopped",
      [...truth, { ...begins, at: 6000, subject: "gamma" }],
      "gamma: untrue",
    ],
    ["the end while it is down", changed(ends, { at: 1100 }), "alpha: untrue"],
    [
      "an outage of 20 minutes",
      changed(ends, { text: ends.text.replace("3 min 20 s", "20 min") }),
      "alpha: untrue",
    ],
    ["another attempt", changed(ends, { text: ends.text.replace("2nd", "3rd") }), "alpha: untrue"],
    [
      "that Argus did nothing",
      changed(ends, { text: "RECOVERED alpha\nOver after 3 min 20 s. Argus did nothing about it." }),
      "alpha: untrue",
    ],
    ["a stop by a person", changed(begins, { text: `${begins.text}: a person stopped it` }), "alpha: untrue"],
    ["that it was closed", [...truth, { ...deltaCloses, at: 6000, subject: "alpha" }], "alpha: untrue"],
    [
      "an executor that is away",
      [
        ...truth,
        { at: 6000, subject: "argus", type: "argus", text: "CRITICAL the executor does not answer" },
      ],
      "argus: untrue",
    ],
  ])("%s", (_, all, rule) => {
    expect(rulesOf(all)).toContain(rule);
  });

  it("a restart by Argus that a person did", () => {
    const host = record.map((each) =>
      each.subject === "alpha" && each.t === seconds(1200) ? { ...each, by: "person" } : each,
    );
    expect(rulesOf(truth, host)).toContain("alpha: untrue");
  });
});

describe("a message that is said twice", () => {
  it("within the dedup window", () => {
    expect(rulesOf([...truth, { ...begins, at: 1120 }])).toContain("alpha: said twice");
  });
  it("as an end", () => {
    expect(rulesOf([...truth, { ...ends, at: 1250 }])).toContain("alpha: said twice");
  });
});

describe("what holds a message back", () => {
  it.each<[string, DayLine]>([
    ["a silence", { t: seconds(990), kind: "silence", subject: "alpha", forMs: seconds(300) }],
    [
      "a maintenance window",
      { t: 0, kind: "maintenance", subject: "alpha", fromMs: seconds(900), toMs: seconds(1300) },
    ],
    ["that it was not watched", line(990, "watch", "alpha", "off")],
  ])("is %s", (_, more) => {
    const host = [...record, more].sort((a, b) => a.t - b.t);
    expect(
      rulesOf(
        truth.filter((each) => each !== begins && each !== ends),
        host,
      ),
    ).toEqual([]);
  });

  it("is no pause", () => {
    const host = [...record, { t: seconds(990), kind: "pause", subject: "argus", forMs: seconds(300) }];
    expect(
      rulesOf(
        without(begins),
        host.sort((a, b) => a.t - b.t),
      ),
    ).toEqual(["alpha: no message at the beginning"]);
  });
});
