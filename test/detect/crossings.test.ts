/** Which thresholds of the rules are crossed between two looks at memory, pressure, swap and disks. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createCrossings } from "../../src/detect/crossings.ts";
import { openRuleBook } from "../../src/detect/rule-book.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { PulseFacts } from "../../src/types/pulse.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function rulesOf(...rules: object[]) {
  const dir = mkdtempSync(join(tmpdir(), "argus-crossings-"));
  dirs.push(dir);
  writeFileSync(join(dir, "mine.json"), JSON.stringify({ rules }));
  const book = openRuleBook(createSystem().files, { rulesDir: dir, localRulesDir: "/nonexistent" });
  expect(book.faults()).toEqual([]);
  return book.rules();
}

const leaf = (fact: string, path: string, operator: string, value: unknown) => ({
  fact,
  path,
  operator,
  value,
});
const above = (fact: string, path: string, value: number) => leaf(fact, path, "greaterThan", value);

const rule = (name: string, conditions: object, more: object = {}) => ({
  name,
  description: "A threshold",
  conditions,
  event: {
    type: "disk",
    params: { condition: name, severity: "warning", subject: "x", summary: "x" },
  },
  ...more,
});

/** All other figures of the facts play no part. */
const facts = (
  usedPercent: number | null,
  disks: Record<string, number> | null = {},
  swapPercent = 0,
): PulseFacts =>
  ({
    memory: { usedPercent, limitedByCgroup: false, hog: null },
    swap: { usedPercent: swapPercent },
    ...(disks === null
      ? {}
      : { disk: Object.entries(disks).map(([mount, percent]) => ({ mount, usedPercent: percent })) }),
  }) as unknown as PulseFacts;

const memoryMine = rule("memory-mine", above("memory", "usedPercent", 70));
const diskMine = rule("disk-mine", above("disk", "usedPercent", 50), { forEach: "disk" });
const memoryCrossed = (now: number) => `memory usedPercent crossed 70 (now ${now})`;

/** What the looks at these values of memory come to, five seconds apart. */
function told(rules: ReturnType<typeof rulesOf>, values: readonly (number | null)[]): string[] {
  const crossings = createCrossings();
  return values.flatMap((value, index) => crossings.look(rules, facts(value), index * 5_000));
}

describe("crossings", () => {
  it("are told when a value passes a rule's own threshold, on the disk where it does", () => {
    const rules = rulesOf(memoryMine, diskMine);
    const crossings = createCrossings();
    expect(crossings.look(rules, facts(60, { "/": 40, "/srv": 40 }), 0)).toEqual([]);
    expect(crossings.look(rules, facts(71, { "/": 40, "/srv": 51.26 }), 5_000)).toEqual([
      "disk /srv usedPercent crossed 50 (now 51.3)",
      memoryCrossed(71),
    ]);
    expect(crossings.look(rules, facts(90, { "/": 40, "/srv": 99 }), 10_000)).toEqual([]);
  });

  it("are told once for several rules with the same threshold", () => {
    expect(told(rulesOf(memoryMine, { ...memoryMine, name: "memory-too" }), [60, 80])).toHaveLength(1);
  });

  it("are not told for what was passed at the first look", () => {
    expect(told(rulesOf(memoryMine), [99, 99])).toEqual([]);
  });

  it("are told of a disk that is full when it is mounted, and not of one that was silent for a while", () => {
    const rules = rulesOf(diskMine);
    const crossings = createCrossings();
    expect(crossings.look(rules, facts(0, { "/": 99, "/srv": 40 }), 0)).toEqual([]);
    expect(crossings.look(rules, facts(0, null), 5_000)).toEqual([]);
    expect(crossings.look(rules, facts(0, { "/": 99, "/srv": 60 }), 10_000)).toEqual([
      "disk /srv usedPercent crossed 50 (now 60)",
    ]);
    expect(crossings.look(rules, facts(0, { "/": 99, "/srv": 60, "/usb": 99 }), 15_000)).toEqual([
      "disk /usb usedPercent crossed 50 (now 99)",
    ]);
  });

  it("are not told of a figure that was away for a while", () => {
    expect(told(rulesOf(memoryMine), [80, null, 80])).toEqual([]);
    expect(told(rulesOf(memoryMine), [60, null, 80])).toEqual([memoryCrossed(80)]);
  });

  it("are not told of a rule that is new: the cycle that read it has looked", () => {
    const crossings = createCrossings();
    crossings.look(rulesOf(diskMine), facts(80), 0);
    expect(crossings.look(rulesOf(memoryMine), facts(80), 5_000)).toEqual([]);
  });

  it("are none where the rest of the rule does not hold anyway", () => {
    const between = rule("memory-between", {
      all: [above("memory", "usedPercent", 70), leaf("memory", "usedPercent", "lessThan", 80)],
    });
    expect(told(rulesOf(between), [60, 90])).toEqual([]);
    expect(told(rulesOf(between), [60, 75])).toEqual([memoryCrossed(75)]);
    expect(told(rulesOf(between), [90, 75])).toEqual(["memory usedPercent crossed 80 (now 75)"]);
    const elsewhere = rule(
      "disk-srv",
      { all: [leaf("disk", "mount", "equal", "/srv"), above("disk", "usedPercent", 50)] },
      { forEach: "disk" },
    );
    const rules = rulesOf(elsewhere);
    const crossings = createCrossings();
    crossings.look(rules, facts(0, { "/": 40, "/srv": 40 }), 0);
    expect(crossings.look(rules, facts(0, { "/": 60, "/srv": 60 }), 5_000)).toEqual([
      "disk /srv usedPercent crossed 50 (now 60)",
    ]);
  });

  it("are told although the rest of the rule cannot be told by the pulse", () => {
    const load = above("load", "perCore", 2);
    const hog = leaf("memory", "hog.killable", "equal", true);
    const memory = above("memory", "usedPercent", 70);
    for (const conditions of [
      { all: [memory, load] },
      { any: [load, memory] },
      { all: [memory, hog] },
      { all: [{ any: [load, above("memory", "usedPercent", 99)] }, memory] },
    ])
      expect(told(rulesOf(rule("memory-and", conditions)), [60, 80])).toEqual([memoryCrossed(80)]);
  });

  it("are told the other way round below a not", () => {
    const conditions = { not: leaf("memory", "usedPercent", "lessThanInclusive", 70) };
    const rules = rulesOf(rule("memory-not", conditions));
    expect(told(rules, [60, 80])).toEqual([memoryCrossed(80)]);
    expect(told(rules, [80, 60])).toEqual([]);
  });

  it("are told of a threshold that is another figure, and of swap", () => {
    const value = { fact: "swap", path: "usedPercent" };
    const rules = rulesOf(rule("memory-swap", leaf("memory", "usedPercent", "greaterThan", value)));
    const crossings = createCrossings();
    crossings.look(rules, facts(30, {}, 50), 0);
    expect(crossings.look(rules, facts(30, {}, 20), 5_000)).toEqual([
      "memory usedPercent crossed 20 (now 30)",
    ]);
  });

  it("are none for rules that a wake-up cannot set off, or whose figures the pulse does not have", () => {
    const memory = above("memory", "usedPercent", 70);
    const rules = rulesOf(
      rule("memory-long", memory, { for: { cycles: 3 } }),
      rule("memory-minutes", memory, { for: { minutes: 5 } }),
      rule("load-mine", above("load", "one", 1)),
      rule("swap-rate", above("swap", "thrashMegabytesPerSecond", 1)),
    );
    expect(told(rules, [60, 80])).toEqual([]);
    const atOnce = rulesOf(rule("memory-at-once", memory, { for: { cycles: 1 } }));
    expect(told(atOnce, [60, 80])).toEqual([memoryCrossed(80)]);
  });

  it("name the facts that have to be read for them", () => {
    const watches = (...rules: object[]) => [...createCrossings().watches(rulesOf(...rules))].sort();
    expect(watches(rule("load-mine", above("load", "one", 1)))).toEqual([]);
    const swap = above("swap", "usedPercent", 50);
    const mount = leaf("disk", "mount", "equal", "/");
    const both = rule("disk-swap", { all: [mount, swap] }, { forEach: "disk" });
    expect(watches(memoryMine, both)).toEqual(["disk", "memory", "swap"]);
  });

  it("cover the shipped rules about full disks and memory", () => {
    const book = openRuleBook(createSystem().files, {
      rulesDir: resolve("rules"),
      localRulesDir: "/nonexistent",
    });
    expect(book.faults()).toEqual([]);
    const crossings = createCrossings();
    crossings.look(book.rules(), facts(10, { "/": 10 }), 0);
    expect(crossings.look(book.rules(), facts(99.9, { "/": 99.9 }), 5_000)).toEqual([
      "disk / usedPercent crossed 90 (now 99.9)",
      "memory usedPercent crossed 90 (now 99.9)",
    ]);
  });
});

describe("a value that swings around its threshold", () => {
  it("is told once in five minutes", () => {
    const swings = Array.from({ length: 121 }, (_, look) => (look % 2 === 0 ? 60 : 80));
    expect(told(rulesOf(memoryMine), swings)).toHaveLength(2);
  });

  it("is told again when a cycle of the schedule saw it back below; a wake-up's own cycle does not count", () => {
    const rules = rulesOf(memoryMine);
    const crossings = createCrossings();
    const swing = (atMs: number) => {
      crossings.look(rules, facts(60), atMs);
      return crossings.look(rules, facts(80), atMs + 5_000);
    };
    expect(swing(0)).toHaveLength(1);
    expect(swing(10_000)).toEqual([]);
    crossings.leaveToCycle(rules, facts(60), false);
    expect(swing(20_000)).toEqual([]);
    crossings.leaveToCycle(rules, facts(80), true);
    expect(swing(30_000)).toEqual([]);
    crossings.leaveToCycle(rules, facts(60), true);
    expect(swing(40_000)).toHaveLength(1);
  });

  it("is left to the cycle that begins while it is passed", () => {
    const rules = rulesOf(memoryMine);
    const crossings = createCrossings();
    crossings.look(rules, facts(60), 0);
    crossings.leaveToCycle(rules, facts(80), true);
    expect(crossings.look(rules, facts(80), 5_000)).toEqual([]);
  });
});
