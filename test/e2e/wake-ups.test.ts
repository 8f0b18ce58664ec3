/** The daemon between two cycles of its schedule, which are an hour apart here. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { argus, ended, until } from "./argus.ts";

type Watch = ReturnType<typeof argus>;
const hour = { ARGUS_INTERVAL: "3600" };

async function started(watch: Watch) {
  const daemon = watch.start("run");
  await until("the first cycle", () => cycles(daemon.output()).length === 1);
  return daemon;
}

function cycles(output: string): { trigger: string; woken_by?: string[] }[] {
  const lines = output.split("\n").filter((line) => line.includes('"msg":"cycle"'));
  return lines.map((line) => JSON.parse(line) as { trigger: string; woken_by?: string[] });
}

/** Ports that a process listens on, by the sockets that it has open. */
function listening(pid: number): string[] {
  return ["tcp", "tcp6"].flatMap((name) =>
    readFileSync(`/proc/${pid}/net/${name}`, "utf8")
      .split("\n")
      .filter((line) => / 0A /.test(line))
      .map((line) => line.trim().split(/\s+/)[1] ?? ""),
  );
}

test("SIGUSR1 starts a cycle at once and not Node's debugger; explain says what woke it", async () => {
  const watch = argus(hour);
  const daemon = await started(watch);
  const before = listening(daemon.pid ?? 0);
  daemon.kill("SIGUSR1");
  await until("the woken cycle", () => cycles(daemon.output()).length === 2);
  expect(cycles(daemon.output())[1]).toMatchObject({ trigger: "wake", woken_by: ["SIGUSR1"] });
  const inspector = ":240D"; // 9229
  expect(listening(daemon.pid ?? 0).filter((port) => !before.includes(port))).toEqual([]);
  expect(before.some((port) => port.endsWith(inspector))).toBe(false);
  expect(daemon.output()).not.toContain("Debugger");
  const { cycle } = JSON.parse(watch.run("status", "--json").stdout).lastCycle;
  expect(watch.run("explain", cycle.id).stdout).toContain("started by an event: SIGUSR1");
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
});

test("signals that come together are one cycle", async () => {
  const watch = argus(hour);
  const daemon = await started(watch);
  for (let signal = 0; signal < 20; signal += 1) daemon.kill("SIGUSR1");
  await until("the woken cycle", () => cycles(daemon.output()).length === 2);
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
  expect(cycles(daemon.output())).toHaveLength(2);
});

test("a streak of three cycles is not brought nearer by wake-ups", async () => {
  const watch = argus(hour);
  watch.rule("slow.json", {
    rules: [
      {
        name: "slow",
        description: "Holds on every machine, and wants to be seen twice",
        conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
        for: { cycles: 2 },
        event: { type: "check", params: { condition: "slow", severity: "info", subject: "x", summary: "x" } },
      },
    ],
  });
  const daemon = await started(watch);
  for (const number of [2, 3, 4]) {
    daemon.kill("SIGUSR1");
    await until(`cycle ${number}`, () => cycles(daemon.output()).length === number);
  }
  daemon.kill("SIGTERM");
  await ended(daemon);
  expect(watch.registry().filter(({ condition }) => condition === "slow")).toEqual([]);
  expect(watch.once().findings.map(({ rule }) => rule)).toContain("slow");
});
