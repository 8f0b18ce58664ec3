import { appendFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTrail, readTrail } from "../../src/record/trail.ts";
import { createFiles } from "../../src/system/files.ts";
import type { TrailCycle, TrailFinding } from "../../src/types/trail.ts";
import { serviceFinding, temporaryDir } from "./samples.ts";

const files = createFiles("/");
let stateDir: string;
beforeEach(() => {
  stateDir = temporaryDir();
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

function trailFinding(name: string): TrailFinding {
  const { expect: _, priority: __, actions: ___, resolves: resolved, ...finding } = serviceFinding(name);
  return { ...finding, evidence: [...finding.evidence], resolved, why: "its remedy was applied" };
}

function cycle(id: string, findings: TrailFinding[] = [], more: Partial<TrailCycle> = {}): TrailCycle {
  return {
    version: 1,
    kind: "cycle",
    cycle: {
      id,
      ts: "2026-02-19T23:30:00Z",
      trigger: "schedule",
      duration_ms: 12,
      dry_run: false,
      host: "landmass",
      model: { asked: false, why: "nothing_found", detail: "no rule fired" },
    },
    collectors: [],
    findings,
    actions: [],
    rules: { total: 3, quiet: 3, verdicts: [] },
    problems: { opened: [], resolved: [], open: [] },
    notes: [],
    ...more,
  };
}

const path = () => join(stateDir, "trail.jsonl");
const reader = () => readTrail(files, stateDir);
const ids = (cycles: Iterable<TrailCycle>) => [...cycles].map((each) => each.cycle.id);

describe("the trail", () => {
  it("is read newest first, through its rotated files", () => {
    const trail = createTrail(files, stateDir, () => {}, { maxBytes: 1500, keep: 2 });
    for (let number = 0; number < 12; number += 1) trail.append(cycle(`c${number}`));
    const read = ids(reader().cycles());
    expect(read.slice(0, 3)).toEqual(["c11", "c10", "c9"]);
    expect(files.stat(`${path()}.2`)).not.toBeNull();
    expect(files.stat(`${path()}.3`)).toBeNull();
    expect(read).toEqual([...read].sort((a, b) => Number(b.slice(1)) - Number(a.slice(1))));
  });

  it("finds the newest cycle, and the newest in which anything was found", () => {
    const trail = createTrail(files, stateDir);
    expect([reader().newest(), reader().newestWithFindings()]).toEqual([null, null]);
    trail.append(cycle("a", [trailFinding('a "findings":[] b')]));
    trail.append(cycle("b"));
    expect(reader().newest()?.cycle.id).toBe("b");
    expect(reader().newestWithFindings()?.cycle.id).toBe("a");
  });

  it("finds a cycle by its id, or by as much of its beginning as is unique", () => {
    const trail = createTrail(files, stateDir);
    for (const id of ["20260219-a1", "20260219-a2", "20260220-b1", "20260220-b1x"]) trail.append(cycle(id));
    expect(reader().byCycle("20260219-a1")).toMatchObject({
      kind: "one",
      cycle: { cycle: { id: "20260219-a1" } },
    });
    expect(reader().byCycle("20260219-a")).toEqual({ kind: "several", ids: ["20260219-a2", "20260219-a1"] });
    expect(reader().byCycle("20260220-b1")).toMatchObject({
      kind: "one",
      cycle: { cycle: { id: "20260220-b1" } },
    });
    expect(reader().byCycle("2027")).toEqual({ kind: "none" });
    expect(reader().byCycle('"')).toEqual({ kind: "none" });
  });

  it("finds the cycles of a problem: found, acted upon, opened, open or resolved", () => {
    const trail = createTrail(files, stateDir);
    const { key } = trailFinding("openclaw-gateway");
    trail.append(cycle("found", [trailFinding("openclaw-gateway")]));
    trail.append(cycle("other", [trailFinding("athena-web")], { notes: [`"${key}"`] }));
    trail.append(cycle("resolved", [], { problems: { opened: [], resolved: [key], open: [] } }));
    expect(ids(reader().byProblem(key))).toEqual(["resolved", "found"]);
  });

  it("passes over torn and foreign lines, and says how many", () => {
    createTrail(files, stateDir).append(cycle("a"));
    appendFileSync(path(), '{"kind":"other"}\n{"version":1,"kind":"cycle","cycle":{"id":"torn","find');
    createTrail(files, stateDir).append(cycle("b"));
    const trail = reader();
    expect(trail.passedOver()).toBeNull();
    expect(ids(trail.cycles())).toEqual(["b", "a"]);
    expect(ids(trail.cycles())).toEqual(["b", "a"]);
    expect(trail.passedOver()).toBe(
      `2 lines of ${path()} could not be read (cut off by a crash, or not Argus's) and were passed over`,
    );
  });

  it("tells no cycle twice when the file is rotated while it is read", () => {
    createTrail(files, stateDir).append(cycle("a"));
    createTrail(files, stateDir).append(cycle("b"));
    const cycles = reader().cycles();
    expect(cycles.next().value?.cycle.id).toBe("b");
    renameSync(path(), `${path()}.1`);
    createTrail(files, stateDir).append(cycle("c"));
    expect(ids(cycles)).toEqual(["a"]);
  });

  it("that cannot be written is an error with the mend", () => {
    files.makeDirectory(path());
    expect(() => createTrail(files, stateDir).append(cycle("a"))).toThrow(
      `cannot write the trail ${path()}: a folder stands there; move it out of the way`,
    );
  });
});
