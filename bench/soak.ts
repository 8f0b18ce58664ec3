/** Runs cycles in a process of its own and prints `cycles rssMiB cpuMsPerCycle` at each of the given counts. */
import { readFileSync } from "node:fs";
import { runCycle } from "../src/cycle.ts";
import { benchParts } from "./parts.ts";

const [programDir = ".", ...counts] = process.argv.slice(2);
const { parts, release } = await benchParts(programDir);
const { signal } = new AbortController();
let cycles = 0;
let before = process.cpuUsage();
let measured = 0;
for (const count of counts.map(Number)) {
  for (; cycles < count; cycles += 1) {
    await runCycle(parts, "schedule", signal);
    // A daemon sleeps between cycles, and the garbage collector has its turn then.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { user, system } = process.cpuUsage(before);
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  process.stdout.write(
    `${count} ${(rssKb / 1024).toFixed(1)} ${((user + system) / 1000 / (count - measured)).toFixed(2)}\n`,
  );
  before = process.cpuUsage();
  measured = count;
}
release();
