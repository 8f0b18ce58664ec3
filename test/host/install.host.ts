/** install.sh on a host that never saw Argus, then again, in other ways, and away: what a person does who tries it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type ExecResult, type Host } from "./harness.ts";
import { footprint, installedVersion, isActive, isEnabled, mainPid, names, unpack } from "./installer.ts";

let host: Host;
let install: (...args: string[]) => Promise<ExecResult>;
/** What this machine has of that name. */
let foreign: string[];
beforeAll(async () => {
  host = await bootHost({ name: "fresh" });
  install = await unpack(host, "/srv/argus");
  foreign = await names(host);
});
afterAll(async () => await host?.stop());

const pids = async () => [
  await mainPid(host, "argus.service"),
  await mainPid(host, "argus-executor.service"),
];
const owners = async (...paths: string[]) =>
  (await succeed(host, ["stat", "--format=%a %U", ...paths])).split("\n");
const state = ["/var/lib/argus", "/var/log/argus", "/var/lib/argus-executor"];

describe("install.sh", () => {
  it("says with --dry-run what it would do, and does nothing", async () => {
    const [before, namesBefore] = [await footprint(host), await names(host)];
    const planned = await install("--dry-run");
    expect(planned.exitCode, planned.stderr).toBe(0);
    expect(planned.stdout).toContain("put the program into /opt/argus, with its own Node v");
    expect(planned.stdout).toContain("make the system user argus");
    expect(planned.stdout).toContain("ask whether Argus may act or only watch (--mode says it beforehand)");
    const byItself = (await install("--dry-run", "--yes")).stdout.replace(/\s+/g, " ");
    expect(byItself).toContain(
      'write ARGUS_MODE=act into /etc/argus/argus.env: Argus may then restart the services with "restart": true in argus.json, kill what processes.killable names',
    );
    expect((await install("--dry-run", "--mode", "watch")).stdout.replace(/\s+/g, " ")).toContain(
      "write ARGUS_MODE=watch into /etc/argus/argus.env: Argus may then look, alert, and record what it would have done; it changes nothing on this machine",
    );
    expect(await footprint(host)).toEqual(before);
    expect(await names(host)).toEqual(namesBefore);
  });

  it("asks, and does nothing when nobody can answer or the answer is no", async () => {
    const before = await names(host);
    const alone = await install();
    expect([alone.exitCode, alone.stderr]).toEqual([
      1,
      "install.sh: there is no terminal to ask on; run it with --yes",
    ]);
    const typed = async (answer: string) =>
      await host.exec(["script", "--quiet", "--return", "--command", "/srv/argus/install.sh", "/dev/null"], {
        input: `${answer}\n`,
        timeoutMs: 60_000,
      });
    const no = await typed("n");
    expect(no.exitCode).toBe(1);
    expect(no.stdout).toContain("Go on? [y/N]");
    expect(no.stdout).toContain("nothing was changed, because the answer was not yes");
    const silent = await typed("y\nsometimes\n\u0004");
    expect(silent.exitCode).toBe(1);
    expect(silent.stdout).toContain("May Argus act on this machine, or only watch it?");
    expect(silent.stdout.match(/watch or act\?/g)).toHaveLength(2);
    expect(silent.stdout).toContain("nothing was changed, because there was no answer");
    expect(await names(host)).toEqual(before);
  });

  it("says an error in the lines of a terminal, and in one line elsewhere", async () => {
    const options = "--prefix '/tmp/a folder with spaces' --dry-run";
    const at = (columns: number) =>
      host.exec(
        [
          "script",
          "--quiet",
          "--return",
          "--command",
          `stty cols ${columns}; /srv/argus/install.sh ${options}`,
          "/dev/null",
        ],
        { timeoutMs: 60_000 },
      );
    const sentence =
      "install.sh: --prefix is '/tmp/a folder with spaces', but must be an absolute path of letters, digits and . _ + -";
    const narrow = (await at(50)).stdout.trim().split(/\r?\n/);
    expect(narrow.length).toBeGreaterThan(1);
    expect(Math.max(...narrow.map((line) => line.length))).toBeLessThan(50);
    expect(narrow.map((line) => line.trim()).join(" ")).toBe(sentence);
    const piped = await install("--prefix", "/tmp/a folder with spaces", "--dry-run");
    expect([piped.exitCode, piped.stderr]).toEqual([2, sentence]);
  });

  it("installs two running services, has doctor look at them, and says what to do next", async () => {
    const installed = await install("--yes");
    expect([installed.exitCode, installed.stderr]).toEqual([0, ""]);
    expect(installed.stdout).toMatch(/ok +daemon +runs as pid \d+/);
    expect(installed.stdout).toMatch(/ok +executor +answers/);
    expect(installed.stdout).not.toContain("broken");
    expect(installed.stdout).toContain("name your services in /etc/argus/argus.json");
    expect(host.read("/etc/argus/argus.env")).toContain("\n#ARGUS_MODE=act\nARGUS_MODE=act\n");
    for (const unit of ["argus.service", "argus-executor.socket", "argus-daily.timer"]) {
      expect([await isActive(host, unit), await isEnabled(host, unit)], unit).toEqual([true, true]);
    }
    expect(await isActive(host, "argus-executor.service")).toBe(true);
    expect(await isActive(host, "argus-once.timer")).toBe(false);
    expect(await owners(...state)).toEqual(["750 argus", "750 argus", "700 root"]);
    expect(await owners("/etc/argus/argus.env", "/etc/argus/argus.json", "/etc/argus/rules.d")).toEqual([
      "600 root",
      "644 root",
      "755 root",
    ]);
  });

  it("runs on a Node of its own", async () => {
    const [pid] = await pids();
    expect(await succeed(host, ["readlink", `/proc/${pid}/exe`])).toBe("/opt/argus/bin/node");
    expect(await succeed(host, ["stat", "--format=%F", "/opt/argus/bin/node"])).toBe("regular file");
    expect(host.read("/opt/argus/bin/node.version")).toBe(
      `${await succeed(host, ["/opt/argus/bin/node", "--version"])}\n`,
    );
    expect(await succeed(host, ["find", "/opt/argus", "-not", "-user", "root"])).toBe("");
    expect(await succeed(host, ["find", "/opt/argus", "-perm", "/022"])).toBe("");
  });

  it("puts the command, its completion and its manual where they are found", async () => {
    expect(JSON.parse(await succeed(host, ["argus", "status", "--json"]))).toMatchObject({
      running: { what: "argus run" },
      stateDir: "/var/lib/argus",
    });
    const completed = await succeed(host, [
      "bash",
      "-c",
      "source /usr/local/share/bash-completion/completions/argus; COMP_LINE='argus doc'; COMP_POINT=9; COMP_WORDS=(argus doc); COMP_CWORD=1; _argus; echo $COMPREPLY",
    ]);
    expect(completed).toBe("doctor");
    expect(host.read("/usr/local/share/man/man8/argus.8")).toContain(".TH ARGUS 8");
  });

  it("puts the summary of the day into the outbox each morning, and says in it what is silenced", async () => {
    await succeed(host, ["argus", "silence", "add", "--subject", "web", "--for", "1h", "--reason", "trying"]);
    await succeed(host, ["systemctl", "start", "argus-daily.service"]);
    const [name = ""] = (await succeed(host, ["ls", "/var/lib/argus/outbox"])).split("\n");
    expect(JSON.parse(host.read(`/var/lib/argus/outbox/${name}`) ?? "")).toMatchObject({
      text: expect.stringMatching(/\nsilenced until .*: subject web/),
      daily: { silenced: [{ match: { subject: "web" }, reason: "trying" }] },
    });
    expect(await succeed(host, ["argus", "summary"])).toContain(": subject web");
    await succeed(host, ["rm", `/var/lib/argus/outbox/${name}`]);
    const [id = ""] = /^\w{4}/.exec(await succeed(host, ["argus", "silence", "list"])) ?? [];
    await succeed(host, ["argus", "silence", "remove", id]);
  });

  it("changes nothing the second time, and says so", async () => {
    const [before, running] = [await footprint(host), await pids()];
    const again = await install("--yes");
    expect([again.exitCode, again.stderr]).toEqual([0, ""]);
    expect(again.stdout).toContain("is installed in /opt/argus and running; nothing to change");
    expect(await footprint(host)).toEqual(before);
    expect(await pids()).toEqual(running);
  });

  it("starts what was stopped, and nothing else", async () => {
    await succeed(host, ["systemctl", "disable", "--now", "argus.service"]);
    const before = await footprint(host);
    expect((await install("--yes")).exitCode).toBe(0);
    expect([await isActive(host, "argus.service"), await isEnabled(host, "argus.service")]).toEqual([
      true,
      true,
    ]);
    // The link of `systemctl enable` alone is new, and with it the time of its folders.
    const wants = /multi-user\.target\.wants|^\/etc\/systemd\/system /;
    expect((await footprint(host)).filter((line) => !wants.test(line))).toEqual(
      before.filter((line) => !wants.test(line)),
    );
  });

  it("upgrades: settings, local rules, state and an edited prompt stay", async () => {
    host.write("/etc/argus/argus.json", '{ "services": [{ "unit": "dbus" }] }');
    host.write("/etc/argus/rules.d/mine.json", '{ "rules": [{ "name": "load-high", "enabled": false }] }');
    host.write("/opt/argus/prompt.md", "Be brief.\n");
    await succeed(host, ["argus", "pause", "--reason", "an upgrade"]);
    const running = await pids();
    const trail = host.read("/var/lib/argus/trail.jsonl");
    const upgrade = await unpack(host, "/srv/next", { version: "0.9.1" });
    const upgraded = await upgrade("--yes");
    expect([upgraded.exitCode, upgraded.stderr]).toEqual([0, ""]);
    expect(await installedVersion(host)).toBe("0.9.1");
    expect(upgraded.stdout).toContain("Your prompt.md was changed and is kept");
    expect(host.read("/opt/argus/prompt.md")).toBe("Be brief.\n");
    expect(host.read("/etc/argus/argus.json")).toContain("dbus");
    expect(host.read("/etc/argus/rules.d/mine.json")).toContain("load-high");
    expect(host.read("/var/lib/argus/trail.jsonl").startsWith(trail)).toBe(true);
    const status = JSON.parse(await succeed(host, ["argus", "status", "--json"]));
    expect(status).toMatchObject({ pause: { reason: "an upgrade" } });
    const now = await pids();
    expect(now.every((pid, index) => pid > 0 && pid !== running[index])).toBe(true);
    expect((await names(host)).filter((path) => path.startsWith("/opt"))).toEqual(["/opt/argus"]);
    expect((await upgrade("--yes")).stdout).toContain("nothing to change");
  });

  it("changes to a timer and back, on the same state", async () => {
    const cycles = async () => JSON.parse(host.read("/var/log/argus/cycle_state.json")).cycles as number;
    const upgrade = await unpack(host, "/srv/next", { version: "0.9.1" });
    const before = await cycles();
    const timed = await upgrade("--yes", "--timer");
    expect([timed.exitCode, timed.stderr]).toEqual([0, ""]);
    expect(timed.stdout).toMatch(/ok +timer +argus-once\.timer starts the cycles/);
    // The daemon may have been woken once more before it was stopped.
    expect(await cycles()).toBeGreaterThan(before);
    expect([await isActive(host, "argus.service"), await isEnabled(host, "argus.service")]).toEqual([
      false,
      false,
    ]);
    expect([await isActive(host, "argus-once.timer"), await isEnabled(host, "argus-once.timer")]).toEqual([
      true,
      true,
    ]);
    const again = await upgrade("--yes");
    expect(again.stdout, "an upgrade keeps the way it is run").toContain("nothing to change");
    const byTimer = await cycles();
    await succeed(host, ["systemctl", "start", "argus-once.service"]);
    expect(await cycles()).toBe(byTimer + 1);
    expect((await upgrade("--yes", "--daemon")).exitCode).toBe(0);
    expect([await isActive(host, "argus.service"), await isActive(host, "argus-once.timer")]).toEqual([
      true,
      false,
    ]);
    expect(await isEnabled(host, "argus-once.timer")).toBe(false);
  });

  it("moves to another folder, and leaves nothing in the first", async () => {
    const upgrade = await unpack(host, "/srv/next", { version: "0.9.1" });
    const moved = await upgrade("--yes", "--prefix", "/srv/tools/argus/");
    expect([moved.exitCode, moved.stderr]).toEqual([0, ""]);
    const [pid] = await pids();
    expect(await succeed(host, ["readlink", `/proc/${pid}/exe`])).toBe("/srv/tools/argus/bin/node");
    expect(await installedVersion(host)).toBe("0.9.1");
    expect((await host.exec(["test", "-e", "/opt/argus"])).exitCode).toBe(1);
    expect((await upgrade("--yes")).stdout, "it is found where it is").toContain(
      "is installed in /srv/tools/argus and running",
    );
  });

  it("goes with --uninstall, but for settings, state and logs, and says so", async () => {
    const removed = await install("--uninstall", "--yes");
    expect([removed.exitCode, removed.stderr]).toEqual([0, ""]);
    for (const kept of ["/etc/argus", ...state]) expect(removed.stdout).toContain(kept);
    expect((await names(host)).filter((path) => !foreign.includes(path))).toEqual([
      "/etc/argus",
      "/var/lib/argus",
      "/var/lib/argus-executor",
      "/var/log/argus",
    ]);
    expect((await host.exec(["test", "-e", "/srv/tools/argus"])).exitCode).toBe(1);
    expect((await host.exec(["getent", "passwd", "argus"])).exitCode).toBe(2);
    expect(await owners(...state), "whoever gets its number next shall not own them").toEqual([
      "750 root",
      "750 root",
      "700 root",
    ]);
    expect(await succeed(host, ["find", ...state, "!", "-group", "root"])).toBe("");
    expect(await succeed(host, ["systemctl", "list-units", "--all", "--no-legend", "argus*"])).toBe("");
    expect((await install("--uninstall", "--yes")).stdout).toContain("Argus is not installed in /opt/argus");
  });

  it("takes up again what was kept", async () => {
    const trail = host.read("/var/lib/argus/trail.jsonl");
    expect((await install("--yes")).exitCode).toBe(0);
    expect(await owners(...state)).toEqual(["750 argus", "750 argus", "700 root"]);
    expect(host.read("/var/lib/argus/trail.jsonl").startsWith(trail)).toBe(true);
    expect(await succeed(host, ["argus", "status", "--json"])).toContain("an upgrade");
  });

  it("makes Argus only watch with --mode watch: it alerts, and changes nothing", async () => {
    await succeed(host, ["argus", "resume"]);
    await host.unit("web.service", "[Service]\nExecStart=/bin/sleep infinity\n");
    await succeed(host, ["systemctl", "start", "web"]);
    host.write("/etc/argus/argus.json", JSON.stringify(watched));
    const env = host
      .read("/etc/argus/argus.env")
      .replace("\n#ARGUS_BOOT_GRACE", "\nARGUS_BOOT_GRACE_SECONDS=0$&");
    host.write("/etc/argus/argus.env", env, 0o600);
    await succeed(host, ["systemctl", "restart", "argus", "argus-executor"]);
    const running = await pids();
    const watching = await install("--yes", "--mode", "watch");
    expect([watching.exitCode, watching.stderr]).toEqual([0, ""]);
    expect(watching.stdout).toMatch(/limited +mode +watch-only: Argus looks and alerts, and changes nothing/);
    expect(watching.stdout).toContain("Argus only watches: what it would have done stands in its alerts");
    expect(host.read("/etc/argus/argus.env")).toBe(env.replace("\nARGUS_MODE=act\n", "\nARGUS_MODE=watch\n"));
    expect(await owners("/etc/argus/argus.env")).toEqual(["600 root"]);
    await succeed(host, ["systemctl", "kill", "--signal=KILL", "web"]);
    const alerts = () => (existsSync(join(host.root, alertsFile)) ? host.read(alertsFile) : "");
    await host.waitFor(() => alerts().includes("CRITICAL web is failed (signal)"), 20_000, "the alert");
    expect(alerts()).toContain("would run systemctl restart web");
    expect(await isActive(host, "web")).toBe(false);
    expect((await succeed(host, ["argus", "status"])).split("\n")[1]).toMatch(/^Mode: watch-only: /);
    expect(await pids()).toEqual(running);
    expect((await install("--yes")).stdout, "an upgrade keeps the mode").toContain("nothing to change");
  });

  it("is let act by argus mode, without a restart of its services", async () => {
    const running = await pids();
    const act = await succeed(host, ["argus", "mode", "act"]);
    expect(act).toMatch(
      /^Mode: act \(ARGUS_MODE in \/etc\/argus\/argus\.env, line \d+, by root at \S+ \S+ UTC\)\n.*\nThe executor keeps to it from now on; a cycle begins now\.$/,
    );
    await host.waitFor(async () => await isActive(host, "web"), 20_000, "web to be healed");
    expect(await pids()).toEqual(running);
    const notes = () => host.read("/var/lib/argus/trail.jsonl");
    await host.waitFor(
      () => notes().includes("Argus may act from now on: root set the mode at "),
      10_000,
      "the note",
    );
    expect(notes()).toContain("Argus only watches from now on: root set the mode at ");
    const asBob = await host.exec(["argus", "mode", "watch"], { user: "nobody" });
    expect([asBob.exitCode, asBob.stderr]).toEqual([
      1,
      "argus: this user may not write the settings file /etc/argus/argus.env, which belongs to root: sudo argus mode watch",
    ]);
  });
});

const alertsFile = "/var/lib/argus/alerts";
const watched = {
  services: [{ unit: "web", restart: true }],
  channels: [{ type: "command", name: "file", command: ["tee", "-a", alertsFile] }],
};
