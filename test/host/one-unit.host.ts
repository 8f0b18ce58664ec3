/** From the Argus of one unit, run by root, to the two of today: nothing is lost on the way, nor on the way back. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import { isActive, isEnabled, unpack } from "./installer.ts";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "oneunit" });
});
afterAll(async () => await host?.stop());

const oldUnit = `[Service]
ExecStart=/opt/argus/bin/node --no-opt /opt/argus/dist/main.js run
User=root
StateDirectory=argus
LogsDirectory=argus
ProtectKernelTunables=yes
[Install]
WantedBy=multi-user.target
`;
const backoff = {
  version: 1,
  units: {
    "web.service": {
      attempts: 2,
      last: { wallMs: Date.now(), uptimeSeconds: 3000, bootId: "00000000-0000-0000-0000-000000000000" },
      healthySince: null,
    },
  },
};
const owners = async (...paths: string[]) =>
  (await succeed(host, ["stat", "--format=%U %n", ...paths])).split("\n");

async function layOldOne(): Promise<void> {
  await succeed(host, ["mkdir", "-p", "/opt/argus/bin", "/opt/argus/dist", "/etc/argus"]);
  await succeed(host, ["cp", process.execPath, "/opt/argus/bin/node"]);
  host.write("/opt/argus/package.json", '{\n  "name": "argus-watchdog",\n  "version": "0.0.9"\n}\n');
  host.write("/opt/argus/dist/main.js", "setInterval(() => {}, 1000);");
  host.write("/etc/argus/argus.json", '{ "services": [{ "unit": "web", "restart": true }] }');
  host.write("/etc/argus/argus.env", "ARGUS_INTERVAL=60\n", 0o600);
  host.write("/var/lib/argus/problems.jsonl", "");
  host.write("/var/lib/argus/restart-backoff.json", JSON.stringify(backoff), 0o600);
  await host.unit("argus.service", oldUnit);
  await succeed(host, ["systemctl", "enable", "--now", "argus.service"]);
}

it("keeps the old one running, as root on root's state, when the new one does not come up", async () => {
  await layOldOne();
  const failed = await (await unpack(host, "/srv/exits", { fault: "exits" }))("--yes");
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr.split("\n").at(-1)).toContain("so version 0.0.9 runs again");
  expect(host.read("/etc/systemd/system/argus.service")).toBe(oldUnit);
  expect([await isActive(host, "argus.service"), await isEnabled(host, "argus.service")]).toEqual([
    true,
    true,
  ]);
  const files = ["/var/lib/argus", "/var/lib/argus/problems.jsonl", "/var/lib/argus/restart-backoff.json"];
  expect(await owners(...files)).toEqual(files.map((file) => `root ${file}`));
  expect(JSON.parse(host.read("/var/lib/argus/restart-backoff.json"))).toEqual(backoff);
  for (const gone of [
    "/var/lib/argus-executor",
    "/etc/systemd/system/argus-executor.socket",
    "/usr/local/bin/argus",
  ])
    expect((await host.exec(["test", "-e", gone])).exitCode, gone).toBe(1);
  expect((await host.exec(["getent", "passwd", "argus"])).exitCode).toBe(2);
});

it("hands state to the user argus, and the counts of attempts to the executor", async () => {
  const upgraded = await (await unpack(host, "/srv/argus"))("--yes");
  expect([upgraded.exitCode, upgraded.stderr]).toEqual([0, ""]);
  expect(await owners("/var/lib/argus", "/var/lib/argus/problems.jsonl", "/var/lib/argus-executor")).toEqual([
    "argus /var/lib/argus",
    "argus /var/lib/argus/problems.jsonl",
    "root /var/lib/argus-executor",
  ]);
  expect((await host.exec(["test", "-e", "/var/lib/argus/restart-backoff.json"])).exitCode).toBe(1);
  const moved = JSON.parse(host.read("/var/lib/argus-executor/restart-backoff.json"));
  expect(moved.units["web.service"].attempts).toBe(2);
  expect(host.read("/etc/argus/argus.env")).toBe("ARGUS_INTERVAL=60\n");
  expect(upgraded.stdout).not.toContain("broken");
});

it("takes nothing that the user argus lays down for a memory of the executor's", async () => {
  await succeed(host, ["sh", "-c", "rm -f /var/lib/argus-executor/pause.json; echo 'of root' >/etc/canary"]);
  host.write(
    "/opt/argus/dist/main.js",
    `${host.read("/opt/argus/dist/main.js")}// so that there is something to do\n`,
  );
  for (const plant of ["ln -s /etc/canary", "echo '{}' >"]) {
    const path = "/var/lib/argus/pause.json";
    await succeed(host, [
      "setpriv",
      "--reuid=argus",
      "--clear-groups",
      "sh",
      "-c",
      `rm -f ${path}; ${plant} ${path}`,
    ]);
    const again = await (await unpack(host, "/srv/argus"))("--yes");
    expect([plant, again.exitCode, again.stderr]).toEqual([plant, 0, ""]);
    expect((await host.exec(["test", "-e", "/var/lib/argus-executor/pause.json"])).exitCode).toBe(1);
    expect(await owners("/etc/canary")).toEqual(["root /etc/canary"]);
  }
});
