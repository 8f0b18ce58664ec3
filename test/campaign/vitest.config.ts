// The campaign takes minutes and prints its numbers, so `vitest run` alone does not pick it up.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    include: ["test/campaign/**/*.campaign.ts"],
    // A process for each file. One of them waits most of its time for servers that answer slowly or not at all.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 1_800_000,
    hookTimeout: 30_000,
  },
});
