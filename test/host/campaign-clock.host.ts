/**
 * The fault campaign, the clock: set forward and back by an hour while Argus runs. The machine's own clock is not
 * touched: the processes of Argus are given another Date. Nothing may be cleaned under such a clock.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { clockEnvironment, layClock, setClock } from "./clock.ts";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;
const socket = "/run/agents.sock";
const delay = 4;
const directions = [
  { where: "forward", seconds: 3600 },
  { where: "back", seconds: -3600 },
];
const allowed = directions.map(({ where }) => `web-${where}`);

const rule = (name: string, forEach: string, held: object, conditions: object[], given: object[]) => ({
  name,
  description: "of the test",
  forEach,
  conditions: { all: conditions },
  for: held,
  event: {
    type: forEach,
    params: {
      condition: name,
      severity: "warning",
      subject: name,
      summary: name,
      actions: given,
      resolves: true,
    },
  },
});
const rules = [
  { name: "disk-full", enabled: false },
  rule(
    "ten-minutes",
    "service",
    { minutes: 10 },
    [{ fact: "service", path: "watched", operator: "equal", value: true }],
    [],
  ),
  rule(
    "idle-for-half-an-hour",
    "session",
    { cycles: 1 },
    [{ fact: "session", path: "idleSeconds", operator: "greaterThan", value: 1800 }],
    [{ type: "kill_tmux", target: "{{session.name}}" }],
  ),
];

beforeAll(async () => {
  host = await bootHost({ name: "clock" });
  layClock(host);
  await is.services(
    host,
    [...allowed, "other"].map((name) => ({ name })),
  );
  await is.systemctl(host, "start", ...allowed, "other");
  await succeed(host, ["tmux", "-S", socket, "new-session", "-d", "-s", "agent", "cat"]);
  await is.installArgus(host, {
    settings: {
      services: allowed.map((unit) => ({ unit, restart: true })),
      tmuxSockets: [socket],
      budgets: { restartsPerHour: 5 },
    },
    env: { ARGUS_RESTART_BACKOFF_SECOND_DELAY: delay },
    rules,
  });
  await is.crash(host, "other");
  await host.waitFor(() => is.outbox(host).length > 0, 10_000, "the alert");
});
afterAll(async () => await host?.stop());

const argus = async (...args: string[]) => {
  const result = await host.exec(["/usr/local/bin/argus", ...args], { env: clockEnvironment });
  expect([result.exitCode, result.stderr]).toEqual([0, ""]);
  return result.stdout;
};
const restartsUsed = async (): Promise<number> => {
  const { budgets } = JSON.parse(await argus("status", "--json")) as {
    budgets: { name: string; used: number }[];
  };
  return budgets.find(({ name }) => name === "restarts")?.used ?? Number.NaN;
};

describe.each(directions)("a clock that is set $where by an hour", ({ where, seconds }) => {
  const name = `web-${where}`;

  it("neither shortens nor lengthens a delay, and is no reason to act or to tell again", async () => {
    setClock(host, 0);
    const before = is.cycles(host).length;
    await is.crash(host, name);
    await host.waitFor(() => is.answers(host, name).includes("success"), 10_000, "the first restart");
    const used = await restartsUsed();
    const begun = performance.now();
    setClock(host, seconds);
    await is.crash(host, name);
    await host.waitFor(() => is.answers(host, name).length === 3, 15_000, "the second restart");
    expect(is.answers(host, name)).toEqual(["success", "backoff", "success"]);
    expect((performance.now() - begun) / 1000).toBeGreaterThan(delay - 1);
    expect(await restartsUsed()).toBe(used + 1);
    const ts = is
      .cycles(host)
      .slice(before)
      .map(({ cycle }) => Date.parse(cycle.ts) / 1000);
    const leaps = ts.slice(1).map((each, index) => each - (ts[index] ?? 0));
    expect(leaps.filter((leap) => Math.abs(leap) > 3000)).toHaveLength(1);
    await is.moreCycles(host, 3);
    const fired = is.cycles(host).flatMap(({ findings }) => findings.map(({ rule }) => rule));
    expect(fired).not.toContain("ten-minutes");
    expect(fired).not.toContain("idle-for-half-an-hour");
    // Of the one that was alerted before, nothing is said again.
    expect(is.alerts(host).filter(({ text }) => text.includes("other failed"))).toHaveLength(1);
    const problems = is.registry(host).filter(({ subject }) => subject === name);
    expect(new Set(problems.map(({ key }) => key)).size).toBe(1);
  });
});
