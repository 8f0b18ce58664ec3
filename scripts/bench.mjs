// Bundles the benchmark as the program itself is bundled, and runs it.
import { spawnSync } from "node:child_process";
import { build } from "esbuild";

await build({
  entryPoints: { main: "bench/main.ts", cycle: "bench/cycle.ts", soak: "bench/soak.ts" },
  outdir: "dist-bench",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  // jsonc-parser's CommonJS build requires its parts in a way no bundler can follow; its ES module does not.
  mainFields: ["module", "main"],
  target: "node20",
  logLevel: "warning",
  external: ["systeminformation"],
  banner: {
    js: 'import { createRequire as argusCreateRequire } from "node:module"; const require = argusCreateRequire(import.meta.url);',
  },
});
process.exitCode = spawnSync(process.execPath, ["dist-bench/main.js"], { stdio: "inherit" }).status ?? 1;
