/** The cost of a cycle in a process of its own, so that it can be started as the daemon is. Prints `cpuMs wallMs`. */
import { runCycle } from "../src/cycle.ts";
import { measure } from "./measure.ts";
import { benchParts } from "./parts.ts";

const [programDir = ".", runs = "20"] = process.argv.slice(2);
const { parts, release } = await benchParts(programDir);
const { signal } = new AbortController();
// The first cycles read what stays the same of each process, and the compiler is still at work.
for (let warm = 0; warm < 20; warm += 1) await runCycle(parts, "schedule", signal);
const cost = await measure(Number(runs), () => runCycle(parts, "schedule", signal));
process.stdout.write(`${cost.cpuMs} ${cost.wallMs}\n`);
release();
