// Host tests boot a systemd of their own and need root, so `vitest run` alone does not pick them up.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    include: ["test/host/**/*.host.ts"],
    // A process for each file: a host ends with the process that booted it.
    pool: "forks",
    // Mostly they wait for a host: two at once take half the time of one after the other.
    maxWorkers: 2,
    hookTimeout: 30_000,
    testTimeout: 30_000,
  },
});
