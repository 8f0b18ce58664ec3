/** argus.env that is not there, and a unit whose environment is wrong, on a host where Argus is installed: it starts all the same. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bootHost, type Host } from "./harness.ts";
import {
  activeState,
  argus,
  configure,
  crash,
  cycles,
  installArgus,
  moreCycles,
  service,
  systemctl,
} from "./installed.ts";

let host: Host;
const units = ["s0", "s1", "s2", "s3"];
const settings = { services: units.map((unit) => ({ unit, restart: true })) };
const active = async (unit: string) => {
  await host.waitFor(
    async () => (await activeState(host, unit)) === "active",
    15_000,
    `${unit} to be active`,
  );
};
/** What the last cycle found wrong with the settings. */
const found = () =>
  cycles(host)
    .at(-1)
    ?.findings.find(({ rule }) => rule === "argus-settings-broken")?.summary;

beforeAll(async () => {
  host = await bootHost({ name: "missing-env" });
  await installArgus(host, { settings });
  for (const name of units) {
    await service(host, name);
    await systemctl(host, "start", name);
  }
});
afterAll(async () => await host?.stop());

describe("argus.env that is not there", () => {
  const env = "/etc/argus/argus.env";
  const lines = "ARGUS_INTERVAL=1\nARGUS_RESTART_SETTLE_SECONDS=1\nARGUS_MODE=act\n";
  const gone =
    /argus\.env was missing when Argus was started; put it there \(it may be empty\), then: sudo systemctl restart argus; the settings of \S+ \S+ UTC stay in force/;

  beforeEach(async () => {
    await host.exec(["rm", "-rf", env]);
    await configure(host, { settings, env: { ARGUS_MODE: "act" } });
    await systemctl(host, "restart", "argus-executor", "argus");
    await moreCycles(host, 2);
  });

  const shapes: [string, string, string, RegExp][] = [
    ["is gone", "s0", `rm ${env}`, gone],
    ["is a link to nothing", "s1", `ln -sfn /nowhere ${env}`, gone],
  ];
  // systemd 247, of Debian 11, does not start a service whose credential is a folder.
  if (process.env["ARGUS_HOST_RELEASE"] !== "bullseye")
    shapes.push(["is a folder", "s2", `rm ${env}; mkdir ${env}`, /argus\.env:1: is a folder; /]);

  it.each(shapes)(
    "%s: it starts with the last good one, heals %s, and says so until it is there again",
    async (_, unit, breakIt, fault) => {
      await host.exec(["sh", "-c", breakIt]);
      const begun = Date.now();
      await systemctl(host, "restart", "argus-executor", "argus");
      expect(Date.now() - begun).toBeLessThan(10_000);
      await crash(host, unit);
      await active(unit);
      await moreCycles(host, 1);
      expect(found()).toMatch(fault);
      expect((await argus(host, "status")).stdout.split("\n")[1]).toMatch(/^The settings cannot be used: /);
      expect((await argus(host, "doctor")).exitCode).toBe(1);
      for (const command of ["status", "pause", "resume", "mode", "summary"])
        expect([command, (await argus(host, command)).exitCode]).toEqual([command, 0]);
      expect((await argus(host, "mode", "watch")).exitCode).toBe(2);
      await host.exec(["rm", "-rf", env]);
      host.write(env, lines, 0o600);
      await moreCycles(host, 2);
      expect(found()).toMatch(/argus\.env/);
      await systemctl(host, "restart", "argus");
      await host.waitFor(() => found() === undefined, 15_000, "the file to be taken up");
      expect((await argus(host, "doctor")).stdout).not.toContain("argus.env was missing");
    },
  );

  it("of mode 000 it is read as ever", async () => {
    await host.exec(["chmod", "000", env]);
    await systemctl(host, "restart", "argus-executor", "argus");
    await moreCycles(host, 2);
    expect(found()).toBeUndefined();
  });

  it("a unit's drop-in with a bad value: the value of argus.env counts, and it is said", async () => {
    const dropIn = "/etc/systemd/system/argus.service.d/bad.conf";
    host.write(dropIn, "[Service]\nEnvironment=ARGUS_INTERVAL=abc ARGUS_MODE=wach\n");
    await systemctl(host, "daemon-reload");
    await systemctl(host, "restart", "argus");
    await moreCycles(host, 2);
    expect(found()).toMatch(/^.*environment: ARGUS_\w+ is ".*; Argus only watches, and what argus\.env says/);
    await crash(host, "s3");
    await moreCycles(host, 3);
    expect(await activeState(host, "s3")).toBe("failed");
    await host.exec(["rm", dropIn]);
    await systemctl(host, "daemon-reload");
    await systemctl(host, "restart", "argus");
    await active("s3");
    expect(found()).toBeUndefined();
  });
});
