/** Whoever reads what Argus prints may stop reading, or have no space for it: that is no mistake of this program. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { argus } from "./argus.ts";

function inShell(line: string) {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", line], {
    env: { ...argus().env, NODE: process.execPath, ARGUS: resolve("dist/main.js") },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

it("ends quietly when nobody reads on", () => {
  expect(inShell('"$NODE" "$ARGUS" check | true; "$NODE" "$ARGUS" --help | true')).toEqual({
    status: 0,
    stdout: "",
    stderr: "",
  });
  expect(inShell('(sleep 0.2; "$NODE" "$ARGUS" check) | exec true')).toEqual({
    status: 0,
    stdout: "",
    stderr: "",
  });
});

it.runIf(existsSync("/dev/full"))("says in one sentence that there is no space for what it prints", () => {
  expect(inShell('"$NODE" "$ARGUS" check >/dev/full')).toEqual({
    status: 1,
    stdout: "",
    stderr:
      "argus: cannot write standard output: no space left on the file system; free some space there (argus clean --dry-run shows what may go)\n",
  });
});
