/** An older version over a newer one: refused with one sentence, or done with what it cannot read set aside. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import { footprint, installedVersion, isActive, mainPid, unpack } from "./installer.ts";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "downgrade" });
  const installed = await (await unpack(host, "/srv/3.0.0", { version: "3.0.0" }))("--yes");
  expect(installed.exitCode, installed.stderr).toBe(0);
});
afterAll(async () => await host?.stop());

describe("an older version", () => {
  it("is refused before anything is changed, and says how", async () => {
    const [before, pid] = [await footprint(host), await mainPid(host, "argus.service")];
    const older = await unpack(host, "/srv/older", { version: "3.0.0-rc.1" });
    for (const args of [["--yes"], ["--dry-run", "--yes"]]) {
      const refused = await older(...args);
      expect([refused.exitCode, refused.stderr]).toEqual([
        1,
        "install.sh: Argus 3.0.0 is installed in /opt/argus, and this is the older 3.0.0-rc.1, which may not read the state that 3.0.0 wrote; run the install.sh of 3.0.0 or newer, or add --downgrade: what 3.0.0-rc.1 cannot read is then set aside, so backoffs, budgets and silences may begin anew",
      ]);
    }
    expect(await footprint(host)).toEqual(before);
    expect(await mainPid(host, "argus.service")).toBe(pid);
  });

  it("runs with --downgrade: state of a form that it does not know is set aside, and not lost", async () => {
    const newer = '{"version":99,"units":{"slow.service":"in words"}}\n';
    await succeed(host, ["systemctl", "stop", "argus.service", "argus-executor.service"]);
    host.write("/var/lib/argus-executor/restart-backoff.json", newer, 0o600);
    const older = await unpack(host, "/srv/older", { version: "2.9.0" });
    const downgraded = await older("--yes", "--downgrade");
    expect([downgraded.exitCode, downgraded.stderr]).toEqual([0, ""]);
    expect(downgraded.stdout.replace(/\s+/g, " ")).toContain(
      "! 2.9.0 is older than 3.0.0: what it cannot read of the state is set aside beside it as FILE.corrupt-N",
    );
    expect(await installedVersion(host)).toBe("2.9.0");
    const kept = "/var/lib/argus-executor/restart-backoff.json.corrupt-1";
    await host.waitFor(
      async () => (await host.exec(["test", "-e", kept])).exitCode === 0,
      10_000,
      "it aside",
    );
    expect(host.read(kept)).toBe(newer);
    expect(await isActive(host, "argus.service")).toBe(true);
  });
});
