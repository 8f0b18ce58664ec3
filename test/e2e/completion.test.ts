/** `argus completion` in the shell that it is for. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { argus } from "./argus.ts";

/** As bash sets its variables: a colon is a word of its own. */
function complete(...words: string[]): string[] {
  return completeIn({}, ...words);
}

function completeIn(env: Record<string, string>, ...words: string[]): string[] {
  const script = `${argus().run("completion").stdout}
    COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    _argus; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const split = words.flatMap((word) =>
    word.split(/(:)/).filter((part, index) => part !== "" || index === 0),
  );
  const line = ["argus", ...words].join(" ");
  const run = script.replace('COMP_LINE="$*"', `COMP_LINE=${JSON.stringify(line)}`);
  const output = execFileSync("bash", ["-c", run, "complete", "argus", ...split], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return output.trim().split("\n");
}

it("completes commands, and the options of the command that stands there", () => {
  expect(complete("do")).toEqual(["doctor"]);
  expect(complete("")).toEqual(expect.arrayContaining(["run", "explain", "status", "--help"]));
  expect(complete("run", "--d")).toEqual(["--dry-run"]);
  expect(complete("doctor", "--")).toEqual(["--json", "--help"]);
  expect(complete("nonsense", "--")).toEqual([""]);
});

it("completes the commands of a command, and their options", () => {
  expect(complete("silence", "")).toEqual(["add", "list", "remove", "--help"]);
  expect(complete("silence", "a")).toEqual(["add"]);
  expect(complete("silence", "add")).toEqual(["add"]);
  expect(complete("silence", "add", "--r")).toEqual(["--rule", "--reason"]);
  expect(complete("silence", "list", "--")).toEqual(["--json", "--help"]);
  expect(complete("silence", "nonsense", "--")).toEqual([""]);
});

it("completes the keys of open problems where a command takes them, beyond the colon in them", () => {
  const watch = argus();
  const fires = {
    name: "tide",
    description: "a rule of the test",
    conditions: { all: [{ fact: "host", path: "uptimeSeconds", operator: "greaterThan", value: 0 }] },
    event: {
      type: "argus",
      params: { condition: "tide", severity: "info", subject: "tide", summary: "high", actions: [] },
    },
  };
  watch.rule("tide.json", { rules: [fires] });
  watch.once();
  const [{ key = "" } = {}] = watch.registry();
  const bin = join(watch.dir, "bin");
  mkdirSync(bin);
  const text = `#!/bin/sh\nexec ${process.execPath} ${resolve("dist/main.js")} "$@"\n`;
  writeFileSync(join(bin, "argus"), text, { mode: 0o755 });
  const env = { ...watch.env, PATH: `${bin}:${process.env["PATH"]}` };
  const [type = "", digits = ""] = key.split(":");
  for (const command of ["ack", "explain"]) {
    expect(completeIn(env, command, type), command).toContain(key);
    expect(completeIn(env, command, `${type}:${digits.slice(0, 4)}`), command).toEqual([digits]);
  }
  expect(completeIn(env, "ack", "--no")).toEqual(["--note"]);
  expect(completeIn(env, "status", type)).toEqual([""]);
});
