/** The installed daemon on a disk that is full to the last byte: its own state lies there as well. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TrailCycle } from "../../src/types/trail.ts";
import { layDown, startUnits, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";

let host: Host;

beforeAll(async () => {
  host = await bootHost({ name: "fulldisk" });
  await layDown(host);
  // A disk of its own for the state and what fills it, as /var often is.
  await succeed(host, [
    "sh",
    "-c",
    "mount -t tmpfs -o size=100M,mode=755 var /var/lib && mkdir /var/lib/cache",
  ]);
  host.write("/etc/argus/argus.json", JSON.stringify({ services: [{ unit: "web", restart: true }] }));
  host.write("/etc/argus/argus.env", "ARGUS_INTERVAL=1\nARGUS_RESTART_SETTLE_SECONDS=1\n", 0o600);
  await host.unit("web.service", "[Service]\nExecStart=/bin/sleep infinity\n");
  await succeed(host, ["systemctl", "start", "web"]);
  await startUnits(host);
});
afterAll(async () => await host?.stop());

function cycles(): TrailCycle[] {
  const lines = host.read("/var/lib/argus/trail.jsonl").split("\n").slice(0, -1);
  return lines.flatMap((line) => TrailCycle.safeParse(JSON.parse(line)).data ?? []);
}
const exists = async (path: string) => (await host.exec(["test", "-e", path])).exitCode === 0;

describe("a full disk under Argus's own state", () => {
  it("costs the reserve and not the watch: a service that crashes is still healed, and the disk is reported", async () => {
    await host.waitFor(async () => await exists("/var/lib/argus/reserve"), 10_000, "the reserve");
    const before = cycles().length;
    await host.exec(["sh", "-c", "cat /dev/zero > /var/lib/cache/full"]);
    await host.waitFor(
      async () => !(await exists("/var/lib/argus/reserve")),
      10_000,
      "the reserve to be given up",
    );
    await succeed(host, ["systemctl", "kill", "--signal=KILL", "web"]);
    const healed = () =>
      cycles()
        .slice(before)
        .some(({ actions }) =>
          actions.some(({ type, result }) => type === "restart_service" && result === "success"),
        );
    await host.waitFor(healed, 15_000, "web to be healed");
    expect((await succeed(host, ["systemctl", "is-active", "web"])).trim()).toBe("active");
    const notes = cycles().flatMap((cycle) => cycle.notes);
    expect(notes.some((note) => note.includes("the reserve of 4 MB is given up"))).toBe(true);
    const rules = cycles().flatMap(({ findings }) =>
      findings.map(({ rule, subject }) => `${rule} ${subject}`),
    );
    expect(rules).toContain("disk-full /var/lib");
  });

  it("is set aside again when there is room", async () => {
    await succeed(host, ["rm", "/var/lib/cache/full"]);
    await host.waitFor(async () => await exists("/var/lib/argus/reserve"), 10_000, "the reserve");
  });
});
