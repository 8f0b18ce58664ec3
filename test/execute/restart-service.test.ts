import { describe, expect, it } from "vitest";
import {
  bench,
  endedByItself,
  failed,
  manualClock,
  only,
  recordedSystemd,
  restart,
  running,
  stopped,
  stoppedByHand,
  type UnitRecording,
} from "./support.ts";

function server(web: UnitRecording = failed, after: UnitRecording = running) {
  const systemd = recordedSystemd();
  systemd.set("web.service", web);
  systemd.afterRestart("web.service", after);
  systemd.journal(...endedByItself);
  const clock = manualClock();
  return { systemd, clock, ...spread(systemd.path, clock) };
}

function spread(path: string, clock: ReturnType<typeof manualClock>) {
  const argus = bench({ path, system: { clock } });
  const tryRestart = async (unit = "web") => only(await argus.run([restart(unit)]));
  return { argus, tryRestart };
}

describe("a service that is down", () => {
  it("is restarted, and looked at again after the settle time", async () => {
    const { tryRestart, systemd, clock } = server();
    const record = await tryRestart();
    expect(record).toMatchObject({
      type: "restart_service",
      target: "web",
      result: "success",
      refusal: null,
      verified: true,
      detail:
        "systemctl restart web (attempt 1 of 3); active, and still so after 3 s with the same main process",
      values: { attempt: 1, mainPid: 4242 },
    });
    expect(systemd.restarts()).toEqual(["--no-ask-password restart web.service"]);
    expect(clock.elapsed()).toBe(3);
    expect(record.steps.map((step) => `${step.pass ? "yes" : "no"} ${step.step}: ${step.detail}`)).toEqual([
      "yes allowlist: the settings let Argus restart web",
      "yes pause: Argus is not paused",
      "yes duplicate: nothing else in this cycle asked for it",
      "yes boot grace: the host has been up for 1 h, past the 2 min after boot in which nothing is restarted",
      "yes backoff: no attempt within an hour of health",
      "yes budget: 0 of 10 restarts were used in the last hour",
      "yes self: Argus itself does not run in web",
      "yes unit state: web is failed (failed: exit-code)",
      "yes operator: nobody asked for web to stop",
    ]);
  });

  it("is a failure when systemctl says so, in its words", async () => {
    const { tryRestart, systemd } = server();
    systemd.restartFails(
      "web.service",
      "Job for web.service failed because of a timeout.\nSee systemctl status.\n",
    );
    expect(await tryRestart()).toMatchObject({
      result: "failure",
      verified: false,
      detail:
        "systemctl restart web (attempt 1 of 3) failed: Job for web.service failed because of a timeout.",
    });
  });

  it("is a failure when it is down again at once", async () => {
    const { tryRestart } = server(failed, failed);
    expect(await tryRestart()).toMatchObject({
      result: "failure",
      verified: false,
      detail: "systemctl restart web (attempt 1 of 3); afterwards it is failed (failed: exit-code)",
    });
  });

  it("is a failure when it dies within the settle time", async () => {
    const { tryRestart, systemd } = server();
    systemd.atLook("web.service", 3, failed);
    expect(await tryRestart()).toMatchObject({
      result: "failure",
      verified: false,
      detail:
        "systemctl restart web (attempt 1 of 3); it was active, and 3 s later it is failed (failed: exit-code)",
    });
  });

  it("is a failure when systemd had to start it once more within the settle time", async () => {
    const { tryRestart, systemd } = server();
    systemd.atLook("web.service", 3, { ...running, mainPid: 4300 });
    expect(await tryRestart()).toMatchObject({
      result: "failure",
      detail:
        "systemctl restart web (attempt 1 of 3); within 3 s its main process changed from 4242 to 4300: it died and was started again",
    });
  });

  // systemd 252 keeps `exit-code` or `signal` as the result of a unit whose automatic restarts are used up.
  it.each(["start-limit-hit", "exit-code", "signal"])(
    "has its start limit reset first, failed with %s",
    async (result) => {
      const { tryRestart, systemd } = server({ ...failed, result });
      expect((await tryRestart()).result).toBe("success");
      expect(systemd.calls()).toEqual([
        "--no-ask-password reset-failed web.service",
        "--no-ask-password restart web.service",
      ]);
    },
  );

  it("is no success without a systemd that answers", async () => {
    const argus = bench({ path: "/nonexistent", system: { clock: manualClock() } });
    expect(only(await argus.run([restart("web")]))).toMatchObject({
      result: "failure",
      detail: "not done: systemctl is not installed",
    });
    expect(argus.executor.view().backoffs).toEqual([]);
  });
});

describe("the unit as it stands when the restart is due", () => {
  const refusals: [string, UnitRecording, string, string][] = [
    ["not installed", { load: "not-found" }, "target_gone", "web is not installed"],
    [
      "unloadable",
      { load: "bad-setting", active: "inactive" },
      "target_gone",
      "systemd cannot load web: bad-setting",
    ],
    ["masked", { load: "masked", active: "inactive" }, "operator_stopped", "web is masked"],
    ["masked until boot", { ...failed, unitFile: "masked-runtime" }, "operator_stopped", "web is masked"],
    [
      "gone, though it ran until now",
      { ...failed, load: "not-found" },
      "target_gone",
      "the unit file of web is gone",
    ],
    [
      "a job that a timer starts",
      { ...stopped, more: { Type: "oneshot", TriggeredBy: "web.timer" } },
      "not_needed",
      "web is a job that web.timer starts: to start it is to run it, which Argus does not do",
    ],
    [
      "a job whose last run failed",
      { ...failed, more: { Type: "oneshot" } },
      "protected_target",
      "web runs once and ends: to start it is to run it, which Argus does not do",
    ],
    [
      "kept from starting by a condition",
      { ...stopped, more: { ConditionTimestampMonotonic: 5, ConditionResult: "no" } },
      "not_needed",
      "a condition in the file of web is not met, so systemd would not start it",
    ],
    ["active again", running, "not_needed", "web is active (running)"],
    [
      "starting",
      { active: "activating", sub: "start-pre" },
      "not_needed",
      "web is activating (start-pre): systemd is at it already",
    ],
    [
      "waiting for systemd's own restart",
      { active: "activating", sub: "auto-restart", result: "exit-code" },
      "not_needed",
      "web is activating (auto-restart: exit-code): systemd is at it already",
    ],
    [
      "reloading",
      { active: "reloading", sub: "reload" },
      "not_needed",
      "web is reloading (reload): systemd is at it already",
    ],
    [
      "stopping",
      { active: "deactivating", sub: "stop" },
      "not_needed",
      "web is deactivating (stop): systemd is at it already",
    ],
    [
      "with a job",
      { ...failed, job: 77 },
      "not_needed",
      "web is failed (failed: exit-code): systemd is at it already",
    ],
  ];
  it.each(refusals)("%s: no restart", async (_, unit, refusal, detail) => {
    const { tryRestart, systemd, argus } = server(unit);
    expect(await tryRestart()).toMatchObject({ result: "skipped", refusal, detail, verified: null });
    expect(systemd.calls()).toEqual([]);
    expect(argus.executor.view().backoffs).toEqual([]);
  });

  it.each([
    ["inactive", stopped],
    ["failed", failed],
  ])("%s, and stopped by hand: no restart", async (_, unit) => {
    const { tryRestart, systemd } = server(unit);
    systemd.journal(...stoppedByHand);
    expect(await tryRestart()).toMatchObject({
      refusal: "operator_stopped",
      detail: "somebody asked for web to stop",
    });
    expect(systemd.calls()).toEqual([]);
  });

  it("crashed, and is disabled, which says nothing about a stop: restarted", async () => {
    const { tryRestart } = server({ ...failed, unitFile: "disabled" });
    expect(await tryRestart()).toMatchObject({ result: "success" });
  });

  it("rests until its socket starts it: no restart", async () => {
    const { tryRestart, systemd } = server({ ...stopped, more: { TriggeredBy: "web.socket" } });
    systemd.set("web.socket", { active: "active", sub: "listening" });
    expect(await tryRestart()).toMatchObject({
      refusal: "not_needed",
      detail: "web rests until web.socket starts it",
    });
    expect(systemd.calls()).toEqual([]);
  });

  it("went down with what it needs: restarted when that is up again, and not before", async () => {
    const { tryRestart, systemd } = server({ ...stopped, more: { BindsTo: "db.service" } });
    systemd.journal(...stoppedByHand);
    systemd.journalOf("db.service", ...endedByItself);
    const crashed = { ActiveExitTimestampMonotonic: 900_000 };
    systemd.set("db.service", { active: "activating", sub: "auto-restart", more: crashed });
    expect(await tryRestart()).toMatchObject({
      refusal: "dependency_down",
      detail: "web went down with db, which is activating (auto-restart)",
    });
    systemd.set("db.service", { ...running, more: crashed });
    const record = await tryRestart();
    expect(record.result).toBe("success");
    expect(record.steps.at(-1)?.detail).toBe("db, which web went down with, is up again");
  });

  it("is still starting a moment later: nobody waits for that, and nobody calls it up", async () => {
    const slow = { active: "activating", sub: "start", more: { TimeoutStartUSec: "15min" } };
    const { tryRestart, clock } = server(failed, slow);
    expect(await tryRestart()).toMatchObject({
      result: "success",
      verified: null,
      detail:
        "systemctl restart web (attempt 1 of 3); systemd is still starting it, for which it may take 15 min",
      values: { starting: true },
    });
    expect(clock.elapsed()).toBe(0);
  });

  it("ended cleanly by itself: restarted", async () => {
    const { tryRestart } = server(stopped);
    expect(await tryRestart()).toMatchObject({ result: "success" });
  });

  it("ended cleanly, and no journal can tell why: no restart", async () => {
    const { tryRestart, systemd } = server(stopped);
    systemd.journal();
    expect(await tryRestart()).toMatchObject({
      refusal: "operator_stopped",
      detail: "the journal cannot tell whether somebody stopped web, and it ended cleanly",
    });
    expect(systemd.calls()).toEqual([]);
  });

  it("crashed, and no journal can tell more: restarted", async () => {
    const { tryRestart, systemd } = server(failed);
    systemd.journal();
    const record = await tryRestart();
    expect(record.result).toBe("success");
    expect(record.steps.at(-1)?.detail).toBe(
      "the journal cannot tell whether somebody stopped web, but it did not end cleanly",
    );
  });

  it("needs another unit that is down: no restart, and then one when that is up", async () => {
    const { tryRestart, systemd } = server();
    systemd.set("api.service", failed);
    systemd.afterRestart("api.service", running);
    systemd.set("db.service", failed);
    expect(await tryRestart("api")).toMatchObject({
      refusal: "not_allowlisted",
      detail:
        "the settings let Argus restart api only while db is active, and db is failed (failed: exit-code)",
    });
    systemd.set("db.service", running);
    const record = await tryRestart("api.service");
    expect(record).toMatchObject({ result: "success", target: "api" });
    expect(record.steps.at(-1)?.detail).toBe("what api requires is active");
  });

  it("went down with another unit that it needs: that one first, whoever was named first", async () => {
    const systemd = recordedSystemd();
    for (const unit of ["api.service", "db.service", "web.service"]) {
      systemd.set(unit, failed);
      systemd.afterRestart(unit, running);
    }
    systemd.journal(...endedByItself);
    const restartable = [
      { unit: "api.service", requires: ["db.service"] },
      { unit: "db.service", requires: [] },
      { unit: "web.service", requires: ["api.service"] },
    ];
    const argus = bench({ path: systemd.path, policy: { restartable, restartSettleSeconds: 0 } });
    const records = await argus.run([restart("web"), restart("api"), restart("db")]);
    expect(records.map(({ target, result }) => [target, result])).toEqual([
      ["web", "success"],
      ["api", "success"],
      ["db", "success"],
    ]);
    expect(systemd.restarts().map((line) => line.split(" ").at(-1))).toEqual([
      "db.service",
      "api.service",
      "web.service",
    ]);
  });
});

describe("what the gate holds a restart to", () => {
  it("the allowlist", async () => {
    const { tryRestart, systemd } = server();
    systemd.set("sshd.service", failed);
    expect(await tryRestart("sshd")).toMatchObject({
      result: "skipped",
      refusal: "not_allowlisted",
      detail: "the settings do not let Argus restart sshd",
    });
    expect(systemd.calls()).toEqual([]);
  });

  it("boot grace", async () => {
    const { tryRestart, clock } = server();
    clock.reboot();
    clock.advance(119.5);
    expect(await tryRestart()).toMatchObject({
      refusal: "boot_grace",
      detail: "the host has been up for 1 min 59 s; nothing is restarted in the first 2 min",
    });
    clock.advance(1);
    expect((await tryRestart()).result).toBe("success");
  });

  it("one restart of a unit a cycle, under whatever name", async () => {
    const { argus, systemd } = server();
    const [first, second] = await argus.run([restart("web"), restart("web.service", { source: "llm:m" })], {
      candidates: { restart_service: ["web"] },
    });
    expect(first?.result).toBe("success");
    expect(second).toMatchObject({
      result: "suppressed",
      refusal: "duplicate",
      detail: "restart_service web was asked for already in this cycle",
    });
    expect(systemd.restarts()).toHaveLength(1);
  });
});

describe("backoff", () => {
  it("lets a unit be restarted at 0 s, 60 s and 300 s, then not for an hour, then begins a new round", async () => {
    const { tryRestart, clock, systemd } = server(failed, failed);
    const at = async (seconds: number) => {
      clock.advance(seconds);
      const record = await tryRestart();
      return record.refusal ?? `attempt ${record.values["attempt"]}`;
    };
    // No time passes during an attempt that fails at once: the seconds below count from the attempt itself.
    expect(await at(0)).toBe("attempt 1");
    expect(await at(1)).toBe("backoff");
    expect(await at(58)).toBe("backoff");
    expect(await at(1)).toBe("attempt 2");
    expect(await at(299)).toBe("backoff");
    expect(await at(1)).toBe("attempt 3");
    expect(await at(300)).toBe("cooldown");
    expect(await at(3299)).toBe("cooldown");
    expect(await at(1)).toBe("attempt 1");
    expect(await at(59)).toBe("backoff");
    expect(await at(1)).toBe("attempt 2");
    expect(systemd.restarts()).toHaveLength(5);
  });

  it("says how long it still takes", async () => {
    const { tryRestart, clock, argus } = server(failed, failed);
    await tryRestart();
    clock.advance(20);
    expect((await tryRestart()).detail).toBe("attempt 1 of 3 was 20 s ago; the next is allowed in 40 s");
    expect(argus.executor.view().backoffs).toEqual([
      {
        unit: "web",
        state: "backoff",
        attempts: 1,
        lastAttempt: "2026-11-20T22:40:00.000Z",
        nextInSeconds: 40,
        healthySince: null,
      },
    ]);
    clock.advance(40);
    await tryRestart();
    clock.advance(300);
    await tryRestart();
    clock.advance(600);
    expect((await tryRestart()).detail).toBe("attempt 3 of 3 was 10 min ago; the next is allowed in 50 min");
  });

  it("counts successful attempts too", async () => {
    const { tryRestart, clock, systemd } = server();
    expect((await tryRestart()).result).toBe("success");
    systemd.set("web.service", failed);
    clock.advance(20);
    expect((await tryRestart()).refusal).toBe("backoff");
  });

  it("survives a restart of Argus", async () => {
    const { tryRestart, clock, argus } = server(failed, failed);
    await tryRestart();
    clock.advance(30);
    argus.restartArgus();
    expect((await tryRestart()).detail).toBe("attempt 1 of 3 was 30 s ago; the next is allowed in 30 s");
  });

  it.each([
    ["set forward by a year", 31_536_000],
    ["set back by a year", -31_536_000],
  ])("is neither shortened nor lengthened by a clock %s", async (_, by) => {
    const { tryRestart, clock } = server(failed, failed);
    await tryRestart();
    clock.setWall(by);
    clock.advance(59);
    expect((await tryRestart()).refusal).toBe("backoff");
    clock.advance(1);
    expect((await tryRestart()).values).toMatchObject({ attempt: 2 });
  });

  it("goes on after a reboot, for at most its own length, whatever the wall clock says", async () => {
    const { tryRestart, clock, argus } = server(failed, failed);
    for (const seconds of [0, 60, 300]) {
      clock.advance(seconds);
      await tryRestart();
    }
    clock.reboot();
    clock.setWall(-31_536_000);
    argus.restartArgus();
    clock.advance(3599);
    expect((await tryRestart()).refusal).toBe("cooldown");
    clock.advance(1);
    expect((await tryRestart()).values).toMatchObject({ attempt: 1 });
  });

  describe("is forgotten", () => {
    it("after an hour in which every look found the unit healthy", async () => {
      const { tryRestart, clock, systemd, argus } = server();
      await tryRestart();
      for (let seconds = 0; seconds < 3600; seconds += 300) {
        argus.executor.observeHealth(["web"], []);
        clock.advance(300);
      }
      expect(argus.executor.view().backoffs).toHaveLength(1);
      argus.executor.observeHealth(["web"], []);
      expect(argus.executor.view().backoffs).toEqual([]);
      argus.restartArgus();
      systemd.set("web.service", failed);
      expect((await tryRestart()).values).toMatchObject({ attempt: 1 });
    });

    it("also when Argus was restarted within that hour", async () => {
      const { tryRestart, clock, argus } = server();
      await tryRestart();
      argus.executor.observeHealth(["web.service"], []);
      clock.advance(3599);
      argus.restartArgus();
      argus.executor.observeHealth(["web.service"], []);
      expect(argus.executor.view().backoffs).toHaveLength(1);
      clock.advance(1);
      argus.executor.observeHealth(["web.service"], []);
      expect(argus.executor.view().backoffs).toEqual([]);
    });

    it.each([
      ["was down", [], ["web"]],
      ["was not seen", [], []],
      ["was said to be both", ["web"], ["web"]],
    ])("not when it %s in between", async (_, active: string[], down: string[]) => {
      const { tryRestart, clock, argus } = server();
      await tryRestart();
      argus.executor.observeHealth(["web"], []);
      clock.advance(3000);
      argus.executor.observeHealth(active, down);
      clock.advance(3000);
      argus.executor.observeHealth(["web"], []);
      clock.advance(3599);
      argus.executor.observeHealth(["web"], []);
      expect(argus.executor.view().backoffs).toHaveLength(1);
      clock.advance(1);
      argus.executor.observeHealth(["web"], []);
      expect(argus.executor.view().backoffs).toEqual([]);
    });

    it("not because the clock was set forward by an hour", async () => {
      const { tryRestart, clock, argus } = server();
      await tryRestart();
      argus.executor.observeHealth(["web"], []);
      clock.setWall(7200);
      argus.executor.observeHealth(["web"], []);
      expect(argus.executor.view().backoffs).toHaveLength(1);
    });
  });
});
