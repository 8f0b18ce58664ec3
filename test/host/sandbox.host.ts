/** Every shipped action and every look of Argus, as installed: what the sandboxes of the units still let it do. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TrailCycle } from "../../src/types/trail.ts";
import { succeed } from "./argus.ts";
import { bootHost, checkout, type Host } from "./harness.ts";
import { unpack } from "./installer.ts";

let host: Host;
const service = (unit: string) => ({ unit, restart: true });
const settings = {
  services: [{ ...service("web"), endpoint: { url: "http://127.0.0.1:8080" } }, service("ends")],
  homes: ["/home/bob"],
  tmuxSockets: ["/tmp/agents.sock"],
  processes: { killable: ["sleep"], protected: [] },
};
const rule = (name: string, forEach: string, conditions: object[], action: object) => ({
  name,
  description: "of the test",
  forEach,
  conditions: { all: conditions },
  event: {
    type: forEach,
    params: {
      condition: name,
      severity: "warning",
      subject: name,
      summary: name,
      actions: [action],
      resolves: true,
    },
  },
});
const is = (fact: string, path: string, value: unknown) => ({ fact, path, operator: "equal", value });
const rules = [
  rule(
    "sleeps-of-bob",
    "process",
    [
      is("process", "user", "bob"),
      is("process", "executable", "sleep"),
      is("process", "commandLine", "sleep 4711"),
    ],
    { type: "kill_pid", target: "{{process.pid}}" },
  ),
  rule("stale-of-bob", "session", [is("session", "name", "stale")], {
    type: "kill_tmux",
    target: "{{session.name}}",
  }),
];
const server = `import http from "node:http"; http.createServer((_, answer) => answer.end("ok")).listen(8080);`;

beforeAll(async () => {
  host = await bootHost({ name: "sandbox" });
  // An overlay has other device numbers for files than for folders, and the cleaning leaves such a place alone.
  for (const folder of ["/home", "/var/log/argus"]) {
    await succeed(host, ["mkdir", "-p", folder]);
    await succeed(host, ["mount", "-t", "tmpfs", "-o", "mode=755,size=64m", "none", folder]);
  }
  for (const user of ["bob", "eve"]) await succeed(host, ["useradd", "--create-home", user]);
  host.write("/etc/argus/argus.json", JSON.stringify(settings));
  host.write("/etc/argus/argus.env", "ARGUS_INTERVAL=1\nARGUS_RESTART_SETTLE_SECONDS=1\n", 0o600);
  host.write("/etc/argus/rules.d/mine.json", JSON.stringify({ rules }));
  host.write("/srv/server.mjs", server);
  const unit = (start: string) => `[Service]\nExecStart=${start}\n[Install]\nWantedBy=multi-user.target\n`;
  await host.unit("web.service", unit(`${process.execPath} /srv/server.mjs`));
  await host.unit(
    "ends.service",
    unit("/bin/sh -c 'until test -e /run/end; do sleep 0.1; done; rm /run/end'"),
  );
  await host.unit("db.service", unit("/bin/sleep infinity"));
  await succeed(host, ["systemctl", "enable", "--now", "web", "db", "ends"]);
  const installed = await (await unpack(host, "/srv/argus"))("--yes");
  expect([installed.exitCode, installed.stderr]).toEqual([0, ""]);
});
afterAll(async () => await host?.stop());

function cycles(): TrailCycle[] {
  const lines = host.read("/var/lib/argus/trail.jsonl").split("\n").slice(0, -1);
  return lines.flatMap((line) => TrailCycle.safeParse(JSON.parse(line)).data ?? []);
}
const outcomes = (type: string) =>
  cycles()
    .flatMap(({ actions }) => actions)
    .filter((action) => action.type === type)
    .map(({ target, result, verified, detail }) => ({ target, result, verified, detail }));
const isActive = async (unit: string) =>
  (await host.exec(["systemctl", "is-active", unit])).stdout === "active";
const exists = async (path: string) => (await host.exec(["test", "-e", path])).exitCode === 0;
const asBob = async (script: string) => {
  // Nothing of it may hold the pipes of the test.
  const result = await host.exec(["sh", "-c", `exec </dev/null >/dev/null 2>&1; ${script}`], { user: "bob" });
  expect(result.exitCode, result.stderr).toBe(0);
};

describe("the units", () => {
  const files = ["argus.service", ...readdirSync(join(checkout, "systemd")).map((name) => `systemd/${name}`)];

  it.each(files.filter((name) => name.endsWith(".service")))("%s is exposed by 2.5 at most", async (name) => {
    const file = join(checkout, name);
    const { stdout } = await host.exec(["systemd-analyze", "security", "--no-pager", "--offline=true", file]);
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    expect(exposure).toBeGreaterThan(0);
    expect(exposure).toBeLessThanOrEqual(2.5);
  });

  it("are understood by systemd to the last line", async () => {
    const units = files
      .map((name) => `/etc/systemd/system/${name.split("/").at(-1)}`)
      .filter((name) => !name.endsWith(".sh"));
    const verified = await host.exec(["systemd-analyze", "verify", "--man=no", ...units]);
    expect([verified.exitCode, verified.stderr]).toEqual([0, ""]);
  });
});

describe("argus.service and its executor", () => {
  it("restart a service that crashed, and leave alone one that somebody stopped", async () => {
    await succeed(host, ["systemctl", "kill", "--signal=KILL", "web"]);
    await host.waitFor(() => outcomes("restart_service").length > 0, 10_000, "the restart");
    expect(outcomes("restart_service")[0]).toMatchObject({
      target: "web",
      result: "success",
      verified: true,
    });
    await succeed(host, ["systemctl", "stop", "web"]);
    const before = cycles().length;
    await host.waitFor(() => cycles().length > before + 2, 10_000, "three more cycles");
    expect(await isActive("web")).toBe(false);
    expect(
      outcomes("restart_service").filter(({ target, result }) => target === "web" && result === "success"),
    ).toHaveLength(1);
    await succeed(host, ["systemctl", "start", "web"]);
  });

  it("start a service again that ended cleanly, since the journal says that nobody asked for it", async () => {
    host.write("/run/end", "");
    const answer = () => outcomes("restart_service").find(({ target }) => target === "ends");
    await host.waitFor(() => answer() !== undefined, 10_000, "an answer about it");
    expect(answer()).toMatchObject({ result: "success" });
  });

  it("take another policy into force with one reload", async () => {
    host.write(
      "/etc/argus/argus.json",
      JSON.stringify({ ...settings, services: [...settings.services, service("db")] }),
    );
    await succeed(host, ["systemctl", "reload", "argus"]);
    await succeed(host, ["systemctl", "kill", "--signal=KILL", "db"]);
    const ofDb = () => outcomes("restart_service").filter(({ target }) => target === "db");
    await host.waitFor(() => ofDb().length > 0, 10_000, "an answer about db");
    expect(ofDb()[0]).toMatchObject({ result: "success", verified: true });
    expect(await isActive("db")).toBe(true);
  });

  it("end a process of another user", async () => {
    await asBob("setsid sleep 4711 &");
    await host.waitFor(() => outcomes("kill_pid").length > 0, 10_000, "the kill");
    expect(outcomes("kill_pid")).toMatchObject([{ result: "success", verified: true }]);
    expect((await host.exec(["pgrep", "--full", "--exact", "sleep 4711"])).stdout).toBe("");
  });

  it("end a tmux session of another user, and no other one", async () => {
    await asBob(
      "tmux -S /tmp/agents.sock new-session -d -s keep && tmux -S /tmp/agents.sock new-session -d -s stale",
    );
    await host.waitFor(() => outcomes("kill_tmux").length > 0, 10_000, "the kill");
    expect(outcomes("kill_tmux")).toMatchObject([{ target: "stale", result: "success", verified: true }]);
    const list = await host.exec(
      ["tmux", "-S", "/tmp/agents.sock", "list-sessions", "-F", "#{session_name}"],
      {
        user: "bob",
      },
    );
    expect(list.stdout).toBe("keep");
  });

  it("see services, endpoints, sessions and disks as they are outside of the sandbox", async () => {
    const inside = cycles().at(-1);
    expect(inside?.collectors.filter(({ status }) => status !== "ok")).toEqual([]);
    const detail = (name: string) => inside?.collectors.find((each) => each.name === name)?.detail;
    expect(detail("endpoints")).toContain("1 endpoint well");
    expect(detail("sessions")).toContain("keep");
    // The same program without a sandbox, on a state of its own.
    const env = { ARGUS_STATE_DIR: "/srv/outside", ARGUS_LOG_DIR: "/srv/outside" };
    const node = ["/opt/argus/bin/node", "/opt/argus/dist/main.js"];
    const outside = await host.exec([...node, "run", "--once", "--dry-run", "--json"], { env });
    expect(outside.exitCode, outside.stderr).toBe(0);
    const disks = (stateDir: string) => {
      const snapshot = JSON.parse(host.read(`${stateDir}/history/snapshot.json`));
      return (snapshot.facts.disk as { mount: string; totalBytes: number; device: string }[]).map(
        ({ mount, totalBytes, device }) => ({ mount, totalBytes, device }),
      );
    };
    expect(disks("/var/lib/argus")).toEqual(disks("/srv/outside"));
    expect(disks("/var/lib/argus").map(({ mount }) => mount)).toEqual(
      expect.arrayContaining(["/tmp", "/home"]),
    );
  });

  it("clean what is old in /tmp, in a home and among the logs, and keep what is in use or not theirs", async () => {
    // For the executor everything on this throwaway host is a month old.
    host.write("/srv/later.mjs", "const now = Date.now; Date.now = () => now() + 30 * 86_400_000;\n");
    host.write(
      "/etc/systemd/system/argus-executor.service.d/later.conf",
      "[Service]\nEnvironment=NODE_OPTIONS=--import=/srv/later.mjs\n",
    );
    await succeed(host, ["systemctl", "daemon-reload"]);
    await succeed(host, ["systemctl", "restart", "argus-executor.service"]);
    await asBob(
      "mkdir -m 0700 /tmp/old /tmp/open && head -c 20000 /dev/zero >/tmp/old/file && touch /tmp/open/file && cd / && setsid sleep 815 3</tmp/open/file &",
    );
    await asBob("mkdir -p ~/.cache/pip && touch ~/.cache/pip/wheel ~/letter");
    await host.exec(["sh", "-c", "mkdir -p ~/.cache/pip && touch ~/.cache/pip/wheel"], { user: "eve" });
    host.write("/var/log/argus/app.log.1.gz", "");
    host.write("/var/log/argus/app.log", "");
    // A service that keeps a socket in /tmp, out of the executor's network namespace, and one with a /tmp of its own.
    host.write(
      "/srv/listen.mjs",
      'import net from "node:net"; net.createServer().listen("/tmp/live.sock"); import fs from "node:fs"; fs.writeFileSync("/tmp/mine", "");',
    );
    await host.unit(
      "listen.service",
      `[Service]\nUser=eve\nPrivateNetwork=yes\nExecStart=${process.execPath} /srv/listen.mjs\n`,
    );
    await host.unit(
      "private.service",
      "[Service]\nPrivateTmp=yes\nExecStart=/bin/sh -c 'touch /tmp/mine; exec sleep infinity'\n",
    );
    await succeed(host, ["systemctl", "start", "listen", "private"]);
    await host.waitFor(async () => await exists("/tmp/live.sock"), 5_000, "the socket");
    const privateFile = await succeed(host, [
      "sh",
      "-c",
      "ls -d /tmp/systemd-private-*-private.service-*/tmp/mine",
    ]);

    const lastRead = async () =>
      (await succeed(host, ["stat", "--format=%x", "/tmp/open"])).slice(0, "2026-11-21 04:01:01.653".length);
    const read = await lastRead();

    const cleaned = await host.exec(["argus", "clean"], { timeoutMs: 30_000 });
    expect(cleaned.exitCode, `${cleaned.stdout}\n${cleaned.stderr}`).toBe(0);
    expect(cleaned.stdout).toContain("Freed");
    const gone = ["/tmp/old", "/home/bob/.cache/pip/wheel", "/var/log/argus/app.log.1.gz"];
    const kept = [
      ...["/tmp/open/file", "/tmp/live.sock", "/tmp/agents.sock", privateFile],
      ...[
        "/home/bob/letter",
        "/home/eve/.cache/pip/wheel",
        "/var/log/argus/app.log",
        "/var/lib/argus/trail.jsonl",
      ],
    ];
    for (const path of gone) expect([path, await exists(path)]).toEqual([path, false]);
    for (const path of kept) expect([path, await exists(path)]).toEqual([path, true]);
    // A look that counts as use would keep it for another week.
    expect(await lastRead()).toBe(read);
    // One disk is one row, though the sandbox mounts each folder that it opens.
    expect(cleaned.stdout).toContain("/home ");
    expect(cleaned.stdout).not.toContain("/var/tmp ");
    expect(cleaned.stdout).not.toContain("/var/log ");

    // The daemon writes it down at once, and once.
    const byHand = () => cycles().filter(({ cycle }) => cycle.trigger === "command");
    await host.waitFor(() => byHand().length > 0, 10_000, "the entry about the cleaning by hand");
    const before = cycles().length;
    await host.waitFor(() => cycles().length > before + 2, 10_000, "three more cycles");
    expect(byHand()).toMatchObject([
      { actions: [{ type: "clean_disk", source: "operator", values: { reason: "asked for by root" } }] },
    ]);
    expect((await host.exec(["argus", "clean", "--last"])).stdout).toContain("/tmp/old/file");
    expect(JSON.parse((await host.exec(["argus", "stats", "--json"])).stdout).actions).toContainEqual(
      expect.objectContaining({ action: "clean_disk", source: "operator", asked: 1 }),
    );
  });
});
