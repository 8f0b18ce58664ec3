/** The installed daemon between two cycles of its schedule, which are 300 s apart: what wakes it, and what it does then. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TrailCycle } from "../../src/types/trail.ts";
import { layDown, startUnits, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";

let host: Host;
const sleeps = "[Service]\nExecStart=/bin/sleep infinity\n";
const watched = ["web", "api", "idle", "busless"];
const slow = {
  name: "seen-three-times",
  description: "Holds on every machine, and wants to be seen in three scheduled cycles",
  conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
  for: { cycles: 3 },
  event: { type: "check", params: { condition: "slow", severity: "info", subject: "x", summary: "x" } },
};

beforeAll(async () => {
  host = await bootHost({ name: "wakeups" });
  await layDown(host);
  const services = watched.map((unit) => ({ unit, restart: true }));
  host.write("/etc/argus/argus.json", JSON.stringify({ services }));
  host.write("/etc/argus/argus.env", "ARGUS_RESTART_SETTLE_SECONDS=1\n", 0o600);
  host.write("/etc/argus/rules.d/slow.json", JSON.stringify({ rules: [slow] }));
  for (const unit of [...watched, "other"]) await host.unit(`${unit}.service`, sleeps);
  await succeed(host, ["systemctl", "start", ...watched, "other"]);
  await succeed(host, ["sh", "-c", "mkdir -p /srv/small && mount -t tmpfs -o size=20M small /srv/small"]);
  await startUnits(host);
});
afterAll(async () => await host?.stop());

const systemctl = async (...args: string[]) => await succeed(host, ["systemctl", ...args]);
const show = async (unit: string, property: string) =>
  (await systemctl("show", "--value", `--property=${property}`, unit)).trim();
const isActive = async (unit: string) => (await show(unit, "ActiveState")) === "active";

function cycles(): TrailCycle[] {
  const lines = host.read("/var/lib/argus/trail.jsonl").split("\n").slice(0, -1);
  return lines.map((line) => TrailCycle.parse(JSON.parse(line)));
}
const reasons = () => cycles().flatMap(({ cycle }) => cycle.woken_by ?? []);
const crash = async (unit: string) => await systemctl("kill", "--signal=KILL", unit);
const wake = async () => await systemctl("kill", "--kill-who=main", "--signal=USR1", "argus");

describe("the installed daemon", () => {
  it("is ready only after its first complete cycle", async () => {
    expect(await isActive("argus")).toBe(true);
    expect(cycles().map(({ cycle }) => cycle.trigger)).toEqual(["schedule"]);
    expect(await show("argus", "StatusText")).toMatch(/^cycle of 20\S+: 0 open problems, 0 actions$/);
  });

  it("restarts a service that crashed long before its next cycle is due, and says what woke it", async () => {
    const pid = await show("web", "MainPID");
    await crash("web");
    await host.waitFor(
      async () => (await show("web", "MainPID")) !== pid && (await isActive("web")),
      10_000,
      "web",
    );
    await host.waitFor(() => reasons().includes("web.service failed"), 10_000, "the trail");
    const woken = cycles().find(({ cycle }) => cycle.woken_by?.includes("web.service failed") ?? false);
    expect(woken?.cycle.trigger).toBe("wake");
    expect(woken?.actions[0]).toMatchObject({
      type: "restart_service",
      target: "web",
      result: "success",
      verified: true,
    });
    // The restart itself resets the failure, which is no news: a second wake-up would halve what the limit allows.
    expect(reasons()).toEqual(["web.service failed"]);
  });

  it("looks when one of its services ends by itself, and when any other unit fails", async () => {
    await crash("other");
    await host.waitFor(() => reasons().includes("other.service failed"), 10_000, "the other unit");
    await succeed(host, ["sh", "-c", 'kill -TERM "$(systemctl show --value -p MainPID idle)"']);
    await host.waitFor(() => reasons().some((reason) => reason.startsWith("idle.service")), 10_000, "idle");
    await host.waitFor(async () => await isActive("idle"), 10_000, "idle to be healed");
  });

  it("is not woken by a unit of others that ends without an error", async () => {
    await host.unit("ends.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n");
    await host.unit("breaks.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n");
    await systemctl("start", "ends");
    expect((await host.exec(["systemctl", "start", "breaks"])).exitCode).not.toBe(0);
    await host.waitFor(() => reasons().includes("breaks.service failed"), 10_000, "the one after it");
    expect(reasons().filter((reason) => reason.startsWith("ends.service"))).toEqual([]);
  });

  it("is woken by SIGUSR1, and no streak comes nearer by that", async () => {
    for (let number = 1; number <= 3; number += 1) {
      await wake();
      const heard = () => reasons().filter((reason) => reason === "SIGUSR1").length === number;
      await host.waitFor(heard, 10_000, `wake-up ${number}`);
    }
    expect(cycles().filter(({ cycle }) => cycle.trigger === "schedule")).toHaveLength(1);
    const verdict = cycles()
      .at(-1)
      ?.rules.verdicts.find(({ rule }) => rule === slow.name);
    expect(verdict).toMatchObject({ verdict: "quiet", fired: 0, waiting: 1 });
  });

  it("is woken by a disk that fills up", async () => {
    await succeed(host, ["sh", "-c", "head -c 19600000 /dev/zero > /srv/small/full"]);
    await host.waitFor(() => reasons().some((reason) => reason.includes("/srv/small")), 15_000, "the pulse");
    await host.waitFor(
      () =>
        cycles().some(({ findings }) =>
          findings.some(({ rule, subject }) => rule === "disk-full" && subject === "/srv/small"),
        ),
      10_000,
      "the finding",
    );
  });

  it("says that systemd cannot be heard, goes on by its schedule, and hears it again", async () => {
    await succeed(host, ["systemctl", "stop", "dbus.socket", "dbus.service"]);
    const lost = () =>
      cycles()
        .flatMap(({ notes }) => notes)
        .filter((note) => note.includes("until systemd can be heard again"));
    await wake();
    await host.waitFor(() => lost().length > 0, 10_000, "the note");
    await succeed(host, ["systemctl", "start", "dbus.socket", "dbus.service"]);
    await host.waitFor(
      async () =>
        (await host.exec(["journalctl", "-u", "argus", "--no-pager"])).stdout.includes(
          "systemd reports units that go down again",
        ),
      20_000,
      "the good news",
    );
    await crash("busless");
    await host.waitFor(async () => await isActive("busless"), 10_000, "busless to be healed");
    await host.waitFor(() => reasons().includes("busless.service failed"), 10_000, "the trail");
    // It was tried several times, and is said once.
    expect(lost()).toHaveLength(1);
  });

  it("is ended and started again by the watchdog when it hangs", async () => {
    host.write(
      "/etc/systemd/system/argus.service.d/watchdog.conf",
      "[Service]\nWatchdogSec=3\nRestartSec=0\n",
    );
    await systemctl("daemon-reload");
    await systemctl("restart", "argus");
    const pid = await show("argus", "MainPID");
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(await show("argus", "MainPID")).toBe(pid); // it is fed
    await systemctl("kill", "--signal=STOP", "argus");
    await host.waitFor(
      async () => (await isActive("argus")) && (await show("argus", "MainPID")) !== pid,
      20_000,
      "another Argus",
    );
    expect((await host.exec(["journalctl", "-u", "argus", "--no-pager"])).stdout).toContain(
      "Watchdog timeout",
    );
  });
});
