/** The wall clock leaps while Argus is away: delays go by the time since boot, and one outage stays one problem. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { argusFor, layDown, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";

let host: Host;
const settings = { services: [{ unit: "web", restart: true }] };
/** A leap ahead makes every file old: nothing here may clean. */
const rules = ["disk-full", "disk-filling"].map((name) => ({ name, enabled: false }));
const preload = "/var/lib/leap.mjs";
const hour = 3_600_000;

beforeAll(async () => {
  host = await bootHost({ name: "clock" });
  await layDown(host);
  host.write(preload, "const now = Date.now; Date.now = () => now() + Number(process.env.LEAP_MS);");
  await host.unit("web.service", "[Service]\nExecStart=/bin/sleep infinity\n");
  await succeed(host, ["systemctl", "start", "web"]);
});
afterAll(async () => await host?.stop());

/** Argus on one state, with the wall clock of this process moved; nobody else's is. */
const argusAt = (leapMs: number) =>
  argusFor(host, "leaps", {
    settings,
    rules,
    env: { NODE_OPTIONS: `--import=${preload}`, LEAP_MS: String(leapMs) },
  });
async function crash(): Promise<void> {
  await succeed(host, ["systemctl", "kill", "--signal=KILL", "web"]);
  const isFailed = async () => (await host.exec(["systemctl", "is-failed", "web"])).exitCode === 0;
  await host.waitFor(isFailed, 5_000, "web to be down");
}

describe("a wall clock that leaps", () => {
  it("by an hour either way neither shortens a delay nor makes two problems of one", async () => {
    await crash();
    const first = await argusAt(0).cycle();
    expect(first.actions[0]).toMatchObject({ type: "restart_service", result: "success" });
    const key = first.findings[0]?.key ?? "";
    await argusAt(0).cycle();
    await crash();
    for (const leapMs of [hour, -hour, 0]) {
      const { cycle, actions, findings } = await argusAt(leapMs).cycle();
      expect(Math.abs(Date.parse(cycle.ts) - Date.now() - leapMs)).toBeLessThan(60_000);
      expect(actions[0], `${leapMs}`).toMatchObject({ type: "restart_service", refusal: "backoff" });
      expect(findings.filter(({ rule }) => rule === "service-down").map((finding) => finding.key)).toEqual([
        key,
      ]);
    }
    const open = JSON.parse(await argusAt(0).command("problems", "--open", "--json"));
    expect(open.filter(({ subject }: { subject: string }) => subject === "web")).toHaveLength(1);
    expect(await argusAt(0).command("explain", key)).toContain(key);
  });
});
