/** Who may read what Argus knows: root, members of the group argus, and nobody else. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type ExecResult, type Host } from "./harness.ts";
import { moreCycles } from "./installed.ts";
import { unpack } from "./installer.ts";

let host: Host;
let install: (...args: string[]) => Promise<ExecResult>;
beforeAll(async () => {
  host = await bootHost({ name: "group" });
  install = await unpack(host, "/srv/argus");
  host.write("/etc/argus/argus.env", "ARGUS_INTERVAL=1\nANTHROPIC_API_KEY=sk-of-the-test\n", 0o600);
  host.write("/etc/systemd/system/web.service", "[Service]\nExecStart=/bin/sleep infinity\n");
  const settings = { services: [{ unit: "web", restart: false }] };
  host.write("/etc/argus/argus.json", JSON.stringify(settings));
  const installed = await install("--yes");
  expect(installed.exitCode, installed.stderr).toBe(0);
  await succeed(host, ["useradd", "--create-home", "--groups", "argus", "ann"]);
  await succeed(host, ["useradd", "--create-home", "bob"]);
  await moreCycles(host, 2);
});
afterAll(async () => await host?.stop());

/** As one who has logged in: with the groups that /etc/group gives. */
const as = async (user: string, ...argv: string[]) => await host.exec(["runuser", "-u", user, "--", ...argv]);

const reading: string[][] = [
  ["status"],
  ["status", "--json"],
  ["problems"],
  ["problems", "--json"],
  ["explain"],
  ["explain", "--rule", "service-down"],
  ["stats"],
  ["summary"],
  ["approve"],
  ["silence", "list"],
  ["check"],
];

describe("a member of the group", () => {
  it.each(reading)("reads with argus %s %s", async (...words) => {
    const seen = await as("ann", "argus", ...words.filter((word) => word !== undefined));
    expect([seen.exitCode, seen.stderr.replace(/^argus: pause, approvals, .* are as of .*$/m, "")]).toEqual([
      0,
      "",
    ]);
    expect(seen.stdout).not.toBe("");
  });

  it("is told by doctor what there is, with nothing broken", async () => {
    const { stdout } = await as("ann", "argus", "doctor");
    expect(stdout).toMatch(/ok +daemon +runs as pid \d+/);
    expect(stdout).not.toContain("broken");
    const check = async (wanted: string) =>
      JSON.parse((await host.exec(["argus", "doctor", "--json"])).stdout).find(
        ({ name }: { name: string }) => name === wanted,
      );
    expect(await check("state")).toMatchObject({
      state: "ok",
      detail: "/var/lib/argus is the daemon's alone (user argus); members of the group argus may read it",
    });
    await succeed(host, ["chmod", "755", "/var/log/argus"]);
    expect(await check("logs")).toMatchObject({
      state: "broken",
      detail: "/var/log/argus is open to others than argus and, to read, members of the group argus",
    });
    await succeed(host, ["chmod", "750", "/var/log/argus"]);
  });

  it("sees what root asked for, and of when that is", async () => {
    await succeed(host, ["argus", "silence", "add", "--subject", "web", "--for", "1h", "--reason", "trying"]);
    await succeed(host, ["argus", "pause", "--reason", "a move"]);
    await moreCycles(host, 2);
    const status = JSON.parse((await as("ann", "argus", "status", "--json")).stdout);
    expect(status).toMatchObject({ pause: { reason: "a move" }, silences: [{ reason: "trying" }] });
    expect(status.notes.join()).toMatch(/are as of \d{4}-.* UTC: only root sees them as they are now/);
    expect((await as("ann", "argus", "silence", "list")).stdout).toContain("subject web");
    expect(JSON.parse((await host.exec(["argus", "status", "--json"])).stdout).notes.join()).not.toContain(
      "as of",
    );
    await succeed(host, ["argus", "resume"]);
  });

  it("changes nothing, and is given root's command", async () => {
    for (const words of [
      ["pause"],
      ["silence", "add", "--subject", "web", "--for", "1h"],
      ["approve", "abcd"],
    ]) {
      const refused = await as("ann", "argus", ...words);
      expect([refused.exitCode, refused.stdout], words.join(" ")).toEqual([1, ""]);
      expect(refused.stderr).toContain(`sudo argus ${words.join(" ")}`);
    }
    const key = "argus:0123456789abcdef";
    expect((await as("ann", "argus", "ack", key)).stderr).toMatch(new RegExp(`sudo argus ack ${key}$`));
  });

  it.each([
    ["a file of the state", "echo x >> /var/lib/argus/trail.jsonl"],
    ["a new file of the state", "touch /var/lib/argus/x"],
    ["a message", "touch /var/lib/argus/outbox/x.json"],
    ["a log", "touch /var/log/argus/x"],
    ["the secrets", "cat /etc/argus/argus.env"],
    ["the secrets as the service has them", "cat /run/credentials/argus.service/argus.env"],
    ["the executor's memory", "ls /var/lib/argus-executor"],
    ["the folder of root's socket", "ls /run/argus-executor"],
    ["the settings", "echo x >> /etc/argus/argus.json"],
  ])("may not touch %s", async (_, script) => {
    const refused = await as("ann", "sh", "-c", script);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain("Permission denied");
  });

  it.each(["/run/argus-executor.sock", "/run/argus-executor/root.sock"])(
    "may not connect to %s",
    async (path) => {
      const script = `require("node:net").connect("${path}").on("connect", () => console.log("in")).on("error", ({ code }) => console.log(code))`;
      expect((await as("ann", "/opt/argus/bin/node", "-e", script)).stdout).toBe("EACCES");
      // The very same as root gets in.
      expect(
        (await host.exec(["/opt/argus/bin/node", "-e", `${script}; setTimeout(() => process.exit(), 500)`]))
          .stdout,
      ).toBe("in");
    },
  );
});

describe("whoever is no member", () => {
  it.each(reading.slice(0, -1))("is given the two ways, by argus %s %s", async (...words) => {
    const given = words.filter((word) => word !== undefined);
    const refused = await as("bob", "argus", ...given);
    expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toBe(
      `argus: this user may not read the state folder /var/lib/argus, which belongs to argus: sudo argus ${given.join(" ")}; members of the group argus may read it without sudo: sudo usermod -aG argus bob, then log in anew`,
    );
  });

  it("may not look into the folders", async () => {
    for (const folder of ["/var/lib/argus", "/var/log/argus", "/var/lib/argus-executor"])
      expect((await as("bob", "ls", folder)).stderr, folder).toContain("Permission denied");
  });
});

describe("an upgrade", () => {
  it("opens to the group what an older version wrote, and nothing else", async () => {
    await succeed(host, [
      "sh",
      "-c",
      "chmod -R u=rwX,go= /var/lib/argus /var/log/argus && ln -s /etc/shadow /var/lib/argus/planted && chown -h argus: /var/lib/argus/planted",
    ]);
    const shadow = await succeed(host, ["stat", "-c", "%a %U %G", "/etc/shadow"]);
    const newer = await unpack(host, "/srv/newer", { version: "9.0.0" });
    const upgraded = await newer("--yes");
    expect(upgraded.exitCode, upgraded.stderr).toBe(0);
    expect(
      await succeed(host, [
        ...["find", "/var/lib/argus", "/var/log/argus", "!", "-type", "l", "!", "-perm", "-040"],
        ...["!", "-name", "last_response.json"],
      ]),
    ).toBe("");
    expect(
      await succeed(host, ["find", "/var/lib/argus", "/var/log/argus", "!", "-type", "l", "-perm", "/027"]),
    ).toBe("");
    expect(await succeed(host, ["stat", "-c", "%a %U %G", "/etc/shadow"])).toBe(shadow);
    await succeed(host, ["rm", "/var/lib/argus/planted"]);
    expect((await as("ann", "argus", "stats")).exitCode).toBe(0);
  });
});
