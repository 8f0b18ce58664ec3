/** The fault campaign, services: whatever goes down or is taken down, against Argus as it is installed. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Evidence } from "../../src/types/trail.ts";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;
const secondDelay = 2;
const thirdDelay = 4;
const plain = ["killed", "stopped", "masked", "disabled", "upgraded", "removed"];

beforeAll(async () => {
  host = await bootHost({ name: "services" });
  // All of them run before Argus comes: a unit that was not started yet is one that is down.
  for (const name of plain) await is.service(host, name);
  await is.service(host, "hopeless", is.failing("hopeless", "exit 3"));
  await is.service(host, "relapsing", is.failing("relapsing", "sleep 2; exit 1"));
  await is.service(host, "slow", `${is.sleeps}\nExecStop=/bin/sleep 2`);
  const present = [...plain, "hopeless", "relapsing", "slow"];
  await is.systemctl(host, "start", ...present);
  const services = [...present, "unknown"].map((unit) => ({ unit, restart: true }));
  const env = {
    ARGUS_RESTART_BACKOFF_SECOND_DELAY: secondDelay,
    ARGUS_RESTART_BACKOFF_THIRD_DELAY: thirdDelay,
  };
  await is.installArgus(host, { settings: { services, budgets: { restartsPerHour: 100 } }, env });
});
afterAll(async () => await host?.stop());

const linesAbout = (name: string) => is.registry(host).filter(({ subject }) => subject === name);
const toldAbout = (name: string) => is.alerts(host).filter(({ text }) => text.includes(name));
const attempts = (name: string) =>
  is
    .actions(host, "restart_service", name)
    .filter(({ refusal }) => refusal === null)
    .map(({ result, verified, values }) => [result, verified, values["attempt"]]);

describe("a service that crashes", () => {
  it("by kill -9, runs again, and its problem is told from the first sight to the end", async () => {
    await is.crash(host, "killed");
    const ended = () => linesAbout("killed").some(({ event }) => event === "resolved");
    await host.waitFor(ended, 15_000, "the end of it");
    expect(await is.activeState(host, "killed")).toBe("active");
    expect(linesAbout("killed")).toMatchObject([
      { event: "opened", severity: "critical", description: "killed is failed (signal)" },
      { event: "action", action_taken: "restart_service:killed", action_result: "success", verified: true },
      { event: "action", action_taken: "alert", action_result: "success", source: "self" },
      { event: "resolved", reason: "healed" },
    ]);
    const { problem, text } = await is.explained(host, "killed");
    expect(problem.life).toBe("resolved");
    expect(text).toContain("systemctl restart killed (attempt 1 of 3)");
    // It was repaired before anybody was alerted: that is reported, and nothing else.
    expect(toldAbout("killed")).toEqual([]);
    const reports = is.outbox(host).filter(({ text }) => text.includes("killed"));
    expect(
      reports.map(({ severity, text }) => [
        severity,
        text.includes("REPAIRED killed (was: failed, signal), down "),
      ]),
    ).toEqual([["info", true]]);
  });

  it("at once on every start, is tried three times with growing delays, told once, and given up", async () => {
    await is.beginToFail(host, "hopeless");
    await host.waitFor(() => is.answers(host, "hopeless").includes("cooldown"), 25_000, "the cooldown");
    await is.moreCycles(host, 3);
    const starts = is.startsOf(host, "hopeless");
    expect(starts).toHaveLength(4);
    // The delay counts from before systemctl is started to before it is started again.
    const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
    expect(gaps[1]).toBeGreaterThan(secondDelay - 0.5);
    expect(gaps[2]).toBeGreaterThan(thirdDelay - 0.5);
    expect(attempts("hopeless")).toEqual([
      ["failure", false, 1],
      ["failure", false, 2],
      ["failure", false, 3],
    ]);
    expect(await is.activeState(host, "hopeless")).toBe("failed");
    const { problem, text } = await is.explained(host, "hopeless");
    expect(problem.life).toBe("open");
    expect(text).toMatch(/refused restart_service hopeless \(cooldown\): attempt 3 of 3 was \d+ s ago/);
    expect(toldAbout("hopeless").map(({ severity }) => severity)).toEqual(["critical"]);
  });

  it("again and again, seconds after each restart, is one problem, and its delays go on", async () => {
    await is.beginToFail(host, "relapsing");
    await host.waitFor(() => is.answers(host, "relapsing").includes("cooldown"), 40_000, "the cooldown");
    // Each was active after the settle time of a second, and down again a second later.
    expect(attempts("relapsing")).toEqual([
      ["success", true, 1],
      ["success", true, 2],
      ["success", true, 3],
    ]);
    const { problem, text } = await is.explained(host, "relapsing");
    expect(problem.openings).toHaveLength(4);
    expect(text).toContain("the 4th time in 24 h");
    await host.waitFor(() => toldAbout("relapsing").length > 0, 5_000, "the message");
    expect(toldAbout("relapsing")[0]?.text).toMatch(/attempt [12] of 3 was/);
    await is.moreCycles(host, 3);
    expect(is.startsOf(host, "relapsing")).toHaveLength(4);
  });
});

describe("a service is left alone, and explain says so,", () => {
  const stoppedByOperator = async (name: string) => {
    const text = await succeed(host, ["argus", "explain", "--why-not", "service-down", "--json"]);
    const { looks } = JSON.parse(text) as { looks: { identity: string; evidence: Evidence[] }[] };
    const look = looks.find(({ identity }) => identity === name);
    return look?.evidence.find(({ path }) => path === "stoppedByOperator")?.saw;
  };

  it.each([
    { name: "stopped", act: ["stop"] },
    { name: "masked", act: ["mask", "--now"] },
    { name: "disabled", act: ["disable", "--now"] },
  ])("that an operator $name", async ({ name, act }) => {
    await is.systemctl(host, ...act, name);
    await is.moreCycles(host, 3);
    expect(await is.activeState(host, name)).toBe("inactive");
    // Noted once, told to nobody.
    expect(linesAbout(name)).toMatchObject([{ event: "opened", severity: "info", condition: "stopped" }]);
    expect(toldAbout(name)).toEqual([]);
    expect(await stoppedByOperator(name)).toBe(true);
  });

  it("that a package upgrade stops, replaces and starts", async () => {
    // What maintainer scripts do (deb-systemd-invoke(1p)), with dpkg taking its time in between.
    await is.systemctl(host, "stop", "upgraded");
    await is.moreCycles(host, 2);
    await is.service(host, "upgraded", is.sleeps.replace("infinity", "1000000"));
    await is.moreCycles(host, 2);
    expect(await stoppedByOperator("upgraded")).toBe(true);
    expect(await is.activeState(host, "upgraded")).toBe("inactive");
    await is.systemctl(host, "start", "upgraded");
    await is.moreCycles(host, 2);
    expect(await is.activeState(host, "upgraded")).toBe("active");
    const isOver = () => linesAbout("upgraded").some(({ event }) => event === "resolved");
    await host.waitFor(isOver, 10_000, "the end of the stop");
    expect(linesAbout("upgraded")).toMatchObject([
      { event: "opened", severity: "info", condition: "stopped" },
      { event: "resolved", condition: "stopped" },
    ]);
    expect(toldAbout("upgraded")).toEqual([]);
  });

  it("that takes its time over a restart that somebody asked for", async () => {
    const before = is.cycles(host).length;
    await is.systemctl(host, "restart", "slow");
    // It takes two seconds to stop, which cycles see.
    expect(is.cycles(host).length).toBeGreaterThan(before);
    await is.moreCycles(host, 2);
    expect(linesAbout("slow")).toEqual([]);
    expect(await is.property(host, "slow", "NRestarts")).toBe("0");
  });

  it("whose package was removed under it, and people are told", async () => {
    await succeed(host, ["rm", "/usr/lib/systemd/system/removed.service"]);
    await is.systemctl(host, "daemon-reload");
    await is.crash(host, "removed");
    await is.moreCycles(host, 3);
    expect(await is.activeState(host, "removed")).toBe("failed");
    expect(is.actions(host, "restart_service", "removed")).toEqual([]);
    expect(toldAbout("removed").map(({ severity }) => severity)).toEqual(["critical"]);
    const status = await succeed(host, ["argus", "status"]);
    expect(status).toMatch(/removed +down +its unit file is gone/);
    expect(status).toMatch(/Not here +.*unknown/);
  });
});
