/** What install.sh takes the mode of an argus.env for: it must never write act over watch. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const settings = mkdtempSync(join(tmpdir(), "argus-install-"));
afterAll(() => rmSync(settings, { recursive: true }));
const present = /^present_mode\(\) \{\n[\s\S]*?\n\}\n/m.exec(readFileSync("install.sh", "utf8"))?.[0];
const choose = /^choose_mode\(\) \{\n[\s\S]*?\n\}\n/m.exec(readFileSync("install.sh", "utf8"))?.[0];

/** A first installation with --yes, which chooses act where nothing is said. */
function chosen(text: string, remembered = "") {
  writeFileSync(join(settings, "argus.env"), text);
  writeFileSync(join(settings, "mode.json"), remembered);
  const script = `set -euo pipefail; mode='' assume_yes=1 executor_state=$settings
    installed_prefix() { :; }; is_program() { false; }
    ${present}${choose}choose_mode; echo "$mode"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script], {
    env: { ...process.env, settings },
    encoding: "utf8",
  });
  return { mode: stdout.trim(), stderr };
}

it.each([
  ["a byte order mark", "\uFEFFARGUS_MODE=watch\n", "watch"],
  ["lines that end as on Windows", "\uFEFF# mine\r\nARGUS_MODE=watch\r\n", "watch"],
  ["double quotes", 'ARGUS_MODE="watch"\r\n', "watch"],
  ["single quotes and spaces", "  ARGUS_MODE= 'watch' \n", "watch"],
  ["no end of its line", "ARGUS_MODE=act", "act"],
  ["a comment alone", "#ARGUS_MODE=watch\n", "act"],
  ["no value", "ARGUS_MODE=\n", "act"],
])("reads what stands there with %s", (_, text, mode) => {
  expect(chosen(text)).toEqual({ mode, stderr: "" });
});

it.each(["ARGUS_MODE=act\nARGUS_MODE=watch\n", "ARGUS_MODE=Watch\n", "ARGUS_MODE='watch\n"])(
  "keeps %j, which the program refuses, and says so",
  (text) => {
    const { mode, stderr } = chosen(text);
    // set_mode writes nothing where the mode that is wanted is the one that is set.
    expect(mode).toBe("unclear");
    expect(stderr).toContain(
      "is set twice, or to something else than watch or act; it stays as it is: argus check",
    );
  },
);

it("goes on watching where the settings of an earlier Argus are lost", () => {
  expect(chosen("", '{"version":1,"mode":"watch","by":null,"at":"2026-01-01T00:00:00Z"}\n').mode).toBe(
    "watch",
  );
});
