/** Settings and rules that break, or change, on a host where Argus is installed: nobody is left without a watchdog. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bootHost, type Host } from "./harness.ts";
import {
  activeState,
  alerts,
  answers,
  argus,
  configure,
  crash,
  cycles,
  executorDir,
  installArgus,
  moreCycles,
  property,
  service,
  stateDir,
  systemctl,
} from "./installed.ts";

let host: Host;
const json = "/etc/argus/argus.json";
const may = (...units: string[]) => ({
  services: units.map((unit) => ({ unit, restart: true })),
});
const write = (settings: object) => host.write(json, JSON.stringify(settings));
const pid = async (unit: string) => await property(host, unit, "MainPID");
const active = async (unit: string) => {
  await host.waitFor(
    async () => (await activeState(host, unit)) === "active",
    15_000,
    `${unit} to be active`,
  );
};
const said = (text: RegExp) => alerts(host).filter(({ text: each }) => text.test(each));
/** What the last cycle found wrong with the settings. */
const found = () =>
  cycles(host)
    .at(-1)
    ?.findings.find(({ rule }) => rule === "argus-settings-broken")?.summary;
const units = ["web", "late", "asked", "s0", "s1", "s2", "s3", "s4"];

beforeAll(async () => {
  host = await bootHost({ name: "broken-settings" });
  await installArgus(host, { settings: may("web") });
  for (const name of units) {
    await service(host, name);
    await systemctl(host, "start", name);
  }
});
afterAll(async () => await host?.stop());

describe("systemctl restart argus, and the executor stays", () => {
  it("a service that is newly allowed is restarted, and one that no longer is is not", async () => {
    const before = await pid("argus-executor");
    write(may("web", "late"));
    await systemctl(host, "restart", "argus");
    await crash(host, "late");
    await active("late");
    // As long as before, and with the time of modification of before.
    await host.exec(["touch", "-r", json, "/run/stamp"]);
    write(may("web", "lite"));
    await host.exec(["touch", "-r", "/run/stamp", json]);
    await systemctl(host, "restart", "argus");
    await crash(host, "late");
    await moreCycles(host, 3);
    expect(await activeState(host, "late")).toBe("failed");
    expect(await pid("argus-executor")).toBe(before);
    await systemctl(host, "start", "late");
  });

  it("an approval that is newly asked for is waited for", async () => {
    write({ ...may("web", "asked"), approval: { rules: ["restart_service"] } });
    await systemctl(host, "restart", "argus");
    await crash(host, "asked");
    await host.waitFor(() => answers(host, "asked").includes("needs_approval"), 15_000, "the question");
    expect(await activeState(host, "asked")).toBe("failed");
    write(may("web"));
    await systemctl(host, "restart", "argus");
    await systemctl(host, "start", "asked");
  });
});

describe("argus.json that breaks", () => {
  beforeEach(async () => {
    await host.exec(["rm", "-rf", json]);
    await configure(host, { settings: may(...units) });
    await systemctl(host, "restart", "argus-executor", "argus");
    await moreCycles(host, 2);
  });

  it.each<[string, string, () => unknown, RegExp]>([
    [
      "has a syntax error",
      "s0",
      () => host.write(json, '{ "services": ['),
      /argus\.json:1: is not valid JSON: a closing \] is missing; /,
    ],
    ["is gone", "s1", async () => await host.exec(["rm", json]), /argus\.json does not exist any more; /],
    [
      "may not be read",
      "s2",
      async () => await host.exec(["chmod", "000", json]),
      /argus\.json:1: cannot be read by this user; /,
    ],
    [
      "is a folder",
      "s3",
      async () => await host.exec(["sh", "-c", `rm ${json}; mkdir ${json}`]),
      /argus\.json:1: is a folder; /,
    ],
    [
      "is a link to nothing",
      "s4",
      async () => await host.exec(["ln", "-sfn", "/nowhere", json]),
      /argus\.json:1: does not exist, or is a link to nothing; /,
    ],
  ])(
    "%s: the last good one heals %s, every command works, and it is said until it is repaired",
    async (_, unit, breakIt, fault) => {
      await systemctl(host, "stop", "argus-executor", "argus");
      await breakIt();
      const begun = Date.now();
      await systemctl(host, "start", "argus");
      expect(Date.now() - begun).toBeLessThan(10_000);
      await crash(host, unit);
      await active(unit);
      await moreCycles(host, 1);
      expect(found()).toMatch(fault);
      expect(found()).toMatch(/; the settings of \S+ \S+ UTC stay in force until that is fixed$/);
      for (const command of [
        "status",
        "problems",
        "pause",
        "resume",
        "mode",
        "stats",
        "summary",
        "silence list",
      ])
        expect([command, (await argus(host, ...command.split(" "))).exitCode]).toEqual([command, 0]);
      expect((await argus(host, "status")).stdout.split("\n")[1]).toMatch(/^The settings cannot be used: /);
      expect((await argus(host, "doctor")).exitCode).toBe(1);
      await host.exec(["rm", "-rf", json]);
      write(may(...units));
      await host.waitFor(() => found() === undefined, 15_000, "the repaired file to be taken up");
      expect((await argus(host, "doctor")).stdout).not.toContain("argus.json:1");
    },
  );

  it("an alert says it", () => {
    expect(said(/the settings cannot be used: \/etc\/argus\/argus\.json:1: /).length).toBeGreaterThan(0);
  });

  it("systemctl reload fails and says why; the daemon and its settings go on", async () => {
    const before = await pid("argus");
    host.write(json, '{ "services": [], "colour": 1 }');
    const reload = await host.exec(["systemctl", "reload", "argus"]);
    expect(reload.exitCode).not.toBe(0);
    expect((await host.exec(["systemctl", "status", "argus"])).stdout).toMatch(
      /argus\.json:1: colour: unknown key/,
    );
    expect([await activeState(host, "argus"), await pid("argus")]).toEqual(["active", before]);
    write(may("web"));
    const begun = Date.now();
    await systemctl(host, "reload", "argus");
    console.info(`a reload takes ${Date.now() - begun} ms`);
    host.write("/etc/argus/argus.env", "ARGUS_INTERVAL=1\nnonsense\n", 0o600);
    expect((await host.exec(["systemctl", "reload", "argus"])).exitCode).not.toBe(0);
    expect((await host.exec(["systemctl", "status", "argus"])).stdout).toMatch(
      /argus\.env:2: must be NAME=value/,
    );
    expect(await pid("argus")).toBe(before);
  });

  it("argus.env that breaks: the last good one counts, and a watch in it all the same", async () => {
    host.write("/etc/argus/argus.env", "ARGUS_INTERVAL=1\nnonsense\nARGUS_MODE=watch\n", 0o600);
    await systemctl(host, "restart", "argus-executor", "argus");
    await moreCycles(host, 2);
    expect(found()).toMatch(/argus\.env:2: must be NAME=value/);
    expect(JSON.parse((await argus(host, "mode", "--json")).stdout)).toMatchObject({ mode: "watch" });
    expect((await argus(host, "status", "--json")).stdout).toContain('"mode": "watch"');
  });
});

it("without a good copy Argus starts all the same, only watches, and says so", async () => {
  await systemctl(host, "stop", "argus", "argus-executor");
  await configure(host, { settings: may("web") });
  await host.exec(["sh", "-c", `rm -rf ${stateDir}/* ${executorDir}/*`]);
  host.write(json, "{");
  await systemctl(host, "start", "argus");
  const before = cycles(host).length;
  await crash(host, "web");
  await host.waitFor(() => cycles(host).length >= before + 3, 15_000, "three cycles");
  expect(await activeState(host, "web")).toBe("failed");
  expect(said(/no good copy of it is kept: Argus only watches/).length).toBeGreaterThan(0);
  const status = await argus(host, "status");
  expect([status.exitCode, status.stdout]).toEqual([0, expect.stringContaining("Mode: watch-only")]);
});
