/** Argus on a state that was damaged behind its back: nothing is lost, everything is said, and the work goes on. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { argusFor, layDown, program, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";

let host: Host;
const folder = "/var/lib/damaged";
const settings = { services: [{ unit: "web", restart: true }], budgets: { restartsPerHour: 100 } };
const marker = "damaged-by-the-test";

beforeAll(async () => {
  host = await bootHost({ name: "damaged" });
  await layDown(host);
  await host.unit("web.service", "[Service]\nExecStart=/bin/sleep infinity\n");
  await succeed(host, ["systemctl", "start", "web"]);
});
afterAll(async () => await host?.stop());

/** Every file that a cycle with a finding and an action leaves behind. */
async function stateFiles(): Promise<string[]> {
  const found = await succeed(host, [
    "find",
    `${folder}/state`,
    `${folder}/logs`,
    "-type",
    "f",
    "-name",
    "*.json*",
  ]);
  return found.split("\n").filter((path) => path !== "" && !path.includes("/history/"));
}

describe("a state file that was damaged", () => {
  it("is set aside or passed over, is said, and keeps Argus from nothing", async () => {
    const argus = argusFor(host, "damaged", { settings });
    await succeed(host, ["systemctl", "kill", "--signal=KILL", "web"]);
    const first = await argus.cycle();
    expect(first.actions[0]).toMatchObject({ type: "restart_service", result: "success" });
    const files = await stateFiles();
    expect(files.length).toBeGreaterThan(5);
    for (const path of files) {
      const isLines = path.endsWith(".jsonl");
      const whole = host.read(path);
      const damage = `{"version":99,"${marker}\n`;
      if (isLines) host.write(path, `${whole}${damage}`, 0o600);
      else host.write(path, damage, 0o600);
      const cycle = await argus.cycle();
      const kept = await host.exec(["grep", "-rl", marker, `${folder}/state`, `${folder}/logs`]);
      expect(kept.stdout, path).not.toBe("");
      // Said in the cycle's notes where the cycle reads it, else by the command that does, or in the log of what sends.
      const status = await argus.command("status");
      const explain = [process.execPath, `${program}/dist/main.js`, "explain", first.cycle.id];
      const older = await host.exec(explain, {
        env: {
          ARGUS_CONFIG: `${folder}/argus.json`,
          ARGUS_STATE_DIR: `${folder}/state`,
          ARGUS_LOG_DIR: `${folder}/logs`,
        },
      });
      expect(older.stdout, path).toContain(first.cycle.id);
      const log = host.read(`${folder}/logs/argus.log`).split("\n").slice(-20).join("\n");
      expect(`${cycle.notes.join("\n")}\n${status}\n${older.stderr}\n${log}`, path).toMatch(
        /set aside|passed over|cannot be understood|outbox/,
      );
      if (isLines) host.write(path, whole, 0o600);
      await succeed(host, ["sh", "-c", `grep -rl ${marker} ${folder}/state ${folder}/logs | xargs -r rm -f`]);
    }
    await succeed(host, ["systemctl", "kill", "--signal=KILL", "web"]);
    const last = await argus.cycle();
    expect(last.findings.map(({ rule }) => rule)).toContain("service-down");
  }, 120_000);

  it("on a file system that is read-only, Argus says so in one sentence and changes nothing", async () => {
    const argus = argusFor(host, "frozen", { settings });
    await succeed(host, [
      "sh",
      "-c",
      "mkdir -p /var/lib/frozen/state && mount -t tmpfs -o mode=700 none /var/lib/frozen/state",
    ]);
    await argus.cycle();
    await succeed(host, ["mount", "-o", "remount,ro", "/var/lib/frozen/state"]);
    await succeed(host, ["systemctl", "kill", "--signal=KILL", "web"]);
    const pid = await succeed(host, ["systemctl", "show", "--value", "-p", "MainPID", "web"]);
    const run = await host.exec([process.execPath, `${program}/dist/main.js`, "run", "--once"], {
      env: {
        ARGUS_CONFIG: "/var/lib/frozen/argus.json",
        ARGUS_STATE_DIR: "/var/lib/frozen/state",
        ARGUS_LOG_DIR: "/var/lib/frozen/logs",
      },
    });
    expect([1, 2]).toContain(run.exitCode);
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
    expect(run.stderr).toMatch(/^argus: .*read-only/);
    expect(await succeed(host, ["systemctl", "show", "--value", "-p", "MainPID", "web"])).toBe(pid);
    await succeed(host, ["mount", "-o", "remount,rw", "/var/lib/frozen/state"]);
    expect((await argus.cycle()).findings.map(({ rule }) => rule)).toContain("service-down");
  });
});
