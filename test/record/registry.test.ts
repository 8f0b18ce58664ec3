import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFold } from "../../src/record/folding.ts";
import { isOpen, occurrences24h, problemFact, stillNeeded } from "../../src/record/problems.ts";
import { carriedRecord, findingRecord } from "../../src/record/records.ts";
import { createRegistry } from "../../src/record/registry.ts";
import { parseRecord, readHistory, readProblems } from "../../src/record/registry-reader.ts";
import { resolvable } from "../../src/record/resolvable.ts";
import { createFiles } from "../../src/system/files.ts";
import type { Service } from "../../src/types/facts.ts";
import type { RegistryRecord } from "../../src/types/problem.ts";
import { serviceFact } from "../escalate/samples.ts";
import { actionFor, cycleAt, detection, serviceFinding, temporaryDir, verdict } from "./samples.ts";

const files = createFiles("/");
const minute = 60_000;
const start = Date.parse("2026-02-19T23:30:00Z");
const down = serviceFinding("openclaw-gateway");
let stateDir: string;
let notes: string[];
beforeEach(() => {
  stateDir = temporaryDir();
  notes = [];
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const open = (nowMs = start, limits?: { maxBytes: number; keep: number }) =>
  createRegistry({ files, stateDir, nowMs: () => nowMs, note: (sentence) => notes.push(sentence) }, limits);
const lines = (): RegistryRecord[] =>
  readFileSync(join(stateDir, "problems.jsonl"), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

function foldProblems(records: Iterable<RegistryRecord>) {
  const fold = createFold();
  for (const record of records) fold.take(record);
  return fold.result().problems;
}

describe("a registry record", () => {
  it("begins with the eight fields that users query, in their order", () => {
    open().recordFindings([down], cycleAt(start));
    expect(readFileSync(join(stateDir, "problems.jsonl"), "utf8")).toBe(
      '{"ts":"2026-02-19T23:30:00Z","severity":"critical","type":"service",' +
        '"description":"openclaw-gateway is failed (exit-code)","action_taken":"none","action_result":"skipped",' +
        `"bead_id":null,"host":"landmass","key":"${down.key}","subject":"openclaw-gateway","condition":"down",` +
        `"source":"rule:service-down","cycle":"c-${start}","reason":"detected",` +
        '"evidence":{"service.activeState":"failed"},"duration_ms":0,"event":"opened",' +
        '"rules":["service-down"],"entity":{"kind":"service","identity":"openclaw-gateway"}}\n',
    );
  });

  it("tells an action with what became of it, and a refusal with its reason", () => {
    const registry = open();
    registry.recordFindings([down], cycleAt(start));
    registry.recordActions(
      [
        actionFor(down, { verified: true, values: { attempt: 1 }, duration_ms: 3012.4 }),
        actionFor(down, {
          type: "alert",
          target: null,
          result: "suppressed",
          refusal: "duplicate",
          detail: "announced 20 s ago",
        }),
      ],
      cycleAt(start),
    );
    expect(
      lines().map((line) => [
        line.event,
        line.action_taken,
        line.action_result,
        line.reason,
        line.duration_ms,
        line.evidence,
      ]),
    ).toEqual([
      ["opened", "none", "skipped", "detected", 0, { "service.activeState": "failed" }],
      [
        "action",
        "restart_service:openclaw-gateway",
        "success",
        "restarted",
        3012,
        { attempt: 1, detail: "restarted" },
      ],
      ["action", "alert", "suppressed", "duplicate", 3, { detail: "announced 20 s ago" }],
    ]);
  });

  it("is not made of a proposal that names no problem", () => {
    open().recordActions([actionFor(down, { problem: "../../etc" })], cycleAt(start));
    expect(existsSync(join(stateDir, "problems.jsonl"))).toBe(false);
  });
});

describe("an outage of a day", () => {
  it("writes one opening, its acts, and each refusal once", () => {
    const registry = open();
    let acts = 0;
    for (let cycle = 0; cycle < 2880; cycle += 1) {
      const at = cycleAt(start + cycle * 30_000);
      registry.recordFindings([down], at);
      const attempt = cycle === 0 || cycle === 2 || cycle === 12;
      if (attempt) acts += 1;
      registry.recordActions(
        [
          attempt
            ? actionFor(down, { result: "failure", detail: "failed again" })
            : actionFor(down, {
                result: "suppressed",
                refusal: cycle < 12 ? "backoff" : "cooldown",
                detail: `in ${cycle} s`,
              }),
          actionFor(down, { type: "log", target: null, detail: `noted ${cycle} times` }),
        ],
        at,
      );
    }
    const counted = lines().map(
      (line) =>
        `${line.event} ${line.action_taken} ${line.action_result} ${line.action_taken === "log" ? "" : line.reason}`,
    );
    expect(acts).toBe(3);
    expect(counted).toEqual([
      "opened none skipped detected",
      "action restart_service:openclaw-gateway failure failed again",
      "action log success ",
      "action restart_service:openclaw-gateway suppressed backoff",
      "action restart_service:openclaw-gateway failure failed again",
      "action restart_service:openclaw-gateway suppressed backoff",
      "action restart_service:openclaw-gateway failure failed again",
      "action restart_service:openclaw-gateway suppressed cooldown",
    ]);
  });

  it("says the first refusal of the next outage again", () => {
    const registry = open();
    const refused = actionFor(down, { result: "suppressed", refusal: "paused", detail: "Argus is paused" });
    for (const [index, healthy] of [false, false, true, false].entries()) {
      const at = cycleAt(start + index * minute);
      if (healthy) registry.recordResolved([{ key: down.key, because: "not_found", goneAt: at.ts }], at);
      else {
        registry.recordFindings([down], at);
        registry.recordActions([refused], at);
      }
    }
    expect(lines().map((line) => line.event)).toEqual(["opened", "action", "resolved", "opened", "action"]);
  });

  it("does not repeat after a restart of Argus what was said before it", () => {
    const refused = actionFor(down, { result: "suppressed", refusal: "paused", detail: "Argus is paused" });
    for (const at of [cycleAt(start), cycleAt(start + minute)]) {
      const registry = open();
      registry.recordFindings([down], at);
      registry.recordActions(
        [refused, actionFor(down, { type: "log", target: null, detail: `noted at ${at.ts}` })],
        at,
      );
    }
    expect(lines().map((line) => line.event)).toEqual(["opened", "action", "action"]);
  });
});

describe("several findings of one key", () => {
  const warning = serviceFinding("openclaw-gateway", {
    rule: "unit-failed",
    severity: "warning",
    summary: "a unit failed",
  });

  it("are one problem, spoken for by the worst", () => {
    expect(open().recordFindings([warning, down], cycleAt(start))).toEqual([down.key]);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatchObject({
      severity: "critical",
      source: "rule:service-down",
      rules: ["unit-failed", "service-down"],
    });
  });

  it("that join later, or make it worse, change the problem and are no new occurrence", () => {
    const registry = open();
    registry.recordFindings([warning], cycleAt(start));
    expect(registry.recordFindings([warning, down], cycleAt(start + minute))).toEqual([]);
    registry.recordFindings([warning, down], cycleAt(start + 2 * minute));
    expect(lines().map((line) => line.event)).toEqual(["opened", "changed"]);
    const problem = registry.problems().get(down.key);
    expect(problem).toMatchObject({
      severity: "critical",
      rules: ["unit-failed", "service-down"],
      life: "open",
    });
    expect(problem && occurrences24h(problem, start)).toBe(1);
  });
});

describe("the life of a problem", () => {
  const key = down.key;
  const life = (registry: ReturnType<typeof open>) => registry.problems().get(key)?.life;

  it("is open, healing after a remedy that succeeded, and resolved when a look does not find it", () => {
    const registry = open();
    registry.recordFindings([down], cycleAt(start));
    expect(life(registry)).toBe("open");
    registry.recordActions([actionFor(down)], cycleAt(start));
    expect(life(registry)).toBe("healing");
    expect(
      registry.recordResolved(
        [{ key, because: "not_found", goneAt: cycleAt(start + minute).ts }],
        cycleAt(start + minute),
      ),
    ).toEqual([key]);
    expect(registry.problems().get(key)).toMatchObject({
      life: "resolved",
      resolvedAt: "2026-02-19T23:31:00Z",
      resolvedBecause: "healed",
    });
    expect(
      registry.recordResolved(
        [{ key, because: "not_found", goneAt: cycleAt(start + 2 * minute).ts }],
        cycleAt(start + 2 * minute),
      ),
    ).toEqual([]);
  });

  it("does not heal by being announced or noted, by a remedy that had no effect, or by one that failed", () => {
    const registry = open();
    registry.recordFindings([down], cycleAt(start));
    for (const action of [
      actionFor(down, { type: "alert", target: null }),
      actionFor(down, { type: "log", target: null }),
      actionFor(down, { verified: false }),
      actionFor(down, { result: "failure", detail: "exit status 1" }),
      actionFor(down, { result: "skipped", refusal: "dry_run", detail: "would restart" }),
    ]) {
      registry.recordActions([action], cycleAt(start));
      expect(life(registry)).toBe("open");
    }
    registry.recordResolved(
      [{ key, because: "not_found", goneAt: cycleAt(start + minute).ts }],
      cycleAt(start + minute),
    );
    expect(registry.problems().get(key)?.resolvedBecause).toBe("recovered");
  });

  it("is open again when the remedy is asked for in a later cycle, not when it is asked for twice in one", () => {
    const registry = open();
    registry.recordFindings([down], cycleAt(start));
    const twice = actionFor(down, {
      result: "suppressed",
      refusal: "duplicate",
      detail: "asked for already",
    });
    registry.recordActions([actionFor(down), twice], cycleAt(start));
    expect(life(registry)).toBe("healing");
    registry.recordActions(
      [actionFor(down, { result: "suppressed", refusal: "backoff", detail: "in 40 s" })],
      cycleAt(start + minute),
    );
    expect(life(registry)).toBe("open");
  });

  it("counts openings after a healthy look, never looks at the same outage", () => {
    const registry = open();
    const counts: number[] = [];
    for (let hour = 0; hour < 30; hour += 1) {
      const at = start + hour * 60 * minute;
      counts.push(problemFact(registry.problems().get(key), at).occurrences24h);
      registry.recordFindings([down], cycleAt(at));
      registry.recordFindings([down], cycleAt(at + minute));
      expect(problemFact(registry.problems().get(key), at + minute)).toEqual({
        // A minute later, the opening of 24 hours ago counts no more.
        occurrences24h: Math.min(24, counts.at(-1) ?? 0),
        openSeconds: 60,
      });
      registry.recordResolved(
        [{ key, because: "not_found", goneAt: cycleAt(at + 2 * minute).ts }],
        cycleAt(at + 2 * minute),
      );
    }
    // At the 25th opening, the one exactly 24 h ago still counts.
    expect(counts.slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(counts.slice(-3)).toEqual([25, 25, 25]);
  });

  it("is an occurrence of today also when it has been open for days", () => {
    const registry = open();
    registry.recordFindings([down], cycleAt(start));
    expect(problemFact(registry.problems().get(key), start + 72 * 60 * minute).occurrences24h).toBe(1);
  });
});

describe("resolvable", () => {
  function problems() {
    const registry = open();
    registry.recordFindings([down], cycleAt(start));
    return registry.problems().values();
  }
  const rules = new Set(["service-down"]);

  it("is a problem whose rule looked and did not find it", () => {
    expect(resolvable(problems(), detection([]), rules)).toEqual([{ key: down.key, because: "not_found" }]);
  });

  const doubts: [string, Parameters<typeof detection>[1]][] = [
    ["was not judged", { verdicts: [] }],
    ["was blind", { blindEntities: new Map([["service-down", new Set(["*"])]]) }],
    [
      "was blind on this entity",
      { blindEntities: new Map([["service-down", new Set(["openclaw-gateway"])]]) },
    ],
    ["still waits on it", { waitingKeys: new Set([down.key]) }],
    [
      "fired more often than findings were kept",
      { verdicts: [verdict("service-down", { verdict: "fired", fired: 501 })] },
    ],
  ];
  it.each(doubts)("is not one whose rule %s", (_, more) => {
    expect(resolvable(problems(), detection([], more), rules)).toEqual([]);
  });

  it("is one whose rule was blind or waiting elsewhere only", () => {
    const elsewhere = {
      blindEntities: new Map([["service-down", new Set(["athena-web"])]]),
      waitingKeys: new Set(["service:0000000000000000"]),
    };
    expect(resolvable(problems(), detection([], elsewhere), rules)).toHaveLength(1);
  });

  it("is none while anything waits, when nobody can tell on what", () => {
    const { waitingKeys: _, ...older } = detection([], {
      verdicts: [verdict("service-down", { waiting: 1 })],
    });
    expect(resolvable(problems(), older, rules)).toEqual([]);
  });

  it("is not one that was found, also by another rule", () => {
    const other = serviceFinding("openclaw-gateway", { rule: "unit-failed" });
    expect(resolvable(problems(), detection([other]), rules)).toEqual([]);
  });

  it("is none of a service that is not up yet, and is over without a message when a person stopped it", () => {
    const service = (more: Partial<Service>) => [serviceFact({ name: "openclaw-gateway", ...more })];
    const gone = (services: Service[]) =>
      resolvable(problems(), detection([]), rules, { service: services }).map(({ because }) => because);
    expect(gone(service({ status: "starting", activeState: "activating" }))).toEqual([]);
    expect(gone(service({ status: "stopping", activeState: "deactivating" }))).toEqual([]);
    expect(gone(service({ status: "up", activeState: "active" }))).toEqual(["not_found"]);
    expect(gone(service({ status: "waiting", activeState: "inactive" }))).toEqual(["not_found"]);
    expect(gone(service({ status: "stopped" }))).toEqual(["stopped"]);
    expect(gone(service({ status: "masked" }))).toEqual(["stopped"]);
    // Taken out of argus.json, failed or not.
    expect(gone([])).toEqual(["not_watched"]);
    expect(gone(service({ watched: false, status: "down" }))).toEqual(["not_watched"]);
  });

  it("is one whose rule is gone, and not one of several whose other rule cannot tell", () => {
    expect(resolvable(problems(), detection([]), new Set())).toEqual([
      { key: down.key, because: "rule_removed" },
    ]);
    const registry = open();
    registry.recordFindings(
      [down, serviceFinding("openclaw-gateway", { rule: "unit-failed" })],
      cycleAt(start + minute),
    );
    const blind = detection([], {
      verdicts: [verdict("service-down"), verdict("unit-failed", { verdict: "blind" })],
      blindEntities: new Map([["unit-failed", new Set(["*"])]]),
    });
    expect(resolvable(registry.problems().values(), blind, new Set(["service-down", "unit-failed"]))).toEqual(
      [],
    );
    expect(resolvable(registry.problems().values(), blind, rules)).toHaveLength(1);
  });
});

describe("the registry file", () => {
  it("passes over a torn and a foreign line, says so, and loses no other", () => {
    open().recordFindings([down], cycleAt(start));
    appendFileSync(join(stateDir, "problems.jsonl"), '{"hello":"world"}\n{"ts":"2026-02-19T23:3');
    const registry = open();
    expect(notes).toEqual([
      `2 lines of ${join(stateDir, "problems.jsonl")} could not be read (cut off by a crash, or not Argus's) and were passed over`,
    ]);
    expect(
      registry.recordFindings([down, serviceFinding("athena-web")], cycleAt(start + minute)),
    ).toHaveLength(1);
    const history = readHistory(files, stateDir);
    expect([...history.records()].map((record) => record.subject)).toEqual([
      "athena-web",
      "openclaw-gateway",
    ]);
    expect(history.passedOver()).toBe(2);
  });

  it("that cannot be written is an error that names it and the mend, and nothing counts as recorded", () => {
    const registry = open();
    mkdirSync(join(stateDir, "problems.jsonl"));
    expect(() => registry.recordFindings([down], cycleAt(start))).toThrow(
      `cannot record a problem in ${join(stateDir, "problems.jsonl")}: a folder stands there; move it out of the way`,
    );
    expect(() => open()).toThrow(`cannot read ${join(stateDir, "problems.jsonl")}: a folder stands there`);
    expect(registry.problems().size).toBe(0);
  });
});

describe("the fold", () => {
  const opened = findingRecord("opened", [down], cycleAt(start));
  const of = (...records: RegistryRecord[]) => foldProblems(records).get(down.key);

  it("takes an opening that is repeated while the problem is open for one", () => {
    const problem = of(opened, findingRecord("opened", [down], cycleAt(start + minute)));
    expect(problem).toMatchObject({ openedAt: opened.ts, openings: [opened.ts] });
  });

  it("lets what was carried over stand in for lines that were not read, and never overrule those that were", () => {
    const before = of(opened);
    const carried = before === undefined ? opened : carriedRecord(before);
    const resolved = {
      ...opened,
      event: "resolved" as const,
      ts: cycleAt(start + minute).ts,
      reason: "healed",
    };
    expect(of(carried)).toEqual(before);
    expect(of(carried, resolved)).toEqual(of(opened, resolved));
    expect(of(opened, resolved, carried)).toEqual(of(opened, resolved));
  });

  it("makes no problem of lines about one that nobody opened", () => {
    expect(of({ ...opened, event: "action" })).toBeUndefined();
    expect(of({ ...opened, event: "resolved" })).toBeUndefined();
    expect(of({ ...opened, event: "carried", evidence: { problem: { key: down.key } } })).toBeUndefined();
  });
});

/** One cycle of a property: which services are down, and whether the remedy works. */
const cycle = fc.record({
  down: fc.uniqueArray(fc.integer({ min: 0, max: 2 })),
  works: fc.boolean(),
  minutes: fc.integer({ min: 0, max: 700 }),
});

function play(
  cycles: readonly { down: number[]; works: boolean; minutes: number }[],
  limits: { maxBytes: number; keep: number },
) {
  let now = start;
  const registry = createRegistry({ files, stateDir, nowMs: () => now, note: () => undefined }, limits);
  for (const [index, { down: names, works, minutes }] of cycles.entries()) {
    now += minutes * minute;
    const at = cycleAt(now, `c${index}`);
    const findings = names.map((name) => serviceFinding(`unit-${name}`));
    registry.recordFindings(findings, at);
    registry.recordActions(
      findings.map((finding) => actionFor(finding, works ? {} : { result: "failure", detail: "failed" })),
      at,
    );
    registry.recordResolved(
      resolvable(registry.problems().values(), detection(findings), new Set(["service-down"])).map(
        (gone) => ({
          ...gone,
          goneAt: at.ts,
        }),
      ),
      at,
    );
  }
  return { registry, now };
}

const needed = (
  problems: Iterable<Parameters<typeof stillNeeded>[0] extends Iterable<infer P> ? P : never>,
  now: number,
) => stillNeeded(problems, now).sort((a, b) => (a.key < b.key ? -1 : 1));

describe("whatever happens", () => {
  it("open problems and the counts of a day are the same in memory, in the newest file, and in all files", () => {
    let rotations = 0;
    fc.assert(
      fc.property(
        fc.array(cycle, { minLength: 50, maxLength: 80 }),
        fc.integer({ min: 30_000, max: 40_000 }),
        (cycles, maxBytes) => {
          rmSync(stateDir, { recursive: true, force: true });
          mkdirSync(stateDir);
          const { registry, now } = play(cycles, { maxBytes, keep: 100 });
          if (existsSync(join(stateDir, "problems.jsonl.1"))) rotations += 1;
          const inMemory = needed(registry.problems().values(), now);
          expect(needed(readProblems(files, stateDir).problems.values(), now)).toEqual(inMemory);
          const all = [...readAllForward()];
          expect(needed(foldProblems(all).values(), now)).toEqual(inMemory);
        },
      ),
      { numRuns: 20, endOnFailure: true },
    );
    expect(rotations).toBeGreaterThan(0);
  });

  it("a problem opens and closes alternately", () => {
    fc.assert(
      fc.property(fc.array(cycle, { maxLength: 30 }), (cycles) => {
        rmSync(stateDir, { recursive: true, force: true });
        mkdirSync(stateDir);
        play(cycles, { maxBytes: 1e9, keep: 1 });
        const states = new Map<string, boolean>();
        for (const record of readAllForward()) {
          if (record.event !== "opened" && record.event !== "resolved") continue;
          expect(states.get(record.key) ?? false).toBe(record.event === "resolved");
          states.set(record.key, record.event === "opened");
        }
        const isOpenNow = [...readProblems(files, stateDir).problems.values()]
          .filter(isOpen)
          .map((problem) => problem.key);
        expect(isOpenNow.sort()).toEqual(
          [...states]
            .filter(([, openNow]) => openNow)
            .map(([key]) => key)
            .sort(),
        );
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });
});

function* readAllForward(): Generator<RegistryRecord> {
  for (let number = 200; number >= 0; number -= 1) {
    const text =
      files.tryRead(join(stateDir, number === 0 ? "problems.jsonl" : `problems.jsonl.${number}`)) ?? "";
    for (const line of text.split("\n").filter(Boolean)) {
      const record = parseRecord(line);
      if (record === null) throw new Error(`not a record: ${line}`);
      yield record;
    }
  }
}

describe("a registry file far larger than may be", () => {
  const limits = { maxBytes: 4000, keep: 2, mostCarriedBytes: 4000 };
  const filler = "x".repeat(5000);

  it("is rotated at start, and what was open stays open: it is not found a second time", () => {
    const registry = open();
    registry.recordFindings([down], cycleAt(start));
    registry.recordActions([actionFor(down, { type: "alert", target: null })], cycleAt(start));
    const before = registry.problems().get(down.key);
    const path = join(stateDir, "problems.jsonl");
    appendFileSync(path, `{"not": "of Argus", "${filler}": 1}\n{"torn`);
    const old = readFileSync(path, "utf8");
    const next = open(start + minute, limits);
    expect(readFileSync(`${path}.1`, "utf8")).toBe(`${old}\n`);
    expect(lines().map(({ event, key }) => [event, key])).toEqual([["carried", down.key]]);
    expect(next.problems().get(down.key)).toEqual(before);
    expect(next.recordFindings([down], cycleAt(start + minute))).toEqual([]);
    const again = open(start + minute, limits);
    expect(again.problems().get(down.key)).toEqual(before);
    expect(existsSync(`${path}.2`)).toBe(false);
    const told = [...readHistory(files, stateDir).records()].map(({ event }) => event);
    expect(told).toEqual(["action", "opened"]);
  });

  it("carries all that is open, also when that is more than the file may have, and does not rotate for it", () => {
    const many = Array.from({ length: 8 }, (_, number) => serviceFinding(`unit-${number}`));
    open().recordFindings(many, cycleAt(start));
    const path = join(stateDir, "problems.jsonl");
    appendFileSync(path, `${filler}\n`);
    const wide = { maxBytes: 4000, keep: 2, mostCarriedBytes: 20_000 };
    expect(isOpenIn(open(start, wide))).toEqual(8);
    expect(readFileSync(path, "utf8").length).toBeGreaterThan(4000);
    const next = open(start, wide);
    next.recordFindings([serviceFinding("another")], cycleAt(start));
    expect(isOpenIn(open(start, wide))).toEqual(9);
    expect(existsSync(`${path}.2`)).toBe(false);
  });

  it("says how many of the open ones do not fit", () => {
    const many = Array.from({ length: 20 }, (_, number) => serviceFinding(`unit-${number}`));
    open().recordFindings(many, cycleAt(start));
    open(start, limits);
    const left = Number(/^(\d+) open problems do not fit into the new /.exec(notes.at(-1) ?? "")?.[1]);
    expect(left + isOpenIn(open(start, limits))).toBe(20);
    expect(left).toBeGreaterThan(0);
  });

  const isOpenIn = (registry: ReturnType<typeof open>) =>
    [...registry.problems().values()].filter(isOpen).length;
});
