// The attack campaign takes minutes and prints its numbers, so `vitest run` alone does not pick it up.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    include: ["test/attack/**/*.attack.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Three minutes on two busy cores: the limit is there for what hangs, and not for a slow machine.
    testTimeout: 900_000,
    hookTimeout: 30_000,
  },
});
