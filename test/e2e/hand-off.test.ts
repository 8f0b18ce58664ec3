/** `argus agent`, which systemd starts as an ordinary user: whatever becomes of the coding agent, it says so and succeeds. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { AgentResult, maxResultBytes } from "../../src/types/hand-off.ts";
import { argus } from "./argus.ts";

function agent(seconds: number, input: string, ...command: string[]) {
  const args = [resolve("dist/main.js"), "agent", "--seconds", String(seconds), "--", ...command];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    input,
    encoding: "utf8",
    maxBuffer: 1e9,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return { bytes: Buffer.byteLength(stdout), told: AgentResult.parse(JSON.parse(stdout)) };
}

test("the agent reads the incident at its standard input, and what it says is the output", () => {
  expect(agent(20, "what happened\n", "cat").told).toMatchObject({
    exitCode: 0,
    timedOut: false,
    output: "what happened",
    errors: "",
  });
});

test.each([
  [
    "ends badly",
    ["sh", "-c", "echo half; echo no login >&2; exit 3"],
    { exitCode: 3, timedOut: false, output: "half", errors: "no login" },
  ],
  [
    "is not installed",
    ["no-such-agent"],
    { exitCode: null, timedOut: false, output: "", errors: "there is no program no-such-agent here" },
  ],
  ["hangs", ["sh", "-c", "echo begun; exec sleep 600"], { exitCode: null, timedOut: true, output: "begun" }],
])("an agent that %s is told of", (_, command, wanted) => {
  expect(agent(1, "", ...command).told).toMatchObject(wanted);
});

test.each([
  ["control characters, which JSON makes six times as long", "\\u0001"],
  ["letters that take three bytes", "\u20ac"],
  ["quotes", '\\"'],
])("of megabytes of %s the end is kept, and no more than the executor reads", (_, letter) => {
  const script = `process.stdout.write("${letter}".repeat(1_000_000) + "the end"); process.stderr.write("${letter}".repeat(1_000_000))`;
  const { bytes, told } = agent(20, "", process.execPath, "-e", script);
  expect(told.output).toMatch(/the end$/);
  expect(told.output.length).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThanOrEqual(maxResultBytes);
});

test("`argus doctor` says why nothing could be handed off, and nothing where nobody wants it", () => {
  const watch = argus();
  const line = () =>
    JSON.parse(watch.run("doctor", "--json").stdout).find(
      ({ name }: { name: string }) => name === "coding agent",
    );
  expect(line()).toBeUndefined();
  watch.settings({ handOff: { user: "nobody-of-this-name", directory: "/" } });
  const canStart = process.getuid?.() === 0 && existsSync("/run/systemd/system");
  expect(line()).toEqual({
    name: "coding agent",
    state: "limited",
    detail: canStart
      ? "nothing is handed off: handOff.user: there is no user nobody-of-this-name in /etc/passwd"
      : "nothing is handed off: a coding agent is started by systemd alone, for an Argus that runs as root or has its executor",
    mend: "fix handOff in argus.json, or take it out; without the agent, people hear of what stays unresolved",
  });
});
