/** install.sh on a host that never saw Argus: what a person does who tries it. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, checkout, type Host } from "./harness.ts";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "fresh" });
  // The checkout is built already, and the host has no network to build it again.
  host.write("/usr/local/bin/npm", "#!/bin/sh\n", 0o755);
});
afterAll(async () => await host?.stop());

const install = async (...args: string[]) =>
  await host.exec([join(checkout, "install.sh"), ...args], { timeoutMs: 60_000 });
const state = async () => (await host.exec(["systemctl", "is-active", "argus"])).stdout;
const modes = async (...paths: string[]) =>
  (await succeed(host, ["stat", "--format=%a %U", ...paths])).split("\n");

it("installs a running service, keeps what people wrote when it upgrades, and removes only the program", async () => {
  const installed = await install();
  expect(installed.stderr).toBe("");
  expect(installed.exitCode).toBe(0);
  expect(await state()).toBe("active");
  expect(await succeed(host, ["systemctl", "is-enabled", "argus"])).toBe("enabled");
  expect(await modes("/var/lib/argus", "/var/log/argus", "/etc/argus/argus.env")).toEqual([
    "700 root",
    "700 root",
    "600 root",
  ]);
  await host.waitFor(
    async () => (await host.exec(["test", "-s", "/var/lib/argus/trail.jsonl"])).exitCode === 0,
    10_000,
    "the first cycle",
  );
  expect(await succeed(host, ["argus", "explain"])).not.toBe("");

  host.write("/etc/argus/argus.json", '{ "services": [{ "unit": "dbus" }] }');
  expect((await install()).exitCode).toBe(0);
  expect(host.read("/etc/argus/argus.json")).toContain("dbus");
  expect(await state()).toBe("active");

  expect((await install("--uninstall")).exitCode).toBe(0);
  expect(await state()).toBe("inactive");
  expect((await host.exec(["test", "-e", "/opt/argus"])).exitCode).toBe(1);
  expect(host.read("/etc/argus/argus.json")).toContain("dbus");
  expect(host.read("/var/lib/argus/trail.jsonl")).not.toBe("");
});

it("is refused to an ordinary user, with the mend", async () => {
  // On stdin, because the checkout may lie where that user may not look.
  const refused = await host.exec(["bash", "-s"], {
    user: "nobody",
    input: host.read(join(checkout, "install.sh")),
  });
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain("must run as root");
});
