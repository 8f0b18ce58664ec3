/** Rules times entities: the cost of judging, alone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { detect } from "../src/detect/detect.ts";
import { loadRules } from "../src/detect/load.ts";
import { createSystem } from "../src/system/machine.ts";
import type { Process } from "../src/types/facts.ts";
import { type Cost, measure } from "./measure.ts";

function processes(count: number): Process[] {
  return Array.from({ length: count }, (_, index) => ({
    pid: 1000 + index,
    startTime: 5000 + index,
    parentPid: 1,
    user: "dev",
    name: "worker",
    executable: index % 7 === 0 ? "node" : "worker",
    executablePath: "/usr/bin/worker",
    commandLine: `worker --id ${index}`,
    arguments: ["worker", "--id", String(index)],
    runtimeOptions: [],
    state: "S",
    terminal: null,
    sessionId: 1000 + index,
    rssBytes: 4_000_000 + index * 1000,
    rssGrowthPerHour: null,
    swapBytes: 0,
    cpuPercent: index % 100,
    ageSeconds: index,
    unit: null,
    container: null,
    orphan: index % 500 === 0,
    abandoned: index % 500 === 0,
    abandonedBecause: null,
    agent: null,
    killable: index % 7 === 0,
    notKillableBecause: null,
  }));
}

const rule = (index: number) => ({
  name: `bench-${index}`,
  description: "Three conditions on a process, of which few processes meet the first",
  forEach: "process",
  conditions: {
    all: [
      { fact: "process", path: "orphan", operator: "equal", value: true },
      { fact: "process", path: "executable", operator: "equal", value: `program-${index}` },
      { fact: "process", path: "ageSeconds", operator: "greaterThan", value: index },
    ],
  },
  event: {
    type: "process",
    params: {
      condition: "bench",
      severity: "info",
      subject: "{{process.name}}",
      summary: "{{process.name}}",
    },
  },
});

export async function judgeCost(rules: number, entities: number, runs: number): Promise<Cost> {
  const dir = mkdtempSync(join(tmpdir(), "argus-bench-rules-"));
  try {
    writeFileSync(
      join(dir, "bench.json"),
      JSON.stringify({ rules: Array.from({ length: rules }, (_, index) => rule(index)) }),
    );
    const system = createSystem();
    const loaded = loadRules(system.files, { rulesDir: dir, localRulesDir: join(dir, "none") });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults[0]));
    const facts = { process: processes(entities) };
    const now = system.clock.now();
    const problemOf = () => ({ occurrences24h: 0, openSeconds: 0 });
    return await measure(runs, () =>
      detect({
        rules: loaded.set,
        facts,
        streaks: new Map(),
        problemOf,
        now,
        scheduled: true,
        maxGapSeconds: 3600,
      }),
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
