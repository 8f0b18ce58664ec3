import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clearPause, readPause, writePause } from "../../src/execute/pause.ts";
import { policyOf } from "../../src/execute/policy.ts";
import { createSystem } from "../../src/system/machine.ts";
import { Settings } from "../../src/types/settings.ts";
import { home, makeMachine } from "./clean/machine.ts";
import {
  alertOf,
  bench,
  endedByItself,
  failed,
  logOf,
  manualClock,
  only,
  proposal,
  recordedSystemd,
  restart,
  running,
  temporaryFolder,
} from "./support.ts";

function server() {
  const systemd = recordedSystemd();
  const clock = manualClock();
  for (const unit of ["web.service", "api.service"]) {
    systemd.set(unit, failed);
    systemd.afterRestart(unit, running);
  }
  systemd.set("db.service", running);
  systemd.journal(...endedByItself);
  return { systemd, clock, argus: bench({ path: systemd.path, system: { clock } }) };
}

/** Resolves when something that another process does has come about. */
async function until(true_: () => boolean): Promise<void> {
  while (!true_()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe("a crash in the middle of an action", () => {
  it("is told by the next start, once, and counts against backoff and budget", async () => {
    const { systemd, argus } = server();
    systemd.restartHangs("web.service");
    const crash = new AbortController();
    const cut = argus.run([restart("web")], { signal: crash.signal });
    await until(() => systemd.restarts().length > 0);

    argus.restartArgus();
    const [told] = argus.executor.interruptedActions();
    expect(told).toBe(
      "an action was cut off: restart_service web of cycle c1; its outcome is unknown, and it is not repeated because of this",
    );
    expect(argus.executor.interruptedActions()).toEqual([]);
    expect(argus.executor.view()).toMatchObject({
      budgets: [{ name: "kills" }, { name: "restarts", used: 1 }, { name: "cleanings" }],
      backoffs: [{ unit: "web", attempts: 1 }],
    });
    expect(only(await argus.run([restart("web")])).refusal).toBe("backoff");
    expect(argus.notes).toEqual([]);
    argus.restartArgus();
    expect(argus.executor.interruptedActions()).toEqual([]);
    crash.abort();
    await cut;
  });

  it("is told in the notes of the first reply when nobody asked before, and a dry run leaves it standing", async () => {
    const { systemd, argus } = server();
    systemd.restartHangs("web.service");
    const crash = new AbortController();
    const cut = argus.run([restart("web")], { signal: crash.signal });
    await until(() => systemd.restarts().length > 0);
    for (const dryRun of [true, false]) {
      argus.restartArgus();
      argus.notes.splice(0);
      await argus.run([], { dryRun });
      expect(argus.notes).toHaveLength(1);
      await argus.run([], { dryRun });
      expect(argus.notes).toHaveLength(1);
    }
    argus.restartArgus();
    argus.notes.splice(0);
    await argus.run([]);
    expect(argus.notes).toEqual([]);
    crash.abort();
    await cut;
  });

  it("does not make an action that ended look cut off, though a later one is", async () => {
    const { systemd, argus } = server();
    systemd.restartHangs("api.service");
    const crash = new AbortController();
    const cut = argus.run([restart("web"), restart("api")], { signal: crash.signal });
    await until(() => systemd.restarts().length > 1);
    argus.restartArgus();
    expect(argus.executor.interruptedActions()).toEqual([expect.stringContaining("restart_service api")]);
    crash.abort();
    await cut;
  });
});

describe("a stop of Argus in the middle of an action", () => {
  it("ends the wait for systemctl, and says what is known", async () => {
    const { systemd, argus } = server();
    systemd.restartHangs("web.service");
    const stop = new AbortController();
    const reply = argus.run([restart("web"), restart("api"), alertOf(1, "web is down")], {
      signal: stop.signal,
    });
    await until(() => systemd.restarts().length > 0);
    stop.abort();
    const [cut, notBegun, told] = await reply;
    expect(cut).toMatchObject({
      result: "failure",
      refusal: null,
      verified: null,
      detail: "systemctl restart web (attempt 1 of 3) was begun; cut off, because Argus was told to stop",
    });
    expect(notBegun).toMatchObject({
      result: "skipped",
      refusal: null,
      detail: "not begun, because Argus was told to stop",
    });
    expect(told?.result).toBe("success");
    argus.restartArgus();
    expect(argus.executor.interruptedActions()).toEqual([]);
  });

  it("ends the settle time, and says that nobody saw whether it held", async () => {
    const systemd = recordedSystemd();
    systemd.set("web.service", failed);
    systemd.afterRestart("web.service", running);
    systemd.journal(...endedByItself);
    const argus = bench({ path: systemd.path, policy: { restartSettleSeconds: 60, bootGraceSeconds: 0 } });
    const stop = new AbortController();
    const reply = argus.run([restart("web")], { signal: stop.signal });
    await until(() => systemd.restarts().length > 0);
    setTimeout(() => stop.abort(), 200);
    expect(only(await reply)).toMatchObject({
      verified: null,
      detail: expect.stringContaining("cut off, because Argus was told to stop"),
    });
  });
});

describe("state that cannot be written", () => {
  it("keeps the action from being performed", async () => {
    const { systemd, argus } = server();
    mkdirSync(join(argus.stateDir, "executor.json"));
    const record = only(await argus.run([restart("web")]));
    expect(record).toMatchObject({ result: "failure", refusal: null, verified: null });
    expect(record.detail).toMatch(/^not done, because the intent could not be written: /);
    expect(systemd.calls()).toEqual([]);
    expect(argus.executor.view()).toMatchObject({
      backoffs: [],
      budgets: [{ used: 0 }, { used: 0 }, { used: 0 }],
    });
    rmSync(join(argus.stateDir, "executor.json"), { recursive: true });
    expect(only(await argus.run([restart("web")])).values).toMatchObject({ attempt: 1 });
  });

  it("makes a note of health that cannot be kept, and goes on", async () => {
    const { argus } = server();
    await argus.run([restart("web")]);
    rmSync(join(argus.stateDir, "restart-backoff.json"));
    mkdirSync(join(argus.stateDir, "restart-backoff.json"));
    argus.executor.observeHealth(["web"], []);
    await argus.run([]);
    expect(argus.notes).toEqual([expect.stringMatching(/^restart-backoff.json could not be written: /)]);
  });

  it("is set aside and said when it cannot be understood", async () => {
    const { argus, systemd } = server();
    writeFileSync(join(argus.stateDir, "executor.json"), `{"version":1,"spent":{"kills":[`);
    writeFileSync(join(argus.stateDir, "restart-backoff.json"), `{"version":2,"units":{}}`);
    argus.restartArgus();
    expect(only(await argus.run([restart("web")])).result).toBe("success");
    expect(argus.notes).toEqual([
      expect.stringContaining("executor.json is not valid JSON; it was set aside as "),
      expect.stringContaining("restart-backoff.json has an unknown shape or version"),
    ]);
    expect(readdirSync(argus.stateDir).filter((name) => name.includes("corrupt"))).toHaveLength(2);
    expect(systemd.restarts()).toHaveLength(1);
  });
});

describe("requests", () => {
  it("of one cycle share what was let through; the next cycle begins anew", async () => {
    const { argus } = server();
    const again = async (cycle: string) => only(await argus.run([restart("web")], { cycle })).refusal;
    expect(await again("a")).toBeNull();
    expect(await again("a")).toBe("duplicate");
    expect(await again("b")).toBe("backoff");
  });

  it("wait for one another", async () => {
    const { argus, systemd } = server();
    const [first, second] = await Promise.all([argus.run([restart("web")]), argus.run([restart("web")])]);
    expect([only(first).refusal, only(second).refusal]).toEqual([null, "backoff"]);
    expect(systemd.restarts()).toHaveLength(1);
  });

  it("stay within the hour's budget, which a restart of Argus does not refill", async () => {
    const { argus, clock, systemd } = server();
    const its = bench({
      path: systemd.path,
      system: { clock },
      policy: { budgets: { kills: 20, restarts: 1, cleanings: 2 } },
    });
    expect(only(await its.run([restart("web")])).result).toBe("success");
    clock.advance(100);
    its.restartArgus();
    expect(only(await its.run([restart("api")]))).toMatchObject({
      result: "skipped",
      refusal: "budget_exhausted",
      detail: "1 of 1 restarts were used in the last hour; the next is allowed in 58 min 17 s",
    });
    clock.advance(3497);
    expect(only(await its.run([restart("api")])).result).toBe("success");
    expect(argus.stateDir).not.toBe(its.stateDir);
  });

  it("with a budget of 0 never act", async () => {
    const { clock, systemd } = server();
    const its = bench({
      path: systemd.path,
      system: { clock },
      policy: { budgets: { kills: 0, restarts: 0, cleanings: 0 } },
    });
    expect(only(await its.run([restart("web")])).detail).toBe(
      "0 of 0 restarts were used in the last hour; the settings allow none",
    );
  });

  it("that run dry refuse all that a real one would, and write nothing", async () => {
    const { argus, systemd } = server();
    const proposals = [
      restart("web"),
      restart("web"),
      restart("sshd"),
      proposal("kill_pid", { target: 1, expect: { startTime: 1 } }),
      logOf(1, "seen"),
    ];
    const records = await argus.run(proposals, { dryRun: true });
    expect(records.map(({ refusal, detail }) => [refusal, detail])).toEqual([
      ["dry_run", "would run systemctl restart web"],
      ["duplicate", "restart_service web was asked for already in this cycle"],
      ["not_allowlisted", "the settings do not let Argus restart sshd"],
      ["protected_target", "process 1 is the one from which all others come"],
      ["dry_run", "would note: seen"],
    ]);
    expect(records[0]?.steps.at(-1)).toEqual({
      step: "dry run",
      pass: false,
      detail: "this is a dry run: nothing is changed",
    });
    expect(systemd.calls()).toEqual([]);
    expect(readdirSync(argus.stateDir)).toEqual([]);
  });
});

describe("a pause", () => {
  const system = createSystem();
  const pauseOf = (stateDir: string, clock: ReturnType<typeof manualClock>) =>
    readPause(system.files, stateDir, clock.now());
  const silent = () => {};

  it("stops every action but words, until it ends", async () => {
    const { argus, clock } = server();
    const since = "2026-11-20T22:40:00.000Z";
    writePause(
      system.files,
      argus.stateDir,
      { until: "2026-11-20T23:40:00.000Z", reason: "upgrade", since },
      silent,
    );
    const records = await argus.run([
      restart("web"),
      proposal("clean_disk", { target: "/" }),
      alertOf(1, "a"),
      logOf(1, "b"),
    ]);
    expect(records.map((record) => record.refusal)).toEqual(["paused", "paused", null, null]);
    expect(records[0]?.detail).toBe("Argus is paused until 2026-11-20 23:40:00 UTC: upgrade");
    expect(argus.executor.view().pause).toMatchObject({ reason: "upgrade" });
    clock.advance(3600);
    expect(argus.executor.view().pause).toBeNull();
    expect(only(await argus.run([restart("web")])).result).toBe("success");
  });

  it("without an end lasts until it is taken back", async () => {
    const { argus, clock } = server();
    writePause(
      system.files,
      argus.stateDir,
      { until: null, reason: "", since: "2026-11-20T22:40:00Z" },
      silent,
    );
    clock.advance(10 * 86_400);
    expect(only(await argus.run([restart("web")])).detail).toBe("Argus is paused until `argus resume`");
    expect(clearPause(system.files, argus.stateDir, silent)).toBe(true);
    expect(clearPause(system.files, argus.stateDir, silent)).toBe(false);
    expect(only(await argus.run([restart("web")])).result).toBe("success");
  });

  it("that cannot be understood is a pause, and is not lost when it is taken back", () => {
    const clock = manualClock();
    for (const text of [
      "",
      "{",
      `{"version":1,"until":"tomorrow","reason":"","since":"2026-11-20T22:40:00Z"}`,
      `{"version":2}`,
    ]) {
      const stateDir = temporaryFolder();
      const path = join(stateDir, "pause.json");
      writeFileSync(path, text);
      expect(pauseOf(stateDir, clock)?.reason).toBe(
        `${path} cannot be understood; \`argus resume\` ends this pause`,
      );
      const notes: string[] = [];
      expect(clearPause(system.files, stateDir, (sentence) => notes.push(sentence))).toBe(true);
      expect(notes).toHaveLength(1);
      expect(readFileSync(`${path}.corrupt-1`, "utf8")).toBe(text);
      expect(pauseOf(stateDir, clock)).toBeNull();
    }
  });
});

describe("clean_disk", () => {
  function machineWithOldCache() {
    const machine = makeMachine();
    machine.file(`${home}/.cache/pip/wheel`, "x".repeat(300_000));
    machine.file("/tmp/young");
    machine.makeYoung("/tmp/young");
    const options = { homes: [home], logDir: "/var/lib/argus/logs", keep: [] };
    return { machine, argus: bench({ system: machine.system, policy: options }) };
  }

  it("only forecasts in a dry run", async () => {
    const { machine, argus } = machineWithOldCache();
    const record = only(await argus.run([proposal("clean_disk", { target: "/" })], { dryRun: true }));
    expect(record).toMatchObject({ target: "/", result: "skipped", refusal: "dry_run", verified: null });
    expect(record.detail).toMatch(/^would have freed 30\d kB: .* \d+\.\d % -> \d+\.\d %$/);
    expect(machine.exists(`${home}/.cache/pip/wheel`)).toBe(true);
  });

  it("removes what is old, and says what became of the disk", async () => {
    const { machine, argus } = machineWithOldCache();
    const record = only(await argus.run([proposal("clean_disk", { target: "/" })]));
    expect(record).toMatchObject({ result: "success", verified: true });
    expect(record.detail).toMatch(/^freed 30\d kB: .* \d+\.\d % -> \d+\.\d %$/);
    expect(record.values).toMatchObject({ units: 1, entries: 1, before: [{}], after: [{}] });
    expect(Number(record.values["bytesReclaimed"])).toBeGreaterThanOrEqual(300_000);
    expect(machine.exists(`${home}/.cache/pip/wheel`)).toBe(false);
    expect(machine.exists("/tmp/young")).toBe(true);
  });

  it("does not take what is young for old because the clock was set forward while Argus ran", async () => {
    const machine = makeMachine();
    machine.file("/tmp/from-today");
    let leapMs = 0;
    const real = createSystem({ root: machine.root }).clock;
    const clock = {
      ...machine.system.clock,
      now: () => ({ ...real.now(), bootId: "boot", wallMs: Date.now() + leapMs }),
    };
    const argus = bench({
      system: { ...machine.system, clock },
      policy: { homes: [home], logDir: "/var/lib/argus/logs", keep: [] },
    });
    leapMs = 40 * 86_400_000;
    const record = only(await argus.run([proposal("clean_disk", { target: "/" })]));
    expect(record.detail).toMatch(/^freed nothing/);
    expect(machine.exists("/tmp/from-today")).toBe(true);
  });

  it("that frees nothing is no success", async () => {
    const { argus } = machineWithOldCache();
    await argus.run([proposal("clean_disk", { target: "/" })]);
    const record = only(await argus.run([proposal("clean_disk", { target: "/" })]));
    expect(record).toMatchObject({ result: "failure", verified: false });
    expect(record.detail).toMatch(/^freed nothing, because nothing is old enough: /);
  });

  it("runs at most twice an hour", async () => {
    const { argus } = machineWithOldCache();
    const refusals = [];
    for (let round = 0; round < 3; round += 1)
      refusals.push(only(await argus.run([proposal("clean_disk", { target: "/" })])).refusal);
    expect(refusals).toEqual([null, null, "budget_exhausted"]);
  });

  it("that is cut off says so", async () => {
    const { machine, argus } = machineWithOldCache();
    const stop = new AbortController();
    const reply = argus.run([proposal("clean_disk", { target: "/" })], { signal: stop.signal });
    await Promise.resolve();
    stop.abort();
    const record = only(await reply);
    expect(record.verified).toBeNull();
    expect(record.detail).toMatch(/because Argus was told to stop$/);
    expect(machine.exists(`${home}/.cache/pip/wheel`)).toBe(true);
  });
});

describe("the policy", () => {
  it("is plain data out of the settings, every unit by its full name", () => {
    const settings = Settings.parse({
      services: [
        { unit: "web", restart: true, requires: ["db"] },
        { unit: "db.service", restart: false },
        { unit: "mail.timer", restart: true },
      ],
      tmuxSockets: ["/run/agents.sock"],
    });
    const its = policyOf({
      intervalSeconds: 300,
      dryRun: false,
      mode: "watch",
      modeSource: { kind: "default" },
      settings,
      settingsFile: "/etc/argus/argus.json",
      program: ["node", "main.js"],
      envFile: "/etc/argus/argus.env",
      rulesDir: "/usr/lib/argus/rules",
      localRulesDir: "/etc/argus/rules.d",
      stateDir: "/var/lib/argus",
      executorSocket: null,
      executorStateDir: "/var/lib/argus-executor",
      logDir: "/var/log/argus",
      observationsFile: "/var/lib/argus/observations.md",
      bootGraceSeconds: 120,
      reportRepairs: true,
      dedupWindowSeconds: 3600,
      diskCleanMaxAgeDays: 7,
      restartSecondDelaySeconds: 60,
      restartThirdDelaySeconds: 300,
      restartCooldownSeconds: 3600,
      restartSettleSeconds: 3,
      swapThrashMegabytesPerSecond: 10,
      ticketRepeats: { threshold: 3, windowSeconds: 86_400 },
      telegram: null,
      channels: [],
      anthropicKey: "secret",
      pingUrl: null,
      summaryAt: null,
      dashboardUrl: null,
      model: {
        name: "claude-haiku-5-5",
        url: "https://api.anthropic.com",
        promptFile: "/usr/lib/argus/prompt.md",
        dailyCalls: 50,
        dailyTokens: 1_000_000,
        confidence: 0.6,
        review: "never",
        timeoutSeconds: 60,
      },
      notes: [],
    });
    expect(JSON.parse(JSON.stringify(its))).toEqual(its);
    expect(JSON.stringify(its)).not.toContain("secret");
    expect(its.restartable).toEqual([
      { unit: "web.service", requires: ["db.service"] },
      { unit: "mail.timer", requires: [] },
    ]);
    expect(its.budgets).toEqual({ kills: 20, restarts: 10, cleanings: 2 });
    expect(its.keep).toEqual([
      "/var/lib/argus",
      "/var/lib/argus-executor",
      "/var/lib/argus/observations.md",
      "/etc/argus/argus.json",
      "/etc/argus/argus.env",
      "/usr/lib/argus/rules",
      "/etc/argus/rules.d",
    ]);
  });
});
