import { defineConfig } from "vitest/config";

// Argus refuses files that their group may write, and some accounts make every new file such a one.
process.umask(0o022);

/** Parks descriptors where nobody can see which files they hold: while they wait there, no cleaning removes anything. */
const alone = "test/execute/clean/in-use-hidden.test.ts";

export default defineConfig({
  test: {
    // Left to itself it keeps one processor free.
    maxWorkers: "100%",
    reporters: [["default", { summary: false }]],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "parts",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/host/**", alone],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Here Argus itself is at work on this machine's processes: nobody else may start orphans meanwhile.
        extends: true,
        test: {
          name: "whole",
          include: ["test/e2e/**/*.test.ts", alone],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
