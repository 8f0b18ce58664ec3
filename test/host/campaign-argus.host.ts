/** The fault campaign, Argus itself: killed at any moment, started twice, the host rebooted. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { argusFor, program, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;
const bootGrace = 12;
const units = ["argus", "argus-executor"];
const moments = ["before", "during", "after"];
const cases = units.flatMap((unit) => moments.map((moment) => ({ unit, moment })));
const victimOf = (unit: string, moment: string) => `${moment}-${unit}`;
const victims = cases.map(({ unit, moment }) => victimOf(unit, moment));
/** It notes each start, and while /run/hold is there it does not get through it. */
const held = (name: string) =>
  `ExecStartPre=/bin/sh -c 'echo >>/var/lib/${name}.starts; while test -e /run/hold; do sleep 0.05; done'\n${is.sleeps}`;

beforeAll(async () => {
  host = await bootHost({ name: "itself" });
  await is.services(
    host,
    [...victims, "lonely", "contested"].map((name) => ({ name, what: held(name) })),
  );
  await is.service(host, "late", `ExecStartPre=/bin/sh -c '! test -e /var/lib/late.fails'\n${is.sleeps}`);
  await is.systemctl(host, "start", ...victims, "lonely", "contested", "late");
  const services = [...victims, "lonely", "late"].map((unit) => ({ unit, restart: true }));
  await is.installArgus(host, {
    settings: { services, budgets: { restartsPerHour: 100 } },
    env: { ARGUS_BOOT_GRACE_SECONDS: bootGrace, ARGUS_RESTART_BACKOFF_SECOND_DELAY: 2 },
  });
});
afterAll(async () => await host?.stop());

const starts = (name: string) => host.read(`/var/lib/${name}.starts`).length;
const attempts = (name: string) =>
  JSON.parse(host.read(`${is.executorDir}/restart-backoff.json`)).units[`${name}.service`]?.attempts;

/** Crashes the service, and kills Argus at that moment of its restart. */
async function killAt(moment: string, unit: string, name: string): Promise<void> {
  if (moment === "during") host.write("/run/hold", "");
  await is.crash(host, ...(moment === "before" ? [unit, name] : [name]));
  if (moment === "during") {
    const isHeld = async () => (await is.activeState(host, name)) === "activating";
    await host.waitFor(isHeld, 15_000, "the restart to be under way");
  }
  if (moment === "after")
    await host.waitFor(() => is.answers(host, name).includes("success"), 15_000, "the restart to be over");
  if (moment !== "before") await is.crash(host, unit);
  if (moment === "during") await succeed(host, ["rm", "/run/hold"]);
}

describe("kill -9", () => {
  it.each(cases)("of $unit, $moment an action: it is done once, and counted", async ({ unit, moment }) => {
    const name = victimOf(unit, moment);
    const pid = await is.property(host, unit, "MainPID");
    await killAt(moment, unit, name);
    const isAnew = async () => !["0", pid].includes(await is.property(host, unit, "MainPID"));
    await host.waitFor(isAnew, 20_000, `another ${unit}`);
    await host.waitFor(async () => (await is.activeState(host, name)) === "active", 20_000, `${name} to run`);
    await is.moreCycles(host, 3);
    expect(starts(name)).toBe(2);
    expect(attempts(name)).toBe(1);
  });

  it("in the middle of an action is said, by whichever part is left", async () => {
    const interrupted = is.registry(host).filter(({ condition }) => condition === "interrupted");
    expect(interrupted).not.toEqual([]);
    const { text } = await is.explained(host, "during-argus-executor");
    expect(text).toContain("nobody knows what became of it");
    const notes = is.cycles(host).flatMap((cycle) => cycle.notes);
    expect(notes.join("\n")).toContain(
      "an action was cut off: restart_service during-argus-executor of cycle",
    );
  });
});

it("without its executor, Argus watches, says why it cannot help, and helps when that is back", async () => {
  await is.systemctl(host, "stop", "argus-executor.socket", "argus-executor.service");
  await is.crash(host, "lonely");
  await host.waitFor(() => is.answers(host, "lonely").includes("failure"), 15_000, "the attempt");
  const { problem, text } = await is.explained(host, "lonely");
  expect(problem.life).toBe("open");
  expect(text).toContain("not done, because the executor did not answer");
  expect(is.outbox(host).some((message) => message.text.includes("lonely is failed"))).toBe(true);
  await is.systemctl(host, "start", "argus-executor.socket");
  await host.waitFor(() => is.answers(host, "lonely").includes("success"), 15_000, "lonely to be healed");
  // What was never begun is no attempt.
  expect([starts("lonely"), attempts("lonely")]).toEqual([2, 1]);
});

describe("two at once", () => {
  it("two executors on one state: the second goes, and says who is there", async () => {
    const env = { ARGUS_EXECUTOR_STATE_DIR: is.executorDir, ARGUS_EXECUTOR_SOCKET: "/run/second.sock" };
    const argv = [`${program}/bin/node`, `${program}/dist/main.js`, "executor"];
    const second = await host.exec(argv, { env: { ...env, ARGUS_STATE_DIR: is.stateDir } });
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(
      `Argus is already running on ${is.executorDir}: pid ${await is.property(host, "argus-executor", "MainPID")} (argus executor)`,
    );
  });

  it("five cycles by hand on one state: one does the work, the others go or find it done", async () => {
    const settings = { services: [{ unit: "contested", restart: true }] };
    const argus = argusFor(host, "five", { settings });
    // Out of reach of the installed one, which may not restart it.
    await is.crash(host, "contested");
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, async () => await argus.cycle()));
    expect(starts("contested")).toBe(2);
    expect(await is.activeState(host, "contested")).toBe("active");
    const restarts = outcomes.flatMap((each) =>
      each.status === "fulfilled"
        ? each.value.actions.filter(({ type, result }) => type !== "alert" && result === "success")
        : [],
    );
    expect(restarts.map(({ type, target }) => [type, target])).toEqual([["restart_service", "contested"]]);
    for (const each of outcomes)
      if (each.status === "rejected") expect(String(each.reason)).toContain("Argus is already running on");
  });
});

it("a reboot keeps what is known and tried, and nothing is started in the grace after it", async () => {
  host.write("/var/lib/late.fails", "");
  await is.crash(host, "late");
  await host.waitFor(() => is.answers(host, "late").includes("failure"), 15_000, "the first attempt");
  await host.reboot({ uptimeSeconds: 1 });
  await host.waitFor(() => is.answers(host, "late").at(-1) === "boot_grace", 15_000, "the grace");
  expect(await is.activeState(host, "late")).toBe("failed");
  expect(attempts("late")).toBe(1);
  await succeed(host, ["rm", "/var/lib/late.fails"]);
  await host.waitFor(() => is.answers(host, "late").at(-1) === "success", 25_000, "late to be healed");
  expect(Number(host.read("/proc/uptime").split(" ")[0])).toBeGreaterThan(bootGrace);
  expect(attempts("late")).toBe(2);
  const { problem, text } = await is.explained(host, "late");
  expect(problem.openings).toHaveLength(1);
  expect(text).toContain("refused restart_service late (boot_grace)");
  // It was told to end, and did.
  const afterBoot = is
    .cycles(host)
    .slice(
      is.cycles(host).findLastIndex(({ actions }) => actions.some(({ values }) => values["attempt"] === 1)) +
        1,
    );
  expect(afterBoot.flatMap(({ findings }) => findings.map(({ rule }) => rule))).not.toContain(
    "argus-interrupted",
  );
});
