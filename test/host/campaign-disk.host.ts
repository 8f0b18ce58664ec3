/** The fault campaign, a disk that is nearly full: cleaned, and told to end in the middle of the cleaning. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;
const cache = "/home/bob/.cache/pip";
const entries = 60_000;
const shell = async (script: string) => await succeed(host, ["sh", "-c", script]);
const wheels = () => join(host.root, cache, "wheels");
const left = () => (existsSync(wheels()) ? readdirSync(wheels()).length : 0);
const usedPercent = async () => Number((await shell("df --output=pcent /home | tail -1")).replace("%", ""));
const cleanings = () => is.actions(host, "clean_disk").filter(({ refusal }) => refusal === null);

/**
 * Names that take seconds to remove, and last what fills the disk.
 * @returns percent in use at that moment: a wake-up cleans it soon after.
 */
async function fill(): Promise<number> {
  const said = await shell(
    `mkdir -p ${cache}/wheels && cd ${cache}/wheels && seq ${entries} | xargs touch && chown -R bob: /home/bob &&
    head -c 60M /dev/zero >../large; df --output=pcent /home | tail -1`,
  );
  return Number(said.replace("%", ""));
}

beforeAll(async () => {
  host = await bootHost({ name: "disk" });
  await shell("mount -t tmpfs -o mode=755,size=64m,nr_inodes=500k none /home");
  await succeed(host, ["useradd", "--create-home", "bob"]);
  host.write("/home/bob/letter", "kept");
  // For the executor everything on this throwaway host is a month old.
  host.write("/srv/later.mjs", "const now = Date.now; Date.now = () => now() + 30 * 86_400_000;\n");
  host.write(
    "/etc/systemd/system/argus-executor.service.d/later.conf",
    "[Service]\nEnvironment=NODE_OPTIONS=--import=/srv/later.mjs\n",
  );
  await is.installArgus(host, { settings: { homes: ["/home/bob"], budgets: { cleaningsPerHour: 20 } } });
});
afterAll(async () => await host?.stop());

describe("SIGTERM in the middle of a disk cleaning", () => {
  it.each(["argus-executor", "argus"])(
    "to %s: it ends at once and is said, nothing else is touched, and the next one goes on",
    async (unit) => {
      rmSync(join(host.root, cache), { recursive: true, force: true });
      await is.moreCycles(host, 2);
      const before = cleanings().length;
      expect(await fill()).toBeGreaterThan(90);
      await host.waitFor(() => left() < entries, 15_000, "the cleaning to begin");
      const pid = await is.property(host, unit, "MainPID");
      await is.systemctl(host, "kill", "--signal=TERM", unit);
      const isAnew = async () => !["0", pid].includes(await is.property(host, unit, "MainPID"));
      await host.waitFor(isAnew, 10_000, `another ${unit}`);
      expect(left()).toBeGreaterThan(entries / 2);
      await host.waitFor(() => cleanings().length > before, 10_000, "the record of it");
      expect(cleanings()[before]).toMatchObject({ result: "failure", verified: null });
      expect(cleanings()[before]?.detail).toMatch(/^freed .*; cut off, because Argus was told to stop$/);
      expect(host.read("/home/bob/letter")).toBe("kept");

      // What was large went first: to have the rest removed as well it must fill up anew.
      await shell(`head -c 60M /dev/zero >${cache}/large && chown bob: ${cache}/large`);
      await host.waitFor(() => left() === 0, 40_000, "the next cleaning to remove the rest");
      await host.waitFor(async () => (await usedPercent()) < 50, 10_000, "the disk to be clean");
      await host.waitFor(() => cleanings().at(-1)?.result === "success", 10_000, "its record");
      expect(cleanings().at(-1)?.verified).toBe(true);
      expect(host.read("/home/bob/letter")).toBe("kept");
    },
  );
});
