/** The whole cycle on a clock of its own, against real files and, where a test brings them, real programs. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach } from "vitest";
import { createParts, openBook } from "../../src/cli/parts.ts";
import { loadConfig } from "../../src/config.ts";
import { type Parts, runCycle } from "../../src/cycle.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { System } from "../../src/system/system.ts";
import { settleTickets, type TicketNews } from "../../src/tickets.ts";
import type { OutboxMessage } from "../../src/types/action.ts";
import type { Config } from "../../src/types/settings.ts";
import type { Facts } from "../../src/types/snapshot.ts";
import type { TrailCycle } from "../../src/types/trail.ts";
import { manualClock } from "../execute/support.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** Removed after the test. */
export function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "argus-world-"));
  dirs.push(dir);
  return dir;
}

export interface Wishes {
  readonly dir?: string;
  /** Search path for programs; none is found when left out. */
  readonly path?: string;
  /** argus.json. */
  readonly settings?: object;
  /** Rules in place of the shipped ones. */
  readonly rules?: readonly object[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface World {
  readonly dir: string;
  readonly stateDir: string;
  readonly config: Config;
  readonly system: System;
  readonly clock: ReturnType<typeof manualClock>;
  /** One scheduled cycle that sees this, and then time passes; what is due meanwhile looks again at the same. */
  look(facts: Facts, seconds: number, parts?: Partial<Parts>): Promise<TrailCycle>;
  /** What follows a cycle: the tracker is told. */
  settle(withinMs?: number): Promise<TicketNews | null>;
  /** As a restart of Argus would. */
  restart(): void;
  messages(): OutboxMessage[];
  parts(): Parts;
}

export function world({ dir = folder(), path, settings = {}, rules, env = {} }: Wishes = {}): World {
  mkdirSync(join(dir, "none"), { recursive: true });
  for (const name of ["state", "logs"]) mkdirSync(join(dir, name), { mode: 0o700, recursive: true });
  writeFileSync(join(dir, "argus.json"), JSON.stringify(settings));
  if (rules !== undefined) {
    mkdirSync(join(dir, "rules"), { recursive: true });
    writeFileSync(join(dir, "rules", "own.json"), JSON.stringify({ rules }));
  }
  const real = createSystem({ path: path ?? join(dir, "none") });
  const clock = manualClock();
  const { files } = real;
  const system: System = {
    ...real,
    clock: { ...clock, sleep: real.clock.sleep },
    // No power is lost here, and a day has thousands of cycles.
    files: {
      ...files,
      writeAtomic: (at, text, options) => files.writeAtomic(at, text, { ...options, durable: false }),
      append: (at, text) => files.append(at, text, { durable: false }),
    },
  };
  const stateDir = join(dir, "state");
  const config = loadConfig({
    system,
    env: {
      ARGUS_CONFIG: join(dir, "argus.json"),
      ...(rules === undefined ? {} : { ARGUS_RULES_DIR: join(dir, "rules") }),
      ARGUS_LOCAL_RULES_DIR: join(dir, "none"),
      ARGUS_STATE_DIR: stateDir,
      ARGUS_LOG_DIR: join(dir, "logs"),
      ARGUS_INTERVAL: "30",
      ...env,
    },
    workingDir: dir,
    programDir: resolve("."),
  });
  const signal = new AbortController().signal;
  const make = () => createParts(system, config, openBook(system, config));
  let parts = make();
  return {
    dir,
    stateDir,
    config,
    system,
    clock,
    parts: () => parts,
    restart: () => {
      parts = make();
    },
    async look(facts, seconds, more = {}) {
      const { uptimeSeconds, bootId } = clock.now();
      const host = { name: "landmass", bootId, uptimeSeconds, cores: 4 };
      const collector: Parts["collector"] = {
        collect: async (self) => ({ takenAt: "", collectors: [], facts: { host, self, ...facts } }),
      };
      const seeing = { ...parts, collector, ...more };
      const cycle = await runCycle(seeing, "schedule", signal);
      const endMs = clock.monotonicMs() + seconds * 1000;
      for (let due = parts.timers.next(); due !== null && due.atMs < endMs; due = parts.timers.next()) {
        clock.advance((due.atMs - clock.monotonicMs()) / 1000);
        await runCycle(seeing, "wake", signal);
      }
      clock.advance((endMs - clock.monotonicMs()) / 1000);
      return cycle;
    },
    settle: (withinMs = 30_000) =>
      settleTickets(() => parts, { id: "after", host: "landmass" }, signal, withinMs),
    messages: () =>
      readdirSync(join(stateDir, "outbox"))
        .filter((name) => name.endsWith(".json"))
        .sort()
        .map((name) => JSON.parse(readFileSync(join(stateDir, "outbox", name), "utf8"))),
  };
}
