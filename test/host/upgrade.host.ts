/** An upgrade that goes wrong, or comes at a bad moment: the version that worked runs again, and nothing is lost. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import { footprint, installedVersion, isActive, isEnabled, mainPid, names, unpack } from "./installer.ts";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "upgrade" });
});
afterAll(async () => await host?.stop());

const systemctl = async (...args: string[]) => await succeed(host, ["systemctl", ...args]);
/** But for what an upgrade and its undoing move aside and back: those folders have another time, not another content. */
const content = async () =>
  (await footprint(host)).map((line) => line.replace(/ \d+ (\d+ \w+ \d+) [\d.]+$/, " $1"));
const noneLeft = async () =>
  expect((await names(host)).filter((path) => /argus\.(new|old)|argus-new/.test(path))).toEqual([]);

/** A version runs, with settings and state that somebody cares for. */
async function running(version: string): Promise<void> {
  const install = await unpack(host, `/srv/${version}`, { version });
  const installed = await install("--yes");
  expect(installed.exitCode, installed.stderr).toBe(0);
  await succeed(host, ["argus", "pause", "--reason", "kept"]);
}

async function expectAsBefore(version: string, before: string[]): Promise<void> {
  expect(await content()).toEqual(before);
  await noneLeft();
  expect(await installedVersion(host)).toBe(version);
  for (const unit of ["argus.service", "argus-executor.socket", "argus-executor.service"])
    expect(await isActive(host, unit), unit).toBe(true);
  expect(await isEnabled(host, "argus.service")).toBe(true);
  const status = JSON.parse(await succeed(host, ["argus", "status", "--json"]));
  expect(status).toMatchObject({ pause: { reason: "kept" }, running: { what: "argus run" } });
}

describe("an upgrade", () => {
  it.each([
    [
      "exits",
      "argus.service ended at once (exit-code, status 1), so version 1.0.0 runs again; the lines above are its last words",
    ],
    [
      "hangs",
      "argus.service had no complete cycle within 3 s, so version 1.0.0 runs again; the lines above are its last words",
    ],
    [
      "broken",
      "the new version does not start with its own copy of Node, as said above; everything is as it was before; try another Node.js with --node FILE",
    ],
  ] as const)("to a version with a fault (%s) puts the old one back", async (fault, sentence) => {
    await running("1.0.0");
    const before = await content();
    const install = await unpack(host, `/srv/upgrade-${fault}`, {
      version: "2.0.0",
      fault,
      patienceSeconds: 3,
    });
    const failed = await install("--yes");
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr.split("\n").at(-1)).toBe(`install.sh: ${sentence}`);
    await expectAsBefore("1.0.0", before);
  });

  it("with settings that are wrong says what is, and leaves the old version running undisturbed", async () => {
    await running("1.0.0");
    host.write("/etc/argus/argus.json", '{ "servics": [] }');
    const [before, pid] = [await footprint(host), await mainPid(host, "argus.service")];
    const install = await unpack(host, "/srv/settings", { version: "2.0.0" });
    const failed = await install("--yes");
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain(
      '/etc/argus/argus.json:1: servics: unknown key; did you mean "services"?',
    );
    expect(failed.stderr.split("\n").at(-1)).toBe(
      "install.sh: the settings or rules have an error, as said above; fix it and run install.sh again; everything is as it was before",
    );
    expect((await footprint(host)).map(withoutTimeOfOpt)).toEqual(before.map(withoutTimeOfOpt));
    expect(await mainPid(host, "argus.service")).toBe(pid);
    host.write("/etc/argus/argus.json", "{}");
  });

  it("that is told to stop in the middle puts the old one back", async () => {
    await running("1.0.0");
    const before = await content();
    await unpack(host, "/srv/cut", { version: "2.0.0", fault: "hangs" });
    const upgrading = host.exec(["/srv/cut/install.sh", "--yes"], { timeoutMs: 60_000 });
    await host.waitFor(() => isStarting(), 15_000, "the new version to start");
    await succeed(host, ["pkill", "--signal", "INT", "--full", "^bash /srv/cut/install.sh"]);
    expect((await upgrading).exitCode).toBe(130);
    await expectAsBefore("1.0.0", before);
  });

  it("that is killed in the middle is mended by the next run, from the version that worked", async () => {
    await running("1.0.0");
    await unpack(host, "/srv/killed", { version: "2.0.0", fault: "hangs" });
    const upgrading = host.exec(["/srv/killed/install.sh", "--yes"], { timeoutMs: 60_000 });
    await host.waitFor(() => isStarting(), 15_000, "the new version to start");
    await succeed(host, ["pkill", "--signal", "KILL", "--full", "^bash /srv/killed/install.sh"]);
    await upgrading;
    expect(await installedVersion(host)).toBe("2.0.0");
    const mended = await (await unpack(host, "/srv/1.0.0", { version: "1.0.0" }))("--yes");
    expect(mended.stdout).toContain("An installation was cut off earlier");
    expect([mended.exitCode, mended.stderr]).toEqual([0, ""]);
    expect(await installedVersion(host)).toBe("1.0.0");
    expect(await isActive(host, "argus.service")).toBe(true);
    await noneLeft();
  });

  it("while the executor restarts a service loses neither the service nor the count of the attempt", async () => {
    await running("1.0.0");
    await succeed(host, ["argus", "resume"]);
    host.write("/etc/argus/argus.json", '{ "services": [{ "unit": "slow", "restart": true }] }');
    host.write("/etc/argus/argus.env", "ARGUS_INTERVAL=1\nARGUS_RESTART_SETTLE_SECONDS=1\n", 0o600);
    await host.unit(
      "slow.service",
      "[Service]\nExecStartPre=/bin/sh -c '! test -e /run/slow || sleep 3'\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
    );
    await systemctl("enable", "--now", "slow");
    await systemctl("restart", "argus.service", "argus-executor.service");
    host.write("/run/slow", "");
    await systemctl("kill", "--signal=KILL", "slow");
    const state = async () => (await host.exec(["systemctl", "is-active", "slow"])).stdout;
    await host.waitFor(async () => (await state()) === "activating", 10_000, "the restart to begin");
    const upgraded = await (await unpack(host, "/srv/during", { version: "3.0.0" }))("--yes");
    expect([upgraded.exitCode, upgraded.stderr]).toEqual([0, ""]);
    expect(await installedVersion(host)).toBe("3.0.0");
    await host.waitFor(async () => (await state()) === "active", 10_000, "slow to be up again");
    const backoff = JSON.parse(host.read("/var/lib/argus-executor/restart-backoff.json"));
    expect(backoff.units["slow.service"].attempts).toBe(1);
  });
});

const isStarting = async () =>
  (await host.exec(["systemctl", "show", "--value", "--property=SubState", "argus.service"])).stdout ===
  "start";

/** A folder was put beside, and taken away again. */
const withoutTimeOfOpt = (line: string): string => line.replace(/^(\/opt) .*/, "$1");
