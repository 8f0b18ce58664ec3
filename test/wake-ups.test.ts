/** The source of unit events is lost and comes back: what is said of it, and how often it is asked. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { createParts, openBook } from "../src/cli/parts.ts";
import { loadConfig } from "../src/config.ts";
import { createLog } from "../src/system/log.ts";
import { createSystem } from "../src/system/machine.ts";
import type { Bus, BusConnection, BusListener, BusMessage, System } from "../src/system/system.ts";
import { watchForWakeUps } from "../src/wake-ups.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** A machine with systemd, whose bus answers as a test wants, and whose hours pass at once. */
function watch(connect: Bus["connect"]) {
  const dir = mkdtempSync(join(tmpdir(), "argus-wake-ups-"));
  ends.push(() => rmSync(dir, { recursive: true, force: true }));
  for (const folder of ["state", "logs", "rules.d"]) mkdirSync(join(dir, folder), { mode: 0o700 });
  writeFileSync(join(dir, "argus.json"), JSON.stringify({ services: [{ unit: "ours", restart: true }] }));
  const real = createSystem();
  const retries: number[] = [];
  let nowMs = 0;
  const system: System = {
    ...real,
    files: {
      ...real.files,
      stat: (path) => real.files.stat(path === "/run/systemd/system" ? "/proc" : path),
    },
    bus: { connect },
    clock: {
      ...real.clock,
      monotonicMs: () => nowMs,
      sleep: async (milliseconds, signal) => {
        // The pulse sleeps five seconds, and waits half a second for its disks: that is none of this test's business.
        if ([500, 5_000].includes(milliseconds)) return real.clock.sleep(60_000, signal);
        retries.push(milliseconds);
        nowMs += milliseconds;
        await new Promise((later) => setImmediate(later));
      },
    },
  };
  const env = {
    ARGUS_CONFIG: join(dir, "argus.json"),
    ARGUS_STATE_DIR: join(dir, "state"),
    ARGUS_LOCAL_RULES_DIR: join(dir, "rules.d"),
  };
  const config = loadConfig({ system, env, workingDir: dir, programDir: resolve(".") });
  const parts = createParts(system, { ...config, logDir: join(dir, "logs") }, openBook(system, config));
  const ending = new AbortController();
  ends.push(() => ending.abort());
  const rung: string[] = [];
  watchForWakeUps({
    parts: () => parts,
    log: createLog(system.files, join(dir, "logs")),
    signal: ending.signal,
    ring: (reason) => void rung.push(reason),
  });
  return { retries, rung, notes: parts.notes, pass: (milliseconds: number) => (nowMs += milliseconds) };
}

/** A connection that stands until it is told that it is lost. */
function connection(): { connection: BusConnection; listener: () => BusListener } {
  let heard: BusListener | null = null;
  return {
    connection: {
      isDirect: true,
      call: async () => ({}) as BusMessage,
      listen: (listener) => {
        heard = listener;
        return () => undefined;
      },
    },
    listener: () => {
      if (heard === null) throw new Error("nobody listens");
      return heard;
    },
  };
}

const lost =
  "no unit that goes down wakes Argus until systemd can be heard again: gone; the schedule goes on";
const back = "systemd reports units that go down again";
const doubling = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000];

it("is asked ever less often while it is away, which is said once", async () => {
  let asked = 0;
  const { retries, notes, rung } = watch(() => {
    asked += 1;
    return asked > 8 ? new Promise(() => undefined) : Promise.resolve({ why: "gone" });
  });
  await vi.waitUntil(() => asked === 9);
  expect(retries).toEqual(doubling);
  expect(notes).toEqual([lost]);
  expect(rung).toEqual([]);
});

it("is said when it is back, and a cycle looks at what went down meanwhile", async () => {
  const standing = connection();
  const answers = [{ why: "gone" }, { why: "gone" }, standing];
  const { notes, rung } = watch(async () => answers.shift() ?? { why: "gone" });
  await vi.waitUntil(() => rung.length > 0);
  expect(notes).toEqual([lost, back]);
  expect(rung).toEqual(["systemd can be heard again"]);
});

it("is asked soon again when it stood for a minute, and less and less often when it never does", async () => {
  const stood = connection();
  const fell = connection();
  const answers = [{ why: "gone" }, { why: "gone" }, stood, fell];
  let asked = 0;
  const { retries, rung, pass } = watch(async () => {
    asked += 1;
    return answers.shift() ?? new Promise(() => undefined);
  });
  await vi.waitUntil(() => rung.length === 1);
  expect(retries).toEqual([1_000, 2_000]);
  pass(60_000);
  stood.listener().onLost("gone");
  await vi.waitUntil(() => rung.length === 2);
  expect(retries).toEqual([1_000, 2_000, 1_000]);
  pass(59_999);
  fell.listener().onLost("gone");
  await vi.waitUntil(() => asked === 5);
  expect(retries).toEqual([1_000, 2_000, 1_000, 2_000]);
});
