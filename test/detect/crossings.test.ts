/** Which rules a look at memory, pressure and disks may have set off. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createCrossings } from "../../src/detect/crossings.ts";
import { openRuleBook } from "../../src/detect/rule-book.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { Facts } from "../../src/types/snapshot.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function rulesOf(...rules: object[]) {
  const dir = mkdtempSync(join(tmpdir(), "argus-crossings-"));
  dirs.push(dir);
  writeFileSync(join(dir, "mine.json"), JSON.stringify({ rules }));
  const opened = openRuleBook(createSystem().files, { rulesDir: dir, localRulesDir: "/nonexistent" });
  if ("faults" in opened) throw new Error(JSON.stringify(opened.faults));
  return opened.book.rules();
}

const rule = (name: string, fact: string, path: string, value: number, more: object = {}) => ({
  name,
  description: "A threshold",
  conditions: { all: [{ fact, path, operator: "greaterThan", value }] },
  event: {
    type: "disk",
    params: { condition: name, severity: "warning", subject: "x", summary: "x" },
  },
  ...more,
});

const facts = (usedPercent: number, disks: Record<string, number> = {}) =>
  ({
    memory: { usedPercent },
    disk: Object.entries(disks).map(([mount, percent]) => ({ mount, usedPercent: percent })),
  }) as unknown as Facts;

describe("crossings", () => {
  it("are told when a value passes a rule's own threshold, on the disk where it does", () => {
    const rules = rulesOf(
      rule("memory-mine", "memory", "usedPercent", 70),
      rule("disk-mine", "disk", "usedPercent", 50, { forEach: "disk" }),
    );
    const crossings = createCrossings();
    expect(crossings.look(rules, facts(60, { "/": 40, "/srv": 40 }), 0)).toEqual([]);
    expect(crossings.look(rules, facts(71, { "/": 40, "/srv": 51 }), 5_000)).toEqual([
      "disk-mine may fire on /srv",
      "memory-mine may fire",
    ]);
    expect(crossings.look(rules, facts(90, { "/": 40, "/srv": 99 }), 10_000)).toEqual([]);
  });

  it("are not told for what was high at the first look", () => {
    const rules = rulesOf(rule("memory-mine", "memory", "usedPercent", 70));
    const crossings = createCrossings();
    expect(crossings.look(rules, facts(99), 0)).toEqual([]);
    expect(crossings.look(rules, facts(99), 5_000)).toEqual([]);
  });

  it("are told once in five minutes of a value that swings", () => {
    const rules = rulesOf(rule("memory-mine", "memory", "usedPercent", 70));
    const crossings = createCrossings();
    let told = 0;
    for (let ms = 0; ms <= 600_000; ms += 5_000)
      told += crossings.look(rules, facts(ms % 10_000 === 0 ? 60 : 80), ms).length;
    expect(told).toBe(2);
  });

  it("are none for rules that a wake-up cannot set off, or that look at more than the pulse does", () => {
    const rules = rulesOf(
      rule("memory-long", "memory", "usedPercent", 70, { for: { cycles: 3 } }),
      rule("memory-minutes", "memory", "usedPercent", 70, { for: { minutes: 5 } }),
      rule("load-mine", "load", "one", 1),
      rule("memory-at-once", "memory", "usedPercent", 70, { for: { cycles: 1 } }),
    );
    const crossings = createCrossings();
    crossings.look(rules, facts(60), 0);
    expect(crossings.look(rules, facts(80), 5_000)).toEqual(["memory-at-once may fire"]);
  });

  it("cover the shipped rules about full disks and memory", () => {
    const opened = openRuleBook(createSystem().files, {
      rulesDir: resolve("rules"),
      localRulesDir: "/nonexistent",
    });
    if ("faults" in opened) throw new Error("the shipped rules cannot be read");
    const crossings = createCrossings();
    crossings.look(opened.book.rules(), facts(10, { "/": 10 }), 0);
    const told = crossings.look(opened.book.rules(), facts(99.9, { "/": 99.9 }), 5_000);
    expect(told).toContain("disk-full may fire on /");
  });
});
