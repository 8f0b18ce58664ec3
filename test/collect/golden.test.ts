/**
 * A whole machine, from its files to its facts. `ARGUS_GOLDEN=write npx vitest run test/collect/golden.test.ts`
 * writes the facts anew; look at what changed before you keep it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createCollector } from "../../src/collect/collect.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { FileSystemStatus, System } from "../../src/system/system.ts";
import type { Self } from "../../src/types/facts.ts";
import { Snapshot } from "../../src/types/snapshot.ts";
import { configWith } from "./tree.ts";

const root = join(import.meta.dirname, "../fixtures/collect/debian-12");
const golden = `${root}.json`;

const gigabyte = 1_000_000_000;
const status = (total: number, free: number, available: number, inodes = 1_000_000): FileSystemStatus => ({
  totalBytes: total * gigabyte,
  freeBytes: free * gigabyte,
  availableBytes: available * gigabyte,
  inodes,
  inodesFree: inodes * 0.9,
});
const sizes: Record<string, FileSystemStatus> = {
  "/": status(80, 9, 5),
  "/run": status(0.8, 0.7, 0.7),
  "/dev/shm": status(4, 4, 4),
  "/boot/efi": status(0.1, 0.09, 0.09, 0),
  "/mnt/backup disk": status(1000, 500, 500),
};

/** The tree has files alone: the clock, what statfs(2) says, and who asks, are added. */
function machine(): System {
  const real = createSystem({ root, path: `${root}/bin:/usr/bin:/bin` });
  const answer = async (path: string) => sizes[path] ?? Promise.reject(new Error(`no size for ${path}`));
  return {
    ...real,
    files: { ...real.files, statfs: answer },
    clock: {
      ...real.clock,
      now: () => ({ wallMs: 1_795_000_000_000, uptimeSeconds: 864_000.42, bootId: real.clock.now().bootId }),
    },
    self: { ...real.self, pid: 4_000_000, parentPid: 1, uid: 4242 },
  };
}

const settings = {
  services: [
    { unit: "openclaw-gateway", restart: true },
    { unit: "mcp-agent-mail", restart: true, endpoint: { url: "tcp://127.0.0.1:8765" } },
    { unit: "athena-web" },
  ],
};
const self: Self = {
  cycles: 41,
  failuresInARow: 0,
  interrupted: false,
  lastDurationMilliseconds: 12.3,
  lastError: null,
  brokenRuleFiles: 0,
  brokenRuleDetail: null,
  settingsInForce: true,
  settingsFault: null,
  executorAnswers: true,
  executorError: null,
  failedCollectors: [],
  failedCollectorDetail: null,
  writes: true,
  unwrittenSince: null,
  unwrittenDetail: null,
  failingChannels: [],
  failingChannelDetail: null,
};

it("sees what is there", async () => {
  const snapshot = await createCollector(machine(), configWith(settings)).collect(self);
  Snapshot.parse(snapshot);
  const collectors = snapshot.collectors.map(({ name, status, detail }) => `${name}: ${status}: ${detail}`);
  const seen = JSON.parse(JSON.stringify({ ...snapshot, collectors })) as unknown;
  if (process.env["ARGUS_GOLDEN"] === "write") writeFileSync(golden, `${JSON.stringify(seen, null, 2)}\n`);
  expect(seen).toEqual(JSON.parse(readFileSync(golden, "utf8")));
});
