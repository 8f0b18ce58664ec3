/** The cycle as a whole, on the real machine with a state directory of its own. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createParts, openBook } from "../src/cli/parts.ts";
import { loadConfig } from "../src/config.ts";
import { type Parts, runCycle, type Trigger } from "../src/cycle.ts";
import { createSystem } from "../src/system/machine.ts";
import type { System } from "../src/system/system.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const rule = (more: object) => ({
  name: "always",
  description: "Holds on every machine",
  conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
  event: {
    type: "check",
    params: { condition: "always", severity: "warning", subject: "cores", summary: "there are cores" },
  },
  ...more,
});

/** Only the one rule is in force. */
function partsWith(given: object, change: (system: System) => System = (system) => system) {
  const dir = mkdtempSync(join(tmpdir(), "argus-cycle-"));
  dirs.push(dir);
  for (const folder of ["rules", "none"]) mkdirSync(join(dir, folder));
  for (const folder of ["state", "logs"]) mkdirSync(join(dir, folder), { mode: 0o700 });
  writeFileSync(join(dir, "rules", "mine.json"), JSON.stringify({ rules: [rule(given)] }));
  // What this machine has for tickets is no part of it.
  writeFileSync(join(dir, "argus.json"), JSON.stringify({ tickets: { enabled: false } }));
  const system = change(createSystem());
  const env = {
    ARGUS_CONFIG: join(dir, "argus.json"),
    ARGUS_RULES_DIR: join(dir, "rules"),
    ARGUS_LOCAL_RULES_DIR: join(dir, "none"),
    ARGUS_STATE_DIR: join(dir, "state"),
    ARGUS_LOG_DIR: join(dir, "logs"),
    ANTHROPIC_API_KEY: "sk-test",
    ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
  };
  const config = loadConfig({ system, env, workingDir: dir, programDir: resolve(".") });
  return { dir, parts: createParts(system, config, openBook(system, config)) };
}

const cycle = (parts: Parts, trigger: Trigger = "schedule") =>
  runCycle(parts, trigger, new AbortController().signal);

describe("with less than 100 MB free for the state", () => {
  const short =
    (availableBytes: number) =>
    (system: System): System => ({
      ...system,
      files: {
        ...system.files,
        statfs: async (path) => ({ ...(await system.files.statfs(path)), availableBytes }),
      },
    });

  it("the model is not asked, the history is not written, and people are told all the same", async () => {
    const { dir, parts } = partsWith({}, short(99_999_999));
    const trail = await cycle(parts);
    expect(trail.cycle.model).toMatchObject({ asked: false, why: "disk_guard" });
    expect(trail.notes).toEqual([
      `less than 100 MB are free for ${dir}/state: history is not written, and the model is not asked`,
    ]);
    expect(existsSync(join(dir, "state", "history"))).toBe(false);
    expect(trail.actions).toMatchObject([{ type: "alert", result: "success" }]);
  });

  it("and not a byte before that", async () => {
    const { dir, parts } = partsWith({}, short(100_000_000));
    expect((await cycle(parts)).cycle.model.why).toBe("asked");
    expect(existsSync(join(dir, "state", "history", "snapshot.json"))).toBe(true);
  });
});

describe("a rule that waits for two scheduled cycles", () => {
  it("fires in the second one; wake-ups bring it no nearer, however many there are", async () => {
    const { parts } = partsWith({ for: { cycles: 2 } });
    expect((await cycle(parts)).findings).toEqual([]);
    for (let wake = 0; wake < 5; wake += 1) expect((await cycle(parts, "wake")).findings).toEqual([]);
    expect((await cycle(parts)).findings).toMatchObject([{ rule: "always", held: { cycles: 2 } }]);
    expect((await cycle(parts, "wake")).findings).toHaveLength(1);
  });
});

it("one outage is one problem, opened once, whatever the number of cycles", async () => {
  const { parts } = partsWith({});
  const first = await cycle(parts);
  expect(first.problems.opened).toHaveLength(1);
  for (let again = 0; again < 3; again += 1) {
    const next = await cycle(parts);
    expect(next.problems).toMatchObject({ opened: [], resolved: [], open: first.problems.opened });
    expect(next.actions).toMatchObject([{ type: "alert", result: "suppressed", refusal: "duplicate" }]);
  }
});
