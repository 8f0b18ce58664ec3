/** What kill -9 may cost: nothing that was reported as written, whatever it hits. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readProblems } from "../../src/record/registry-reader.ts";
import { createFiles } from "../../src/system/files.ts";
import { temporaryDir } from "./samples.ts";

const source = join(import.meta.dirname, "../../src");
let base: string;
let program: string;

/** Opens one problem after the other, and resolves four of five; says what is on disk. Rotates all the time. */
const writer = `
  import { writeSync } from "node:fs";
  import { createRegistry } from ${JSON.stringify(join(source, "record/registry.ts"))};
  import { createFiles } from ${JSON.stringify(join(source, "system/files.ts"))};
  import { cycleAt, serviceFinding } from ${JSON.stringify(join(import.meta.dirname, "samples.ts"))};
  const [stateDir, first] = process.argv.slice(2);
  const registry = createRegistry({ files: createFiles("/"), stateDir, nowMs: () => 1e12, note: () => {} }, { maxBytes: 150_000, keep: 2 });
  for (let number = Number(first); ; number += 1) {
    const [key] = registry.recordFindings([serviceFinding("unit-" + number)], cycleAt(1e12 + number * 1000));
    // Only of those that are never resolved is it sure what must stand there when the next word does not come.
    writeSync(1, (number % 5 === 0 ? "open " : "begun ") + key + "\\n");
    if (number % 5 === 0) continue;
    registry.recordResolved([{ key, because: "not_found" }], cycleAt(1e12 + number * 1000));
    writeSync(1, "resolved " + key + "\\n");
  }
`;

beforeAll(() => {
  base = temporaryDir();
  program = join(base, "writer.mjs");
  const banner =
    'import { createRequire as make } from "node:module"; const require = make(import.meta.url);';
  buildSync({
    stdin: { contents: writer, resolveDir: source, loader: "ts" },
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
    banner: { js: banner },
  });
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

it("no problem that was reported as opened or resolved is forgotten, through kill -9 and rotations", async () => {
  const stateDir = join(base, "state");
  const files = createFiles("/");
  files.makeDirectory(stateDir);
  const said = new Map<string, string>();
  const openNow = () => [...said].filter(([, life]) => life === "open").map(([key]) => key);
  for (let round = 0; round < 12; round += 1) {
    const child = spawn(process.execPath, [program, stateDir, String(round * 1000)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gone = new Promise((resolve) => child.on("close", resolve));
    const before = said.size;
    for await (const line of createInterface({ input: child.stdout })) {
      const [life = "", key = ""] = line.split(" ");
      said.set(key, life);
      if (said.size >= before + 15 + round) child.kill("SIGKILL");
    }
    await gone;
    const { problems, passedOver } = readProblems(files, stateDir);
    // At most the line that was being written, once for each kill.
    expect(passedOver).toBeLessThanOrEqual(round + 1);
    for (const key of openNow()) expect(problems.get(key)?.life, `${key} after round ${round}`).toBe("open");
    for (const [key, life] of said)
      if (life === "resolved" && problems.has(key)) expect(problems.get(key)?.life).toBe("resolved");
  }
  expect(existsSync(join(stateDir, "problems.jsonl.1"))).toBe(true);
  expect(
    readdirSync(stateDir).filter((name) => /^problems\.jsonl(\.\d+)?$/.test(name)).length,
  ).toBeLessThanOrEqual(3);
}, 20_000);
