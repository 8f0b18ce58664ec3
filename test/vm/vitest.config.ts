// A virtual machine boots in a quarter of a minute and needs root and qemu, so `vitest run` alone does not pick them up.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    include: ["test/vm/**/*.vm.ts"],
    pool: "forks",
    // One machine at a time: each takes a core.
    fileParallelism: false,
    hookTimeout: 600_000,
    testTimeout: 600_000,
  },
});
