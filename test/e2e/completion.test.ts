/** `argus completion` in the shell that it is for. */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { argus } from "./argus.ts";

function complete(...words: string[]): string[] {
  const script = `${argus().run("completion").stdout}
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _argus; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync("bash", ["-c", script, "complete", "argus", ...words], { encoding: "utf8" });
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
