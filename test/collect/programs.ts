/** Programs of the test's own making, found before those of the machine. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Programs {
  /** For `createRun` and `createSystem`. */
  readonly path: string;
  readonly folder: string;
  /** @param script what follows `#!/bin/sh`. */
  write(name: string, script: string): void;
  /** Looks for nothing else any more: what was not written does not exist. */
  readonly alone: string;
  dispose(): void;
}

export function createPrograms(): Programs {
  const folder = mkdtempSync(join(tmpdir(), "argus-programs-"));
  return {
    path: `${folder}:/usr/bin:/bin`,
    alone: folder,
    folder,
    write: (name, script) => writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 }),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
