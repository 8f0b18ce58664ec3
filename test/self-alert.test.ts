/** Cycles that fail, hang or are cut off: what people hear of it, without a cycle that ends. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createParts, openBook } from "../src/cli/parts.ts";
import { loadConfig } from "../src/config.ts";
import type { Parts } from "../src/cycle.ts";
import { runGuarded } from "../src/daemon.ts";
import { createDelivery } from "../src/notify/deliver.ts";
import { createSelfAlert, type SelfAlert } from "../src/self-alert.ts";
import { createLog } from "../src/system/log.ts";
import { createSystem } from "../src/system/machine.ts";
import type { System } from "../src/system/system.ts";
import { manualClock } from "./execute/support.ts";
import { type BotApi, refusal, startBotApi, token } from "./notify/bot-api.ts";

let dir: string;
let api: BotApi;
let clock: ReturnType<typeof manualClock>;
/** Paths whose writing fails, as on a file system that has become read-only. */
let broken: string[];
let system: System;
let parts: Parts;
let selfAlert: SelfAlert;
let sending: Promise<unknown>;
let collect: Parts["collector"]["collect"];
/** How long a sleep of the cycle's watchman takes; others never end before the cycle. */
let naps: ((passed: boolean) => void)[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "argus-self-"));
  mkdirSync(join(dir, "none"));
  for (const folder of ["state", "logs", "log-of-test"]) mkdirSync(join(dir, folder), { mode: 0o700 });
  writeFileSync(join(dir, "argus.json"), "{}");
  api = await startBotApi();
  clock = manualClock();
  broken = [];
  naps = [];
  const real = createSystem({ path: join(dir, "none") });
  const { files } = real;
  const guard = (path: string): void => {
    if (broken.some((each) => path.startsWith(join(dir, each))))
      throw Object.assign(new Error(`EROFS: read-only file system, open '${path}'`), { code: "EROFS" });
  };
  const sleep: System["clock"]["sleep"] = (milliseconds, signal) =>
    new Promise((wake) => {
      if (milliseconds > 60_000) naps.push(() => wake());
      signal?.addEventListener("abort", () => wake(), { once: true });
      if (milliseconds <= 2000) wake();
      if (milliseconds === 10_000) setTimeout(wake, 200).unref();
    });
  system = {
    ...real,
    clock: { ...clock, sleep },
    files: {
      ...files,
      writeAtomic(path, ...rest) {
        guard(path);
        files.writeAtomic(path, ...rest);
      },
      append(path, ...rest) {
        guard(path);
        files.append(path, ...rest);
      },
      makeDirectory(path) {
        guard(path);
        files.makeDirectory(path);
      },
    },
  };
  collect = async (self) => ({
    takenAt: "",
    collectors: [],
    facts: { host: { name: "landmass", ...clock.now(), cores: 4 }, self },
  });
  start();
});
afterEach(async () => {
  await api.close();
  rmSync(dir, { recursive: true, force: true });
});

/** As after a restart. */
function start(): void {
  const env = {
    ARGUS_CONFIG: join(dir, "argus.json"),
    ARGUS_LOCAL_RULES_DIR: join(dir, "none"),
    ARGUS_STATE_DIR: join(dir, "state"),
    ARGUS_LOG_DIR: join(dir, "logs"),
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_CHAT_ID: "-100",
    TELEGRAM_API_URL: api.url,
  };
  const config = loadConfig({ system, env, workingDir: dir, programDir: resolve(".") });
  const made = createParts(system, config, openBook(system, config));
  parts = { ...made, collector: { collect: (self) => collect(self) } };
  const delivery = createDelivery(system, config.stateDir);
  const none = new AbortController().signal;
  sending = Promise.resolve();
  selfAlert = createSelfAlert(createLog(createSystem().files, join(dir, "log-of-test")), () => {
    sending = delivery.deliver(config, none, 5000);
  });
}

/** One turn of the daemon: a cycle, and the outbox. */
async function turn(): Promise<boolean> {
  const outcome = await runGuarded(
    {
      parts: () => parts,
      log: createLog(createSystem().files, join(dir, "log-of-test")),
      selfAlert,
      signal: new AbortController().signal,
    },
    "schedule",
  );
  await sending;
  await selfAlert.settled();
  const delivery = createDelivery(system, join(dir, "state"));
  await delivery.deliver(parts.config, new AbortController().signal, 5000);
  clock.advance(300);
  return "cycle" in outcome;
}
async function turns(count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) await turn();
}
const told = () => api.told.map(({ text }) => text.split("\n", 1)[0]);
const bug = () => {
  collect = async () => {
    throw new Error("a bug of the collector");
  };
};

describe("cycles that fail before any rule is judged", () => {
  it("are told at the third in a row, once, and so is their end", async () => {
    const well = collect;
    bug();
    await turns(2);
    expect(told()).toEqual([]);
    expect(await turn()).toBe(false);
    expect(told()).toEqual([
      expect.stringMatching(/^\S+: CRITICAL Argus: 3 cycles in a row failed: a bug of the collector$/),
    ]);
    await turns(6);
    expect(told()).toHaveLength(1);
    collect = well;
    await turns(3);
    expect(told().slice(1)).toEqual([expect.stringMatching(/^\S+: RESOLVED /)]);
    expect(api.told).toHaveLength(2);
  });

  it("are told once though Argus is started anew in between", async () => {
    bug();
    for (let each = 0; each < 9; each += 1) {
      await turn();
      start();
    }
    expect(told()).toHaveLength(1);
  });

  it("because the log folder cannot be written are told", async () => {
    broken = ["logs"];
    await turns(7);
    expect(told()).toEqual([expect.stringMatching(/3 cycles in a row failed: .*cycle_state\.json/)]);
  });

  it("because nothing can be written at all are told straight through the channels, once, and so is their end", async () => {
    await turn();
    broken = ["state", "logs"];
    await turns(9);
    expect(told()).toEqual([
      expect.stringMatching(/^\S+: CRITICAL Argus: 3 cycles in a row failed: .*EROFS|read-only/),
    ]);
    broken = [];
    await turns(3);
    expect(told().slice(1)).toEqual([
      expect.stringMatching(/^\S+: RESOLVED argus \(was: 9 cycles in a row failed: /),
    ]);
    broken = ["state", "logs"];
    await turns(3);
    expect(told()).toHaveLength(3);
  });

  it("are tried again at the next third when no channel could be reached either", async () => {
    broken = ["state", "logs"];
    api.replies = [refusal(401, "Unauthorized")];
    await turns(3);
    expect(api.asked).toHaveLength(1);
    await turns(2);
    expect(told()).toEqual([]);
    await turn();
    expect(told()).toEqual([expect.stringMatching(/6 cycles in a row failed/)]);
  });
});

describe("rules that see nothing", () => {
  const off = () => {
    const names = parts.book.rules().rules.map(({ compiled }) => compiled.rule.name);
    writeFileSync(
      join(dir, "none", "off.json"),
      JSON.stringify({ rules: names.map((name) => ({ name, enabled: false })) }),
    );
  };

  it("because all are switched off are told once, and so is their end", async () => {
    await turn();
    off();
    await turns(3);
    expect(told()).toEqual([
      expect.stringMatching(
        /^\S+: CRITICAL Argus: no rule is in force \(\d+ rules switched off\), so nobody is told of anything; take the entries /,
      ),
    ]);
    start();
    await turns(2);
    expect(told()).toHaveLength(1);
    rmSync(join(dir, "none", "off.json"));
    await turns(2);
    expect(told().slice(1)).toEqual([
      expect.stringMatching(/^\S+: RESOLVED Argus: rules that see what they should are in force again$/),
    ]);
  });

  it("of the services that argus.json names are told, and only where it names some", async () => {
    const names = parts.book
      .rules()
      .rules.filter(
        ({ compiled }) => compiled.rule.forEach === "service" && compiled.rule.name !== "unit-failed",
      )
      .map(({ compiled }) => ({ name: compiled.rule.name, enabled: false }));
    writeFileSync(join(dir, "none", "off.json"), JSON.stringify({ rules: names }));
    await turns(2);
    expect(told()).toEqual([]);
    writeFileSync(join(dir, "argus.json"), JSON.stringify({ services: [{ unit: "shop" }] }));
    start();
    await turns(2);
    expect(told()).toEqual([
      expect.stringMatching(/CRITICAL Argus: argus.json names 1 service, and no rule in force looks at them/),
    ]);
  });
});

describe("a cycle that does not end", () => {
  /** Begins a cycle that hangs, and lets the time pass that no cycle takes. */
  async function hang(): Promise<() => Promise<void>> {
    const well = collect;
    let free: () => void = () => {};
    const stuck = new Promise<void>((end) => {
      free = end;
    });
    collect = async (self) => {
      await stuck;
      return well(self);
    };
    const cycle = turn();
    while (naps.length === 0) await new Promise((wait) => setTimeout(wait, 5));
    for (const wake of naps.splice(0)) wake(true);
    for (let each = 0; each < 100 && api.told.length === 0; each += 1)
      await new Promise((wait) => setTimeout(wait, 20));
    return async () => {
      free();
      await cycle;
      collect = well;
    };
  }

  it("is told while it hangs, and so is its end", async () => {
    const end = await hang();
    expect(told()).toEqual([
      expect.stringMatching(/^\S+: CRITICAL Argus: a cycle has not ended for 25 min$/),
    ]);
    await end();
    await turns(2);
    expect(told().slice(1)).toEqual([expect.stringMatching(/^\S+: RESOLVED Argus: cycles end again$/)]);
  });

  it("is told though it holds the executor", async () => {
    const { execute } = parts.executor;
    let free: () => void = () => {};
    const stuck = new Promise<void>((end) => {
      free = end;
    });
    parts = {
      ...parts,
      executor: {
        ...parts.executor,
        execute: async (...request) => {
          await stuck;
          return execute(...request);
        },
      },
    };
    const end = await hang();
    expect(told()).toEqual([
      expect.stringMatching(/^\S+: CRITICAL Argus: a cycle has not ended for 25 min$/),
    ]);
    free();
    await end();
    await turns(2);
    expect(told().slice(1)).toEqual([expect.stringMatching(/^\S+: RESOLVED Argus: cycles end again$/)]);
  });

  it("is told as a failure when three in a row were cut off, before the fourth begins", async () => {
    const state = () => JSON.parse(readFileSync(join(dir, "logs", "cycle_state.json"), "utf8")) as object;
    await turn();
    for (let each = 0; each < 3; each += 1) {
      const left = { ...state(), state: "running", cycle: `cut-${each}`, pid: 4_194_300, pidStartTime: 1 };
      writeFileSync(join(dir, "logs", "cycle_state.json"), JSON.stringify(left));
      expect(told()).toEqual([]);
      start();
      const end = await begins();
      // What is still in its way is cut off as well.
      void end;
    }
    expect(told()).toEqual([expect.stringMatching(/3 cycles in a row failed: the cycle did not end/)]);
  });

  /** A cycle that has begun and never ends. */
  async function begins(): Promise<void> {
    let begun: () => void = () => {};
    const beginning = new Promise<void>((wake) => {
      begun = wake;
    });
    collect = () => {
      begun();
      return new Promise(() => {});
    };
    void turn();
    await beginning;
    await sending;
  }
});
