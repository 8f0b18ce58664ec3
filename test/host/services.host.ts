/**
 * What Argus believes about systemd, asked of a real one. The same outputs are the fixtures of the parsers' tests:
 * `ARGUS_GOLDEN=write npm run test:host` records them anew, every other run compares them with what systemd says now.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBus } from "../../src/system/bus/bus.ts";
import { createClock } from "../../src/system/clock.ts";
import type { Run } from "../../src/system/system.ts";
import { showUnits, showUnitsAndFailed } from "../../src/system/systemd.ts";
import { stopWasRequested } from "../../src/system/unit-journal.ts";
import { stateEntered } from "../../src/system/unit-state.ts";
import { bootHost, checkout, type Host } from "./harness.ts";
import { bringAbout, properties, stateProperties, type UnitCase, unitCases } from "./unit-states.ts";

const fixtures = join(checkout, "test/fixtures/systemd");
const stoppingMessage = "de5b426a63be47a7b6ac3eaac82e2f6f";
const stamps = ["ActiveEnter", "ActiveExit", "InactiveEnter", "InactiveExit", "StateChange"].map(
  (each) => `${each}TimestampMonotonic`,
);
const shown = [
  ...["Id", "Names", ...stateProperties, "UnitFilePreset", "MainPID", "ControlPID", "NRestarts", "Job"],
  ...["ExecMainCode", "ExecMainStatus", "InvocationID", "NeedDaemonReload", "Type", "Restart", ...stamps],
];
/** Of a state, in order: how it is shown, its "Stopping" messages, and all that systemd told about it. */
const queries = (name: string) => ({
  show: ["systemctl", "show", `--property=${shown.join(",")}`, `${name}.service`],
  stops: ["journalctl", "--quiet", "-o", "json", `MESSAGE_ID=${stoppingMessage}`, "-u", `${name}.service`],
  messages: [
    ...["journalctl", "--quiet", "--boot", "-o", "json", "_PID=1", `UNIT=${name}.service`],
    "--output-fields=MESSAGE_ID,JOB_TYPE,JOB_RESULT,UNIT,UNIT_RESULT,INVOCATION_ID,MESSAGE",
  ],
});
type Query = keyof ReturnType<typeof queries>;

let host: Host;
/** Outputs by fixture name. */
const seen = new Map<string, string>();

beforeAll(async () => {
  host = await bootHost({ name: "services" });
  await bringAbout(host, unitCases);
  await host.exec(["journalctl", "--sync"]);
  const all = unitCases.flatMap(({ name }) =>
    Object.entries(queries(name)).map(([query, argv]) => ({ fixture: `${name}.${query}.txt`, argv })),
  );
  await Promise.all(all.map(async ({ fixture, argv }) => seen.set(fixture, await output(argv))));
  seen.set("watched-and-failed.show.txt", await output(watchedAndFailed));
  if (process.env["ARGUS_GOLDEN"] !== "write") return;
  mkdirSync(fixtures, { recursive: true });
  for (const [fixture, text] of seen) writeFileSync(join(fixtures, fixture), text);
});
afterAll(async () => await host?.stop());

const watchedAndFailed = [
  ...["systemctl", "--no-pager", "--state=failed", `--property=${shown.join(",")}`, "show", "--"],
  ...["active.service", "stopped.service", "not-found.service", "*"],
];

async function output(argv: readonly string[], on = host): Promise<string> {
  const result = await on.exec(argv);
  if (result.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${result.stderr}`);
  return result.stdout === "" ? "" : `${result.stdout}\n`;
}

const runOn =
  (on: Host): Run =>
  async (program, args, options = {}) => {
    const { timeoutMs = 10_000 } = options;
    const result = await on.exec([program, ...args], { timeoutMs });
    return { ...result, timedOut: result.exitCode === null, missing: result.exitCode === 127 };
  };
const run: Run = (program, args, options) => runOn(host)(program, args, options);
const systemctl = { run, bus: noBus };
const on = (of: Host) => ({
  run: runOn(of),
  clock: createClock(of.read("/proc/sys/kernel/random/boot_id").trim()),
});

const lines = (text: string) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, string>);

describe.each(unitCases)("a unit, $name: $what", ({ name }: UnitCase) => {
  const get = (query: Query) => seen.get(`${name}.${query}.txt`) ?? "";

  it("is shown as the fixture has it", () => {
    const steady = (text: string) => {
      const values = properties(text);
      return [
        [...values.keys()].sort(),
        ...[...stateProperties, "Id", "NRestarts", "ExecMainStatus"].map((each) => values.get(each)),
        ...["MainPID", "Job", ...stamps].map((each) => (values.get(each) ?? "0") !== "0"),
      ];
    };
    expect(steady(get("show"))).toEqual(steady(recorded(`${name}.show.txt`)));
  });

  it("left the messages that the fixtures have", () => {
    // What has no id is said at each reload, which is as often as the other cases made systemd reload.
    const steady = (text: string) =>
      lines(text)
        .filter((each) => each["MESSAGE_ID"] !== undefined)
        .map((each) => [each["MESSAGE_ID"], each["JOB_TYPE"], each["JOB_RESULT"], each["UNIT_RESULT"]]);
    expect(steady(get("stops"))).toEqual(steady(recorded(`${name}.stops.txt`)));
    expect(steady(get("messages"))).toEqual(steady(recorded(`${name}.messages.txt`)));
  });
});

const recorded = (fixture: string) => readFileSync(join(fixtures, fixture), "utf8");

describe("what Argus builds on", () => {
  it("only a stop that was asked for is announced as a stop job", () => {
    const announced = unitCases
      .filter(({ name }) => seen.get(`${name}.stops.txt`) !== "")
      .map(({ name }) => name);
    // A restart announces one, too; a stop while it waits for its automatic restart does not.
    expect(announced).toEqual([
      "stopped",
      "stopped-disabled",
      "stopped-failing",
      "stopped-dependent",
      "restarted-killed",
      "started-again-killed",
      "stopping",
    ]);
  });

  it("a list with a pattern shows the named units in any state and of all others only the failed ones", async () => {
    const failed = unitCases
      .filter(({ settles }) => settles.includes(" failed "))
      .map(({ name }) => `${name}.service`);
    const ids = [...(seen.get("watched-and-failed.show.txt") ?? "").matchAll(/^Id=(.*)$/gm)].map(
      ([, id]) => id,
    );
    expect(ids.slice(0, 3)).toEqual(["active.service", "stopped.service", "not-found.service"]);
    expect(ids.slice(3).sort()).toEqual(failed.sort());

    const units = await showUnitsAndFailed(systemctl, ["stopped", "active"]);
    expect(units.asked.map((each) => ("id" in each ? [each.id, each.activeState] : each.refused))).toEqual([
      ["stopped.service", "inactive"],
      ["active.service", "active"],
    ]);
    expect(units.failed.map(({ id }) => id).sort()).toEqual(failed);
  });

  it("NRestarts counts automatic restarts, and begins again with a start by hand and with reset-failed", async () => {
    await host.unit(
      "loop.service",
      "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sleep infinity\nRestart=always\nRestartSec=0\n",
    );
    const loop = async () => {
      const [unit] = await showUnits(systemctl, ["loop"]);
      if (unit === undefined) throw new Error("systemctl showed nothing");
      return unit;
    };
    const crash = async () => {
      const { mainPid } = await loop();
      await output(["kill", "-9", String(mainPid)]);
      const again = async () => ![0, mainPid].includes((await loop()).mainPid);
      await host.waitFor(again, 5_000, "loop.service to be restarted");
      return (await loop()).restarts;
    };
    await output(["systemctl", "start", "loop"]);
    expect((await loop()).restarts).toBe(0);
    expect(await crash()).toBe(1);
    expect(await crash()).toBe(2);
    await output(["systemctl", "daemon-reload"]);
    expect((await loop()).restarts).toBe(2);
    await output(["systemctl", "reset-failed", "loop"]);
    expect((await loop()).restarts).toBe(0);
    expect(await crash()).toBe(1);
    await output(["systemctl", "restart", "loop"]);
    expect((await loop()).restarts).toBe(0);
  });

  it("time stamps are microseconds of the clock that /proc/uptime shows, and say since when a state holds", async () => {
    const uptime = () => Number(host.read("/proc/uptime").split(" ")[0]);
    await host.unit("brief.service", "[Service]\nExecStart=/bin/sleep infinity\n");
    const entered = async (act: string[]) => {
      const before = uptime();
      await output(act);
      await host.waitFor(
        async () => {
          const [unit] = await showUnits(systemctl, ["brief"]);
          return unit?.activeState === (act[1] === "start" ? "active" : "failed");
        },
        5_000,
        `brief.service after ${act.join(" ")}`,
      );
      const [unit] = await showUnits(systemctl, ["brief"]);
      const seconds = ((unit && stateEntered(unit)) ?? 0) / 1e6;
      // /proc/uptime has hundredths.
      expect(seconds).toBeGreaterThanOrEqual(before - 0.01);
      expect(seconds).toBeLessThanOrEqual(uptime() + 0.01);
      return seconds;
    };
    const started = await entered(["systemctl", "start", "brief"]);
    const failed = await entered(["systemctl", "kill", "--signal=KILL", "brief"]);
    expect(failed).toBeGreaterThan(started);
  });
});

describe("whether somebody asked a unit to stop", () => {
  const down = unitCases.filter(({ requested }) => requested !== undefined);

  it.each(down)("$name: $requested ($what)", async ({ name, requested }) => {
    const [unit] = await showUnits(systemctl, [name]);
    expect(unit && (await stopWasRequested(on(host), unit))).toBe(requested);
  });

  it("a stop at shutdown belongs to the boot before: after it, nobody asked", async () => {
    const other = await bootHost({ name: "shutdown" });
    try {
      await other.unit("cut.service", "[Service]\nExecStart=/bin/sleep infinity\n");
      await output(["systemctl", "start", "cut"], other);
      await other.reboot();
      expect(lines(await output(queries("cut").stops, other)).map((each) => each["JOB_TYPE"])).toEqual([
        "stop",
      ]);
      const [unit] = await showUnits({ run: runOn(other), bus: noBus }, ["cut"]);
      expect(unit?.activeState).toBe("inactive");
      expect(unit && (await stopWasRequested(on(other), unit))).toBe(false);
    } finally {
      await other.stop();
    }
  });
});
