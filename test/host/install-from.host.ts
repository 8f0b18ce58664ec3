/** install.sh --from: the first Argus, the bash program, hands over its settings, state and logs, and rests. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type ExecResult, type Host } from "./harness.ts";
import { footprint, isActive, isEnabled, names, unpack } from "./installer.ts";

let host: Host;
let install: (...args: string[]) => Promise<ExecResult>;
const units = "/etc/systemd/system";
const first = "/home/bob/argus";
const env = `# of the first one
export ARGUS_INTERVAL=120
ARGUS_STATE_DIR="$HOME/argus/state"
ARGUS_PROBLEMS_FILE="\${HOME}/history/problems.jsonl"
ARGUS_DASHBOARD_URL="https://dash.example/a" # the team
`;
const problem =
  '{"ts":"2026-02-24T09:12:01Z","severity":"warning","type":"memory","description":"Memory usage at 82% on HOST","action_taken":"alert:telegram","action_result":"success","bead_id":null,"host":"HOST"}\n';

beforeAll(async () => {
  host = await bootHost({ name: "from" });
  install = await unpack(host, "/srv/argus");
  await succeed(host, ["useradd", "--create-home", "bob"]);
  host.write(`${first}/argus.sh`, "#!/bin/bash\ndate >>/home/bob/argus/logs/argus.log\n", 0o755);
  host.write(`${first}/argus.env`, env, 0o600);
  host.write("/home/bob/history/problems.jsonl", problem);
  host.write(`${first}/state/dedup.json`, '{"keys":{}}\n');
  host.write(`${first}/state/restart-backoff.json`, '{"services":{}}\n');
  host.write(`${first}/state/observations.md`, "- it was warm\n");
  host.write(`${first}/logs/argus.log`, "once upon a time\n");
  await succeed(host, ["ln", "-s", "/etc/shadow", `${first}/logs/link.log`]);
  await succeed(host, ["chown", "-hR", "bob:bob", "/home/bob"]);
  host.write(
    `${units}/argus.service`,
    `[Service]\nType=oneshot\nEnvironmentFile=-${first}/argus.env\nExecStart=/bin/bash ${first}/argus.sh\n`,
  );
  host.write(
    `${units}/argus.timer`,
    "[Timer]\nOnBootSec=1d\nOnUnitActiveSec=1d\n[Install]\nWantedBy=timers.target\n",
  );
  host.write("/etc/cron.d/argus", `* * * * * bob ${first}/argus.sh\n`);
  await succeed(host, ["systemctl", "daemon-reload"]);
  await succeed(host, ["systemctl", "enable", "--now", "argus.timer"]);
  host.write("/home/bob/.config/systemd/user/argus.service", "[Service]\nExecStart=/bin/sleep infinity\n");
  host.write(
    "/home/bob/.config/systemd/user/argus.timer",
    "[Timer]\nOnUnitActiveSec=1d\nOnBootSec=1d\n[Install]\nWantedBy=timers.target\n",
  );
  await succeed(host, ["chown", "-R", "bob:bob", "/home/bob/.config"]);
  await succeed(host, ["systemctl", "start", `user@${await bobsUid()}.service`]);
  await bobs("enable", "--now", "argus.timer");
});
afterAll(async () => await host?.stop());

const bobsUid = async () => await succeed(host, ["id", "-u", "bob"]);
const bobs = async (...args: string[]) =>
  await host.exec(["env", `XDG_RUNTIME_DIR=/run/user/${await bobsUid()}`, "systemctl", "--user", ...args], {
    user: "bob",
  });
const isThere = (path: string) => existsSync(join(host.root, path));
const source = async () =>
  await succeed(host, ["find", first, "/home/bob/history", "-printf", "%p %i %m %u %s %T@\\n"]);
const oneLine = (text: string) => text.replace(/\s+/g, " ");
const content = async () =>
  (await footprint(host)).filter(
    (line) => !/^\/(opt|usr\/local.*|etc\/systemd\/system|etc\/argus) |timers\.target/.test(line),
  );

describe("beside the first Argus, install.sh", () => {
  it("refuses without --from, and says it, changing nothing", async () => {
    const before = await names(host);
    const refused = await install("--yes");
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      "install.sh: argus.timer and argus.service on this machine are not of this Argus, most likely of the first one; name its folder (its checkout, or that of its state) with --from DIR, or stop and remove what is there: systemctl disable --now argus.timer argus.service && rm /etc/systemd/system/argus.timer /etc/systemd/system/argus.service",
    ]);
    expect(await names(host)).toEqual(before);
    expect(await isActive(host, "argus.timer")).toBe(true);
  });

  it("refuses a folder that holds nothing of it", async () => {
    const empty = await install("--yes", "--from", "/srv");
    expect(empty.exitCode).toBe(1);
    expect(empty.stderr).toMatch(
      /^install\.sh: \/srv holds nothing of the first Argus: .*; name the folder of/,
    );
    expect(await install("--yes", "--from", "/nowhere")).toMatchObject({
      exitCode: 2,
      stderr:
        "install.sh: --from names /nowhere, which is no folder; name that of the first Argus, the bash program: its checkout, or the folder of its state",
    });
  });

  it("says with --dry-run what it would take, and does nothing", async () => {
    const [before, sourceBefore] = [await footprint(host), await source()];
    const planned = await install("--dry-run", "--yes", "--from", first);
    expect([planned.exitCode, planned.stderr]).toEqual([0, ""]);
    const plan = oneLine(planned.stdout);
    expect(plan).toContain(
      "- stop and disable argus.timer of the first Argus; its file stays as /etc/systemd/system/argus.timer.first",
    );
    expect(plan).toContain(
      "- take the settings of /home/bob/argus/argus.env into /etc/argus/argus.env, without the places where it wrote",
    );
    expect(plan).toContain(
      "- copy from /home/bob/history and /home/bob/argus/state into /var/lib/argus: problems.jsonl, dedup.json, observations.md",
    );
    expect(plan).toContain("- copy from /home/bob/argus/logs into /var/log/argus: first/argus.log");
    expect(plan).toContain("- stop and disable argus.timer of the user bob");
    expect(plan).toContain("! /home/bob/argus/logs/link.log is a link, so it is not taken");
    expect(plan).toContain(
      "! /etc/cron.d/argus still starts it (* * * * * bob /home/bob/argus/argus.sh); take that line out",
    );
    expect(planned.stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(await footprint(host)).toEqual(before);
    expect(await source()).toBe(sourceBefore);
  });

  it("puts all back, the timer too, when it fails", async () => {
    const [before, namesBefore] = [await content(), await names(host)];
    const fails = await unpack(host, "/srv/fails", { fault: "exits", patienceSeconds: 3 });
    const failed = await fails("--yes", "--from", first);
    expect([failed.exitCode, failed.stderr.split("\n").at(-1)]).toEqual([
      1,
      "install.sh: argus.service ended at once (exit-code, status 1), so all that was installed is removed again; the lines above are its last words",
    ]);
    expect(await names(host)).toEqual(namesBefore);
    expect((await content()).map(withoutInode)).toEqual(before.map(withoutInode));
    expect([await isActive(host, "argus.timer"), await isEnabled(host, "argus.timer")]).toEqual([true, true]);
    expect(host.read(`${units}/argus.service`)).toContain("argus.sh");
    expect((await bobs("is-active", "argus.timer")).stdout).toBe("active");
    expect((await bobs("is-enabled", "argus.timer")).stdout).toBe("enabled");
  });

  it("takes its settings, state and logs, and stops it", async () => {
    const sourceBefore = await source();
    const installed = await install("--yes", "--from", first);
    expect([installed.exitCode, installed.stderr]).toEqual([0, ""]);
    expect(host.read("/etc/argus/argus.env")).toBe(`# taken over by install.sh from /home/bob/argus
# of the first one
ARGUS_INTERVAL=120
# taken over by install.sh: this Argus has its own place for it: ARGUS_STATE_DIR="$HOME/argus/state"
# taken over by install.sh: this Argus has its own place for it: ARGUS_PROBLEMS_FILE="\${HOME}/history/problems.jsonl"
ARGUS_DASHBOARD_URL=https://dash.example/a
ARGUS_MODE=act
`);
    expect(host.read("/var/lib/argus/problems.jsonl").startsWith(problem)).toBe(true);
    expect(host.read("/var/lib/argus/observations.md").startsWith("- it was warm\n")).toBe(true);
    expect(host.read("/var/log/argus/first/argus.log")).toBe("once upon a time\n");
    expect(isThere("/var/log/argus/first/link.log")).toBe(false);
    const owned = ["/var/lib/argus/problems.jsonl", "/var/log/argus/first", "/var/log/argus/first/argus.log"];
    expect(await succeed(host, ["stat", "--format=%U", ...owned])).toBe("argus\nargus\nargus");
    expect(await succeed(host, ["stat", "--format=%a %U", "/etc/argus/argus.env"])).toBe("600 root");
    expect(await source()).toBe(sourceBefore);
    expect((await names(host)).filter((path) => path.includes("argus-taken"))).toEqual([]);
  });

  it("leaves the first one's units switched off, under another name", async () => {
    expect([await isActive(host, "argus.timer"), await isEnabled(host, "argus.timer")]).toEqual([
      false,
      false,
    ]);
    expect(isThere(`${units}/argus.timer`)).toBe(false);
    expect(host.read(`${units}/argus.timer.first`)).toContain("OnUnitActiveSec");
    expect(host.read(`${units}/argus.service.first`)).toContain("argus.sh");
    expect(await isActive(host, "argus.service")).toBe(true);
    expect((await bobs("is-active", "argus.timer")).stdout).toBe("inactive");
    expect((await bobs("is-enabled", "argus.timer")).stdout).toBe("disabled");
    const problems = await succeed(host, ["argus", "doctor"]);
    expect(problems).not.toContain("broken");
  });

  it("changes nothing the second time, with --from and without", async () => {
    const before = await footprint(host);
    expect((await install("--yes", "--from", first)).stdout).toContain("nothing to change");
    expect((await install("--yes")).stdout).toContain("nothing to change");
    expect(await footprint(host)).toEqual(before);
  });
});

/** A file that is put back is another one of the same content. */
const withoutInode = (line: string): string => line.replace(/ \d+ (\d+ \w+ \d+) [\d.]+$/, " $1");
