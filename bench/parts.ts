/** The production parts on the real machine, with a state directory of their own and nothing to find or to do. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenParts, openParts } from "../src/cli/parts.ts";
import { loadConfig } from "../src/config.ts";
import { createSystem } from "../src/system/machine.ts";

export interface BenchParts extends OpenParts {
  readonly dir: string;
}

export async function benchParts(programDir: string): Promise<BenchParts> {
  const dir = mkdtempSync(join(tmpdir(), "argus-bench-"));
  const system = createSystem();
  const env = {
    ...process.env,
    ARGUS_CONFIG: join(programDir, "argus.json"),
    ARGUS_STATE_DIR: join(dir, "state"),
    ARGUS_LOG_DIR: join(dir, "logs"),
    ARGUS_LOCAL_RULES_DIR: join(dir, "rules.d"),
  };
  const config = loadConfig({ system, env, workingDir: dir, programDir });
  const open = await openParts(system, config, "bench");
  return {
    ...open,
    dir,
    release: () => {
      const lost = open.release();
      rmSync(dir, { recursive: true, force: true });
      return lost;
    },
  };
}
