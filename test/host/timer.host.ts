/**
 * Argus by its timer (`install.sh --timer`): each cycle is a process of its own. On an ext4 without a byte left, and with
 * settings that broke, a crashed service is healed and people are alerted; the daily summary does not fail.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, checkout, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;
const shell = async (script: string) => await succeed(host, ["sh", "-c", script]);
const watched = ["web", "api", "shop"];
const receiver = `
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";
createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    appendFileSync("/run/posts", JSON.stringify(body) + "\\n");
    response.end("{}");
  });
}).listen(9093, "127.0.0.1");
`;
const posts = () => host.read("/run/posts").split("\n").filter(Boolean);

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "argus-timer-"));
  const image = join(folder, "image");
  try {
    execFileSync("truncate", ["-s", "64M", image]);
    execFileSync("mkfs.ext4", ["-q", image]);
    host = await bootHost({ name: "timer", disk: { image, at: "/mnt" } });
  } finally {
    // The loop device keeps it until the host ends.
    rmSync(folder, { recursive: true, force: true });
  }
  await shell(`cd /mnt && mkdir lib log && mkdir -p /var/log/argus &&
    mount --bind lib /var/lib && mount --bind log /var/log/argus`);
  host.write("/srv/receiver.mjs", receiver);
  host.write("/run/posts", "");
  await is.service(host, "receiver", `ExecStart=${process.execPath} /srv/receiver.mjs`);
  await is.services(
    host,
    watched.map((name) => ({ name })),
  );
  await is.systemctl(host, "start", "receiver", ...watched);
  await is.installArgus(host, {
    settings: {
      services: watched.map((unit) => ({ unit, restart: true })),
      channels: [
        { type: "webhook", name: "ops", url: "http://127.0.0.1:9093/", secretVariable: "ARGUS_SECRET_OPS" },
      ],
    },
    env: { ARGUS_SECRET_OPS: "0123456789abcdef0123456789abcdef" },
  });
  await is.systemctl(host, "disable", "--now", "argus");
  for (const unit of ["systemd/argus-once.service", "systemd/argus-daily.service"])
    host.write(`/etc/systemd/system/${basename(unit)}`, host.read(join(checkout, unit)));
  await is.systemctl(host, "daemon-reload");
}, 60_000);
afterAll(async () => await host?.stop());

/** @returns what it said, and its exit status. */
async function start(unit: string): Promise<{ status: string; said: string }> {
  const since = await shell("date +@%s.%N");
  await host.exec(["systemctl", "start", unit], { timeoutMs: 25_000 });
  const status = await is.property(host, unit, "ExecMainStatus");
  return { status, said: await shell(`journalctl -u ${unit} -o cat --since ${since.trim()}`) };
}

async function heals(unit: string): Promise<{ status: string; said: string }> {
  const before = posts().length;
  await is.crash(host, unit);
  const told = await start("argus-once");
  expect(await is.activeState(host, unit), told.said).toBe("active");
  expect(
    posts()
      .slice(before)
      .some((post) => post.includes(unit)),
    told.said,
  ).toBe(true);
  return told;
}

describe("argus.json that broke", () => {
  it("a cycle of the timer goes by the last good one, heals and alerts", async () => {
    const good = host.read("/etc/argus/argus.json");
    host.write("/etc/argus/argus.json", "{");
    const { status, said } = await heals("web");
    expect([status, said]).toEqual([
      "0",
      expect.stringMatching(/argus\.json:1: is not valid JSON: .*stay in force/),
    ]);
    expect(posts().some((post) => post.includes("the settings cannot be used"))).toBe(true);
    const daily = await start("argus-daily");
    expect([daily.status, daily.said]).toEqual(["0", expect.stringContaining("stay in force")]);
    host.write("/etc/argus/argus.json", good);
  });
});

describe("an ext4 without a byte left", () => {
  it("a cycle of the timer heals and alerts in memory, and says what is lost with it", async () => {
    await shell(
      "cat /dev/zero >/mnt/full 2>/dev/null; for n in 1 2 3 4 5 6; do echo x >>/mnt/full-$n; done; rm -f /var/lib/argus/reserve; cat /dev/zero >>/mnt/full; true",
    );
    for (const unit of ["api", "shop"]) {
      const { status, said } = await heals(unit);
      expect([status, said]).toEqual([
        "0",
        expect.stringMatching(/: \d+ bytes of what was done meanwhile are lost with this process/),
      ]);
    }
    await shell("rm -f /mnt/full*");
    const { status, said } = await start("argus-once");
    expect([status, said]).toEqual(["0", expect.not.stringContaining("are lost with this process")]);
  });
});
