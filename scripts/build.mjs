// Bundles src/ into dist/. Splitting keeps what is imported lazily (the model's SDK) in files of its own,
// so that a cycle that asks nobody does not pay for loading it.
import { chmodSync, rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: { main: "src/main.ts" },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  // jsonc-parser's CommonJS build requires its parts in a way no bundler can follow; its ES module does not.
  mainFields: ["module", "main"],
  target: "node20",
  minify: false,
  sourcemap: false,
  legalComments: "none",
  logLevel: "warning",
  banner: {
    // CommonJS dependencies inside an ES module bundle still call require() for Node's own modules.
    js: 'import { createRequire as argusCreateRequire } from "node:module"; const require = argusCreateRequire(import.meta.url);',
  },
});
chmodSync("dist/main.js", 0o755);
