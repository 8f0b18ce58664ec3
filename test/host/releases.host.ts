/**
 * The healing part: what Argus is for, on one kind of host. Which one, ARGUS_HOST_RELEASE, ARGUS_HOST_JOURNAL and
 * ARGUS_HOST_BOOT_ID say; `npm run test:host:releases` goes through the kinds.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, checkout, type Host } from "./harness.ts";
import * as is from "./installed.ts";
import { kindAskedFor } from "./kinds.ts";

const { release, journal, bootId } = kindAskedFor();
const kind = `${release ?? "this machine's release"}, journal ${journal}, boot id ${bootId}`;
const killSleeps = {
  name: "sleeps-of-bob",
  forEach: "process",
  path: "commandLine",
  value: "sleep 4711",
  action: { type: "kill_pid", target: "{{process.pid}}" },
};
const endStale = {
  name: "stale-of-bob",
  forEach: "session",
  path: "name",
  value: "stale",
  action: { type: "kill_tmux", target: "{{session.name}}" },
};
const rules = [killSleeps, endStale].map(({ name, forEach, path, value, action }) => ({
  name,
  description: "of the test",
  forEach,
  conditions: { all: [{ fact: forEach, path, operator: "equal", value }] },
  event: {
    type: forEach,
    params: {
      condition: name,
      severity: "warning",
      subject: name,
      summary: name,
      actions: [action],
      resolves: true,
    },
  },
}));
const settings = {
  services: ["web", "db", "leaving", "paused"].map((unit) => ({ unit, restart: true })),
  endpoints: [{ name: "shop", url: "http://127.0.0.1:8080", timeoutMilliseconds: 300 }],
  tmuxSockets: ["/tmp/agents.sock"],
  processes: { killable: ["sleep"], protected: [] },
};
const server = `import { existsSync } from "node:fs"; import http from "node:http";
http.createServer((_, answer) => existsSync("/run/hang") || answer.end("ok")).listen(8080);`;
const ends = "ExecStart=/bin/sh -c 'until test -e /run/end; do sleep 0.1; done; rm /run/end'";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "kinds" });
  host.write("/srv/server.mjs", server);
  await succeed(host, ["useradd", "--create-home", "bob"]);
  await is.service(host, "web", `ExecStart=${process.execPath} /srv/server.mjs`);
  for (const name of ["db", "paused"]) await is.service(host, name);
  await is.service(host, "leaving", ends);
  await is.systemctl(host, "start", "web", "db", "leaving", "paused");
  await is.installArgus(host, { settings, rules, env: { ARGUS_BOOT_GRACE_SECONDS: 0 } });
}, 400_000);
afterAll(async () => await host?.stop());

const isActive = async (unit: string) => (await is.activeState(host, unit)) === "active";
const attempts = (unit: string) => done("restart_service").filter(({ target }) => target === unit);
/** By one more restart. */
const isHealed = async (unit: string, act: () => Promise<unknown>) => {
  const before = attempts(unit).length;
  await act();
  await host.waitFor(() => attempts(unit).length > before, 20_000, `a restart of ${unit}`);
  expect(attempts(unit).slice(before)).toMatchObject([{ result: "success", verified: true }]);
  expect(await isActive(unit)).toBe(true);
};
const asBob = async (script: string) => {
  // Nothing of it may hold the pipes of the test.
  const result = await host.exec(["sh", "-c", `exec </dev/null >/dev/null 2>&1; ${script}`], { user: "bob" });
  expect(result.exitCode, result.stderr).toBe(0);
};
const done = (type: string) => is.actions(host, type).filter(({ refusal }) => refusal === null);

describe(`on ${kind}, Argus`, () => {
  it("is right about its host: status, doctor, and the boot that everybody goes by", async () => {
    expect((await is.argus(host, "status")).stdout).toMatch(/Daemon +running as pid/);
    const checks = JSON.parse((await is.argus(host, "doctor", "--json")).stdout) as {
      name: string;
      state: string;
    }[];
    const rest = checks.filter(({ state }) => state !== "ok").map(({ name }) => name);
    const missingHere = ["alerts", "model", "tickets"];
    expect(rest.sort()).toEqual(journal === "none" ? [...missingHere, "journal"].sort() : missingHere);
    const seen = [];
    for (const unit of ["argus", "argus-executor"]) {
      const pid = await is.property(host, unit, "MainPID");
      const given = await succeed(host, [
        "sh",
        "-c",
        `tr '\\0' '\\n' </proc/${pid}/environ | grep ^ARGUS_BOOT_ID=`,
      ]);
      seen.push(given.split("=")[1]);
    }
    const own = host.read("/proc/sys/kernel/random/boot_id").trim().replaceAll("-", "");
    expect(seen).toEqual([own, own]);
    if (journal !== "none") {
      const entry = await succeed(host, [
        "journalctl",
        "-n",
        "1",
        "-o",
        "json",
        "--output-fields=_BOOT_ID",
        "_PID=1",
      ]);
      expect(JSON.parse(entry)).toMatchObject({ _BOOT_ID: own });
    }
  });

  it("has units that this systemd understands to the last line", async () => {
    const units = (
      await succeed(host, ["sh", "-c", `ls ${checkout}/systemd/*.service ${checkout}/argus.service`])
    ).split("\n");
    for (const unit of units) host.write(`/etc/systemd/system/${unit.split("/").at(-1)}`, host.read(unit));
    const names = units.map((unit) => `/etc/systemd/system/${unit.split("/").at(-1)}`);
    const verified = await host.exec(["systemd-analyze", "verify", "--man=no", ...names]);
    expect([verified.exitCode, verified.stderr]).toEqual([0, ""]);
  });

  it("restarts what crashed, and leaves alone what somebody stopped", async () => {
    await isHealed("db", async () => await is.crash(host, "db"));
    await is.systemctl(host, "stop", "db");
    await is.moreCycles(host, 3);
    expect(await isActive("db")).toBe(false);
    await is.systemctl(host, "start", "db");
    await is.moreCycles(host, 2);
    expect(attempts("db")).toHaveLength(1);
  });

  it("starts again what ended cleanly, where the journal says that nobody asked for it", async () => {
    const end = async () => host.write("/run/end", "");
    if (journal !== "none") return await isHealed("leaving", end);
    await end();
    await host.waitFor(
      () => is.alerts(host).some(({ text }) => text.includes("leaving")),
      15_000,
      "an alert",
    );
    expect(await isActive("leaving")).toBe(false);
    await is.systemctl(host, "start", "leaving");
  });

  it("tells of an endpoint that hangs, and of its end", async () => {
    const isTold = () => is.alerts(host).some(({ text }) => /shop .*does not answer as expected/.test(text));
    const isOver = () =>
      is.registry(host).some(({ subject, event }) => subject === "shop" && event === "resolved");
    host.write("/run/hang", "");
    await host.waitFor(isTold, 15_000, "the alert");
    await succeed(host, ["rm", "/run/hang"]);
    await host.waitFor(isOver, 15_000, "the end of it");
    expect(await isActive("web")).toBe(true);
  });

  it("ends a process and a tmux session of another user", async () => {
    await asBob("setsid sleep 4711 &");
    await host.waitFor(() => done("kill_pid").length > 0, 15_000, "the kill");
    expect(done("kill_pid")).toMatchObject([{ result: "success", verified: true }]);
    const tmux = "tmux -S /tmp/agents.sock";
    await asBob(`${tmux} new-session -d -s keep && ${tmux} new-session -d -s stale`);
    await host.waitFor(() => done("kill_tmux").length > 0, 15_000, "the kill");
    expect(done("kill_tmux")).toMatchObject([{ target: "stale", result: "success", verified: true }]);
    const left = await host.exec([...tmux.split(" "), "list-sessions", "-F", "#{session_name}"], {
      user: "bob",
    });
    expect(left.stdout).toBe("keep");
  });

  it("does nothing while it is paused, and goes on afterwards", async () => {
    await succeed(host, ["argus", "pause", "--reason", "a move"]);
    await is.crash(host, "paused");
    await host.waitFor(() => is.answers(host, "paused").includes("paused"), 15_000, "the refusal");
    expect(await is.activeState(host, "paused")).toBe("failed");
    expect((await is.argus(host, "status")).stdout).toContain("a move");
    await succeed(host, ["argus", "resume"]);
    await host.waitFor(() => attempts("paused").length > 0, 15_000, "the restart");
    expect(await isActive("paused")).toBe(true);
    expect(await succeed(host, ["argus", "explain", "--why-not", "service-down"])).toContain("service-down");
  });

  it("heals after a reboot, tells of none that was asked for, and once of a loss of power", async () => {
    const cutOff = () => is.outbox(host).filter(({ text }) => text.includes("been shut down before"));
    for (const cut of [false, true]) {
      if (cut && journal === "persistent") await succeed(host, ["journalctl", "--sync"]);
      const before = is.cycles(host).length;
      await host.reboot({ cut });
      // Some seconds of it: wtmp has whole ones, and a loss of power within one of the shutdown looks like its end.
      await host.waitFor(() => is.cycles(host).length > before + 4, 20_000, "cycles of the new boot");
      // The kernel of this machine goes on, so its boot id tells nobody of another boot (docs/rules.md says so).
      expect(cutOff()).toHaveLength(cut && bootId === "own" ? 1 : 0);
    }
    expect(attempts("web")).toEqual([]);
    await isHealed("web", async () => await is.crash(host, "web"));
    expect((await is.argus(host, "status")).stdout).toMatch(/Daemon +running as pid/);
  });
});
