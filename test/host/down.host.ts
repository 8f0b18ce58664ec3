/** Down is down, whoever stopped it and whatever the journal knows: against a real systemd. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TrailCycle } from "../../src/types/trail.ts";
import { type Argus, argusFor, layDown, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "down" });
  await layDown(host);
});
afterAll(async () => await host?.stop());

const sleeps = "ExecStart=/bin/sleep infinity";
const systemctl = async (...args: string[]) => await succeed(host, ["systemctl", ...args]);
const state = async (unit: string) => (await host.exec(["systemctl", "is-active", unit])).stdout;
const crash = async (unit: string) => await systemctl("kill", "--signal=KILL", unit);

async function write(name: string, text: string, enable = true): Promise<void> {
  await host.unit(name, text);
  if (enable) await systemctl("enable", name);
}
const service = async (name: string, what = sleeps, unit = "", enable = true) =>
  await write(
    `${name}.service`,
    `[Unit]\n${unit}\n[Service]\n${what}\n[Install]\nWantedBy=multi-user.target\n`,
    enable,
  );

const watching = (name: string, ...services: object[]): Argus =>
  argusFor(host, name, { settings: { services }, env: { ARGUS_BOOT_GRACE_SECONDS: "0" } });
const may = (...units: string[]) => units.map((unit) => ({ unit, restart: true }));

const findings = (cycle: TrailCycle, name: string) =>
  cycle.findings.filter(({ subject }) => subject === name).map(({ rule }) => rule);
const restarts = (cycle: TrailCycle, name: string) =>
  cycle.actions
    .filter(({ type, target }) => type === "restart_service" && target === name)
    .map(({ result, refusal }) => refusal ?? result);
const alerts = (cycle: TrailCycle, name: string) =>
  cycle.actions.filter(
    ({ type, refusal, problem }) =>
      type === "alert" &&
      refusal === null &&
      cycle.findings.some(({ key, subject }) => key === problem && subject === name),
  ).length;

describe("a service that crashed", () => {
  it("is restarted although it is disabled: that says nothing about a stop", async () => {
    await service("loose", sleeps, "", false);
    await systemctl("start", "loose");
    const argus = watching("loose", ...may("loose"));
    await crash("loose");
    expect(restarts(await argus.cycle(), "loose")).toEqual(["success"]);
    expect(await state("loose")).toBe("active");
  });

  it("is reported when its file was broken meanwhile, or is gone", async () => {
    for (const name of ["broken", "erased"]) {
      await service(name);
      await systemctl("start", name);
    }
    host.write("/etc/systemd/system/broken.service", "[Service]\nRestart=always\n");
    await succeed(host, ["rm", "/etc/systemd/system/erased.service"]);
    await systemctl("daemon-reload");
    await crash("broken");
    await crash("erased");
    const argus = watching("broken", ...may("broken", "erased"));
    const cycle = await argus.cycle();
    for (const name of ["broken", "erased"]) {
      expect(findings(cycle, name)).toEqual(["service-down-not-restarted"]);
      expect(alerts(cycle, name)).toBe(1);
    }
  });

  it("is reported when it was here once, and is gone", async () => {
    await service("visitor");
    await systemctl("start", "visitor");
    const argus = watching("visitor", ...may("visitor", "stranger"));
    await argus.cycle();
    await systemctl("disable", "--now", "visitor");
    await succeed(host, ["rm", "/etc/systemd/system/visitor.service"]);
    await systemctl("daemon-reload");
    const cycle = await argus.cycle();
    expect(findings(cycle, "visitor")).toEqual(["service-down-not-restarted"]);
    expect(findings(cycle, "stranger")).toEqual([]);
    expect(await argus.command("status")).toMatch(/visitor +down +its unit file is gone/);
  });
});

describe("a service that was never started since boot", () => {
  it("is reported, not started", async () => {
    await service("unborn");
    const cycle = await watching("unborn", ...may("unborn")).cycle();
    expect(findings(cycle, "unborn")).toEqual(["service-down-not-restarted"]);
    expect([alerts(cycle, "unborn"), restarts(cycle, "unborn")]).toEqual([1, []]);
  });
});

describe("who stopped it:", () => {
  it("a dependency that crashed; it is started again when that is back", async () => {
    await service("bdb", `${sleeps}\nRestart=always\nRestartSec=3`);
    await service("bapp", `${sleeps}\nRestart=always`, "BindsTo=bdb.service\nAfter=bdb.service");
    await systemctl("start", "bapp");
    const argus = watching("bapp", ...may("bapp"));
    await crash("bdb");
    await host.waitFor(async () => (await state("bapp")) === "inactive", 5_000, "bapp to go down");
    expect(restarts(await argus.cycle(), "bapp")).toEqual(["dependency_down"]);
    await host.waitFor(async () => (await state("bdb")) === "active", 6_000, "bdb to be back");
    expect(restarts(await argus.cycle(), "bapp")).toEqual(["success"]);
    expect(await state("bapp")).toBe("active");
  });

  it("a person who stopped what it needs", async () => {
    await service("mdb");
    await service("mapp", sleeps, "Requires=mdb.service\nAfter=mdb.service");
    await systemctl("start", "mapp");
    await systemctl("stop", "mdb");
    expect(findings(await watching("mapp", ...may("mapp")).cycle(), "mapp")).toEqual(["service-stopped"]);
    expect(await state("mdb")).toBe("inactive");
  });

  it("itself; it is reported, with its state", async () => {
    await service("gateway", "ExecStart=/bin/sh -c 'sleep 1; systemctl stop gateway; sleep 5'");
    await systemctl("start", "gateway");
    await host.waitFor(async () => (await state("gateway")) === "inactive", 8_000, "gateway to stop itself");
    const cycle = await watching("gateway", ...may("gateway")).cycle();
    expect(findings(cycle, "gateway")).toEqual(["service-down-not-restarted"]);
    expect([alerts(cycle, "gateway"), restarts(cycle, "gateway")]).toEqual([1, []]);
  });

  it("a person; it is noted once, its endpoint is no trouble, and status shows it", async () => {
    await service("quiet");
    await systemctl("start", "quiet");
    const endpoint = { url: "tcp://127.0.0.1:9", timeoutMilliseconds: 500 };
    const argus = watching("quiet", { unit: "quiet", restart: true, endpoint });
    await systemctl("stop", "quiet");
    for (let look = 0; look < 3; look += 1) {
      const cycle = await argus.cycle();
      expect(findings(cycle, "quiet")).toEqual(["service-stopped"]);
      expect([alerts(cycle, "quiet"), restarts(cycle, "quiet")]).toEqual([0, []]);
    }
    expect(await argus.command("status")).toMatch(/quiet +stopped +a person stopped it/);
  });
});

describe("inactive by nature", () => {
  it("is neither run nor reported: a timer's job, a socket's service, a oneshot, an unmet condition", async () => {
    await write("job.service", "[Service]\nType=oneshot\nExecStart=/bin/touch /run/job-ran\n", false);
    await write("job.timer", "[Timer]\nOnCalendar=*-*-* 03:00\n[Install]\nWantedBy=timers.target\n");
    await write("echo.service", `[Service]\n${sleeps}\n`, false);
    await write("echo.socket", "[Socket]\nListenStream=127.0.0.1:7007\n[Install]\nWantedBy=sockets.target\n");
    await service("once", "Type=oneshot\nExecStart=/bin/true");
    await service("unmet", sleeps, "ConditionPathExists=/nowhere");
    await systemctl("start", "job.timer", "echo.socket", "once", "unmet");
    const names = ["job", "echo", "once", "unmet"];
    const argus = watching("nature", ...may(...names));
    const cycle = await argus.cycle();
    for (const name of names)
      expect([name, findings(cycle, name), restarts(cycle, name)]).toEqual([name, [], []]);
    expect((await host.exec(["test", "-e", "/run/job-ran"])).exitCode).toBe(1);
    const check = await argus.command("check");
    for (const words of [
      /job is started by job\.timer/,
      /echo is started by/,
      /once is a oneshot/,
      /unmet is not/,
    ])
      expect(check).toMatch(words);
    expect(await argus.command("status")).toMatch(/echo +waiting +echo\.socket starts it/);
    await host.exec(["systemctl", "kill", "--signal=KILL", "job.timer"]);
    await systemctl("stop", "echo.socket");
    // Who stops the socket knows that nobody is let in.
    expect(findings(await argus.cycle(), "echo")).toEqual(["service-stopped"]);
  });

  it("is reported when its last run failed, and not run again", async () => {
    await write("bad.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n", false);
    await host.exec(["systemctl", "start", "bad"]);
    const cycle = await watching("bad", ...may("bad")).cycle();
    expect(findings(cycle, "bad")).toEqual(["service-down-not-restarted"]);
    expect([alerts(cycle, "bad"), restarts(cycle, "bad")]).toEqual([1, []]);
  });
});

describe("on its way", () => {
  it("has not recovered before it is active, and does not keep others waiting", async () => {
    const slow = (name: string) =>
      `Type=notify\nNotifyAccess=all\nTimeoutStartSec=900\nExecStart=/bin/sh -c '[ -e /run/slow ] && while [ -e /run/slow ]; do sleep 0.2; done; systemd-notify --ready; exec sleep infinity # ${name}'`;
    const names = ["slow1", "slow2", "slow3"];
    for (const name of names) await service(name, slow(name));
    await systemctl("start", ...names);
    host.write("/run/slow", "");
    for (const name of names) await crash(name);
    const argus = watching("slow", ...may(...names));
    const begun = Date.now();
    const first = await argus.cycle();
    expect(Date.now() - begun).toBeLessThan(12_000);
    for (const name of names) expect(restarts(first, name)).toEqual(["success"]);
    const second = await argus.cycle();
    expect(second.problems.resolved).toEqual([]);
    const open = (cycle: TrailCycle) =>
      first.problems.opened.filter((key) => cycle.problems.open.includes(key));
    const own = first.findings.filter(({ subject }) => names.includes(subject)).map(({ key }) => key);
    expect(open(second)).toEqual(expect.arrayContaining(own));
    await succeed(host, ["rm", "/run/slow"]);
    await host.waitFor(async () => (await state("slow3")) === "active", 5_000, "slow3 to be ready");
    expect(open(await argus.cycle()).filter((key) => own.includes(key))).toEqual([]);
  });

  it("for ever is stuck", async () => {
    await service("stuck", `Type=notify\nTimeoutStartSec=infinity\n${sleeps}`);
    await service("later", "Restart=always\nRestartSec=900\nExecStart=/bin/sh -c 'exit 3'");
    await service(
      "deaf",
      `ExecStart=/bin/sh -c 'trap "" TERM; while :; do sleep 1; done'\nTimeoutStopSec=infinity`,
    );
    await systemctl("start", "deaf");
    await systemctl("start", "--no-block", "stuck", "later");
    await new Promise((resolve) => setTimeout(resolve, 500));
    await systemctl("stop", "--no-block", "deaf");
    const argus = watching("stuck", ...may("stuck", "later"), { unit: "deaf" });
    const now = await argus.cycle();
    for (const name of ["stuck", "later", "deaf"]) expect([name, findings(now, name)]).toEqual([name, []]);
    await crash("deaf");
  });
});

describe("names", () => {
  it("that systemd refuses cost their own entry, and are named", async () => {
    await service("plain");
    await systemctl("start", "plain");
    const argus = watching("names", ...may("tmpl@", "plain"));
    await crash("plain");
    const cycle = await argus.cycle();
    expect(restarts(cycle, "plain")).toEqual(["success"]);
    expect(findings(cycle, "tmpl@")).toEqual(["service-unreadable"]);
    expect(alerts(cycle, "tmpl@")).toBe(1);
    await expect(argus.command("check")).rejects.toThrow(/: 2 $/);
    await expect(argus.command("doctor")).rejects.toThrow(/: 1 $/);
  });

  it("of one unit are one unit", async () => {
    await write(
      "real.service",
      `[Service]\n${sleeps}\n[Install]\nAlias=nick.service\nWantedBy=multi-user.target\n`,
    );
    await systemctl("start", "real");
    const argus = watching("alias", ...may("nick", "real"));
    await crash("real");
    const cycle = await argus.cycle();
    expect(cycle.findings.filter(({ rule }) => rule === "service-down")).toHaveLength(1);
    expect(restarts(cycle, "real")).toEqual(["success"]);
  });
});

describe("a journal that cannot tell", () => {
  it("keeps no crash from being repaired, and no clean end silent", async () => {
    await service("mute");
    await service("ends", "ExecStart=/bin/sleep infinity");
    await systemctl("start", "mute", "ends");
    host.write("/etc/systemd/journald.conf.d/x.conf", "[Journal]\nStorage=none\n");
    await systemctl("restart", "systemd-journald");
    const argus = watching("mute", ...may("mute", "ends"));
    await crash("mute");
    await systemctl("kill", "--signal=TERM", "ends");
    const cycle = await argus.cycle();
    expect(findings(cycle, "mute").sort()).toEqual(["service-down", "service-down-cause-unknown"]);
    expect([restarts(cycle, "mute"), alerts(cycle, "mute")]).toEqual([["success"], 1]);
    expect(findings(cycle, "ends")).toEqual(["service-down-not-restarted"]);
    expect([restarts(cycle, "ends"), alerts(cycle, "ends")]).toEqual([[], 1]);
    expect(await argus.command("doctor")).toMatch(/limited +journal +the journal keeps no new messages/);
    await succeed(host, ["rm", "/etc/systemd/journald.conf.d/x.conf"]);
    await systemctl("restart", "systemd-journald");
  });

  it("because it was vacuumed, likewise", async () => {
    await service("older");
    await systemctl("start", "older");
    await systemctl("kill", "--signal=TERM", "older");
    await host.waitFor(async () => (await state("older")) === "inactive", 5_000, "older to end");
    await succeed(host, ["journalctl", "--rotate"]);
    await succeed(host, ["journalctl", "--vacuum-time=1s", "--vacuum-files=1"]);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await succeed(host, ["journalctl", "--rotate"]);
    await succeed(host, ["journalctl", "--vacuum-time=1s", "--vacuum-files=1"]);
    const cycle = await watching("older", ...may("older")).cycle();
    expect(findings(cycle, "older")).toEqual(["service-down-not-restarted"]);
    expect(alerts(cycle, "older")).toBe(1);
  });
});
