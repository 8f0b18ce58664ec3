/** Days of trouble through the whole cycle, on a clock of their own: how many messages people get, and which. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createParts, openBook } from "../src/cli/parts.ts";
import { loadConfig } from "../src/config.ts";
import { type Parts, runCycle } from "../src/cycle.ts";
import { createSystem } from "../src/system/machine.ts";
import type { System } from "../src/system/system.ts";
import type { OutboxMessage } from "../src/types/action.ts";
import type { Endpoint, Service } from "../src/types/facts.ts";
import type { Facts } from "../src/types/snapshot.ts";
import { serviceFact } from "./escalate/samples.ts";
import { manualClock } from "./execute/support.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

interface World {
  readonly clock: ReturnType<typeof manualClock>;
  /** One cycle that sees this, and then time passes. */
  look(facts: Facts, seconds: number): Promise<void>;
  /** As a restart of Argus would. */
  restart(): void;
  messages(): OutboxMessage[];
  parts(): Parts;
}

function world(): World {
  const dir = mkdtempSync(join(tmpdir(), "argus-outages-"));
  dirs.push(dir);
  mkdirSync(join(dir, "none"));
  for (const folder of ["state", "logs"]) mkdirSync(join(dir, folder), { mode: 0o700 });
  writeFileSync(join(dir, "argus.json"), "{}");
  const real = createSystem({ path: join(dir, "none") });
  const clock = manualClock();
  const { files } = real;
  const system: System = {
    ...real,
    clock: { ...clock, sleep: real.clock.sleep },
    // No power is lost here, and a day has thousands of cycles.
    files: {
      ...files,
      writeAtomic: (path, text, options) => files.writeAtomic(path, text, { ...options, durable: false }),
      append: (path, text) => files.append(path, text, { durable: false }),
    },
  };
  const env = {
    ARGUS_CONFIG: join(dir, "argus.json"),
    ARGUS_LOCAL_RULES_DIR: join(dir, "none"),
    ARGUS_STATE_DIR: join(dir, "state"),
    ARGUS_LOG_DIR: join(dir, "logs"),
    ARGUS_INTERVAL: "30",
  };
  const config = loadConfig({ system, env, workingDir: dir, programDir: resolve(".") });
  const make = () => createParts(system, config, openBook(system, config));
  let parts = make();
  return {
    clock,
    parts: () => parts,
    restart: () => {
      parts = make();
    },
    async look(facts, seconds) {
      const { uptimeSeconds, bootId } = clock.now();
      const host = { name: "landmass", bootId, uptimeSeconds, cores: 4 };
      const collector: Parts["collector"] = {
        collect: async (self) => ({ takenAt: "", collectors: [], facts: { host, self, ...facts } }),
      };
      await runCycle({ ...parts, collector }, "schedule", new AbortController().signal);
      clock.advance(seconds);
    },
    messages: () =>
      readdirSync(join(dir, "state", "outbox"))
        .filter((name) => name.endsWith(".json"))
        .sort()
        .map((name) => JSON.parse(readFileSync(join(dir, "state", "outbox", name), "utf8"))),
  };
}

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
      /^landmass: RECOVERED web .*\nOver after 23 h \d+ min\. Argus did nothing about it\.\nargus explain endpoint:[0-9a-f]{16}$/,
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
      "RECOVERED",
      "CRITICAL",
      "RECOVERED",
    ]);
  });

  it("that comes and goes for six hours is at most eight messages, which say so, and its end is told when it is calm", async () => {
    const its = world();
    for (let minute = 0; minute < 360; minute += 1) {
      for (const ok of [false, false, true]) await its.look(web(ok), 20);
    }
    for (let minute = 0; minute < 120; minute += 1) await its.look(web(true), 60);
    expect(its.messages().length).toBeLessThanOrEqual(8);
    expect(texts(its).some((text) => /It comes and goes: \d+ times within the last hour\./.test(text))).toBe(
      true,
    );
    expect(texts(its).at(-1)).toMatch(/RECOVERED .*\nOver after .*, and has been calm since\./);
    expect(texts(its).filter((text) => text.includes("RECOVERED")).length).toBeLessThanOrEqual(3);
  }, 120_000);
});

describe("many at once", () => {
  it("50 units that fail together are one message, and one when they are back", async () => {
    const its = world();
    const all = (state: string): Facts => ({
      service: Array.from({ length: 50 }, (_, index) => unit(`app-${index}`, state)),
    });
    for (let cycle = 0; cycle < 4; cycle += 1) await its.look(all("failed"), 30);
    expect(its.messages()).toHaveLength(1);
    expect(texts(its)[0]).toMatch(/^landmass: 50 warning|^landmass: 50 critical/);
    for (let cycle = 0; cycle < 4; cycle += 1) await its.look(all("active"), 30);
    expect(its.messages()).toHaveLength(2);
    expect(texts(its)[1]).toMatch(/^landmass: 50 recovered/);
  });
});

describe("a reboot", () => {
  it("is no alarm about what is back within the boot grace, and one about what is not", async () => {
    const its = world();
    await its.look({ service: [unit("db", "active"), unit("app", "active")] }, 30);
    its.clock.reboot();
    for (let cycle = 0; cycle < 3; cycle += 1)
      await its.look({ service: [unit("db", "failed"), unit("app", "failed")] }, 30);
    for (let cycle = 0; cycle < 4; cycle += 1)
      await its.look({ service: [unit("db", "active"), unit("app", "failed")] }, 30);
    expect(its.messages()).toHaveLength(1);
    expect(texts(its)[0]).toContain("app");
    expect(texts(its)[0]).not.toContain("db");
  });
});
