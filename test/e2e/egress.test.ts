/** The exits that only the whole program has: what a typist, a coding agent and a bug may bring to a terminal. */
import { spawnSync } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { faultOf, foreignLine, worst } from "../egress/hostile.ts";
import { argus, temporaryDir } from "./argus.ts";

// An argument cannot hold a NUL.
const typed = worst.replaceAll("\0", "");

function judged(text: string): string {
  expect(faultOf(text)).toBeNull();
  expect(foreignLine(text)).toBeNull();
  return text;
}

test.each([
  ["a command", [typed]],
  ["an option", ["status", `--${typed}`]],
  ["a value", ["stats", "--since", typed]],
  ["an argument", ["explain", typed]],
  ["a rule", ["explain", "--rule", typed]],
  ["a choice", ["problems", "--type", typed]],
])("%s that nobody knows is repeated on one line", (_, argv) => {
  const { status, stdout, stderr } = argus().run(...argv);
  expect(status).toBe(2);
  judged(stdout);
  expect(judged(stderr)).toContain("zilapp");
});

test("settings that cannot be used are quoted on their lines", () => {
  const watch = argus({ ARGUS_INTERVAL: typed, ARGUS_LOG_DIR: `/${typed}` });
  writeFileSync(join(watch.dir, "argus.json"), `{"zil${"\u001b[2J\u202e"}": 1, ${typed}}`);
  for (const command of ["run", "check", "doctor", "status"])
    for (const { stdout, stderr } of [watch.run(command, ...(command === "run" ? ["--once"] : []))]) {
      judged(stdout);
      judged(stderr);
    }
});

test("a coding agent's words leave as JSON, of the same value", () => {
  const program = join(temporaryDir("agent"), "agent");
  writeFileSync(`${program}.txt`, worst);
  writeFileSync(program, `#!/bin/sh\ncat "${program}.txt"; cat "${program}.txt" >&2\n`, { mode: 0o755 });
  const { stdout } = spawnSync(
    process.execPath,
    [resolve("dist/main.js"), "agent", "--seconds", "10", "--", program],
    { encoding: "utf8", input: "" },
  );
  judged(stdout);
  expect(JSON.parse(stdout).output).toBe(worst.toWellFormed());
});

test("a bug is quoted, also before any command is known", () => {
  // A program whose own files are not as they should be fails where no command could say so.
  const dir = temporaryDir("broken");
  cpSync(resolve("dist"), join(dir, "dist"), { recursive: true });
  writeFileSync(join(dir, "dist", "package.json"), '{"type": "module"}');
  writeFileSync(join(dir, "package.json"), `{"version": zilhost: RECOVERED${"\u001b[2J\u202e"}`);
  const { status, stderr } = spawnSync(process.execPath, [join(dir, "dist", "main.js"), "--version"], {
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(judged(stderr)).toContain("a bug, please report it:");
});
