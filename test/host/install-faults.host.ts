/** install.sh when something goes wrong in the middle: nothing stays. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import { names, unpack } from "./installer.ts";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "faults" });
});
afterAll(async () => await host?.stop());

const systemctl = async (...args: string[]) => await succeed(host, ["systemctl", ...args]);
describe("a first installation that fails", () => {
  it.each([
    [
      "its program exits",
      "exits",
      "install.sh: argus.service ended at once (exit-code, status 1), so all that was installed is removed again; the lines above are its last words",
    ],
    [
      "its program never gets through a cycle",
      "hangs",
      "install.sh: argus.service had no complete cycle within 3 s, so all that was installed is removed again; the lines above are its last words",
    ],
    [
      "its program does not start",
      "broken",
      "install.sh: the new version does not start with its own copy of Node, as said above; everything is as it was before; try another Node.js with --node FILE",
    ],
  ] as const)("leaves nothing: %s", async (_, fault, sentence) => {
    const before = await names(host);
    const install = await unpack(host, `/srv/first-${fault}`, { fault, patienceSeconds: 3 });
    const failed = await install("--yes");
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr.split("\n").at(-1)).toBe(sentence);
    if (fault === "exits") expect(failed.stderr).toContain("  the sky has fallen\n");
    expect(await names(host)).toEqual(before);
    expect((await host.exec(["getent", "passwd", "argus"])).exitCode).toBe(2);
    expect(await systemctl("list-units", "--all", "--no-legend", "argus*")).toBe("");
  });

  it("leaves nothing when it is told to stop in the middle", async () => {
    const before = await names(host);
    await unpack(host, "/srv/stopped", { fault: "hangs" });
    const installing = host.exec(["/srv/stopped/install.sh", "--yes"], { timeoutMs: 60_000 });
    await host.waitFor(() => isStarting(), 15_000, "argus.service to start");
    await succeed(host, [
      "pkill",
      "--signal",
      "TERM",
      "--full",
      "^bash /srv/stopped/install.sh|^/usr/bin/env bash /srv/stopped",
    ]);
    const stopped = await installing;
    expect([stopped.exitCode, stopped.stderr]).toEqual([
      143,
      "install.sh: it was interrupted while waiting for the first cycle; everything is as it was before",
    ]);
    expect(await names(host)).toEqual(before);
  });
});

const isStarting = async () =>
  (await host.exec(["systemctl", "show", "--value", "--property=SubState", "argus.service"])).stdout ===
  "start";
