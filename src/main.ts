#!/usr/bin/env node
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

// Until somebody listens, Node opens its debugger's port on this signal, to every user of the machine. Reading the rest
// of the program takes a tenth of a second, so that comes after.
process.on("SIGUSR1", () => undefined);
const { keepHeapSmall } = await import("./system/heap.ts");
keepHeapSmall();
const { crash } = await import("./cli/terminal.ts");
process.on("uncaughtException", crash);
const { main } = await import("./cli/main.ts");

// Both src/main.ts and dist/main.js lie one folder below the program's.
const programDir = dirname(dirname(fileURLToPath(import.meta.url)));
process.exitCode = await main({
  argv: process.argv,
  env: process.env,
  workingDir: process.cwd(),
  programDir,
});
// A program that hangs, or a dead network mount, keeps a thread of this process busy: the work is done, nobody waits for that.
setTimeout(() => process.exit(), 500).unref();
