/** The daemon as the service that argus.service describes, over crashes of its own, reboots and power cuts. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TrailCycle } from "../../src/types/trail.ts";
import { layDown, program, startUnits, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";

let host: Host;
const settings = { services: ["web", "late"].map((unit) => ({ unit, restart: true })) };
const sleeps = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n";

beforeAll(async () => {
  host = await bootHost({ name: "daemon" });
  await layDown(host);
  host.write("/etc/argus/argus.json", JSON.stringify(settings));
  host.write("/etc/argus/argus.env", "ARGUS_INTERVAL=1\nARGUS_RESTART_SETTLE_SECONDS=1\n", 0o600);
  await host.unit("web.service", sleeps);
  await systemctl("enable", "--now", "web");
  await startUnits(host);
  await host.waitFor(() => cycles().length > 0, 10_000, "the first cycle");
});
afterAll(async () => await host?.stop());

const systemctl = async (...args: string[]) => await succeed(host, ["systemctl", ...args]);
const state = async (unit: string) => (await host.exec(["systemctl", "is-active", unit])).stdout;
const show = async (unit: string, property: string) =>
  await systemctl("show", "--value", `--property=${property}`, unit);

const trail = "/var/lib/argus/trail.jsonl";
function cycles(): TrailCycle[] {
  if (!existsSync(join(host.root, trail))) return [];
  const lines = host.read(trail).split("\n").slice(0, -1);
  return lines.flatMap((line) => TrailCycle.safeParse(JSON.parse(line)).data ?? []);
}
const restarts = (unit: string) =>
  cycles()
    .flatMap(({ actions }) => actions)
    .filter(({ type, target }) => type === "restart_service" && target === unit);
/** Every answer to a proposal to restart the unit, oldest first; repeated ones once. */
function answers(unit: string): string[] {
  const all = restarts(unit).map(({ result, refusal }) => refusal ?? result);
  return all.filter((answer, index) => answer !== all[index - 1]);
}
const crash = async (unit: string) => await systemctl("kill", "--signal=KILL", unit);

describe("argus.service", () => {
  it("heals a crashed service by itself, and keeps its hands off after the second crash", async () => {
    await crash("web");
    await host.waitFor(() => answers("web").includes("success"), 10_000, "web to be healed");
    expect(await state("web")).toBe("active");
    await crash("web");
    await host.waitFor(() => answers("web").includes("backoff"), 10_000, "the refusal");
    expect(answers("web")).toEqual(["success", "backoff"]);
    expect(await state("web")).toBe("failed");
  });

  it("knows after a crash of its own what it has tried", async () => {
    const before = cycles().length;
    const pid = await show("argus", "MainPID");
    await crash("argus");
    // RestartSec=5 in argus.service.
    await host.waitFor(() => cycles().length > before + 1, 15_000, "cycles after the crash");
    expect(await show("argus", "MainPID")).not.toBe(pid);
    expect(answers("web")).toEqual(["success", "backoff"]);
  });

  it("knows it after power cuts, too, and starts nothing in the first two minutes after boot", async () => {
    await host.unit(
      "late.service",
      "[Service]\nExecStart=/bin/sh -c 'rm /var/lib/fail-once && exit 1; exec sleep infinity'\n[Install]\nWantedBy=multi-user.target\n",
    );
    await systemctl("enable", "late");
    host.write("/var/lib/fail-once", "");
    await host.reboot({ cut: true, uptimeSeconds: 5 });
    await host.waitFor(() => answers("late").length > 0, 15_000, "an answer about late");
    expect(answers("late")).toEqual(["boot_grace"]);

    host.write("/var/lib/fail-once", "");
    await host.reboot({ cut: true, uptimeSeconds: 121 });
    await host.waitFor(async () => (await state("late")) === "active", 15_000, "late to be healed");
    await crash("web");
    await host.waitFor(() => answers("web").at(-1) === "success", 10_000, "web to be healed");
    // The first was two boots ago, and the clock since boot began anew each time.
    const attempts = restarts("web").flatMap(({ result, values }) =>
      result === "success" ? [values["attempt"]] : [],
    );
    expect(attempts).toEqual([1, 2]);
  });

  it("leaves a service alone that an operator stops", async () => {
    await systemctl("stop", "late");
    const before = cycles().length;
    await host.waitFor(() => cycles().length > before + 2, 10_000, "three more cycles");
    expect(await state("late")).toBe("inactive");
    expect(answers("late").at(-1)).toBe("success");
  });

  it("ends when systemd asks it to, within the 5 s that it has, and without a trace of failure", async () => {
    host.write("/etc/systemd/system/argus.service.d/limit.conf", "[Service]\nTimeoutStopSec=5\n");
    await systemctl("daemon-reload");
    await systemctl("stop", "argus");
    // After the time limit it would be "timeout".
    expect(await show("argus", "Result")).toBe("success");
    expect(await show("argus", "ExecMainStatus")).toBe("0");
  });

  it("gives way to no second instance, and says who holds the state", async () => {
    const before = cycles().length;
    await systemctl("start", "argus");
    const env = { ARGUS_STATE_DIR: "/var/lib/argus", ARGUS_LOG_DIR: "/var/log/argus" };
    const second = async (user: string) =>
      await host.exec(
        ["runuser", "-u", user, "--", `${program}/bin/node`, `${program}/dist/main.js`, "run", "--once"],
        {
          env,
          cwd: "/",
        },
      );
    await host.waitFor(() => cycles().length > before, 10_000, "its first cycle");
    const same = await second("argus");
    expect(same.exitCode).toBe(1);
    expect(same.stderr).toContain(`pid ${await show("argus", "MainPID")} (argus run)`);
    // Root would leave files behind that the daemon could not write any more.
    const root = await second("root");
    expect(root.exitCode).toBe(2);
    expect(root.stderr).toMatch(
      /^argus: the state folder \/var\/lib\/argus belongs to uid \d+, and Argus runs as uid 0/,
    );
  });
});
