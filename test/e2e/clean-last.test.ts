/** `argus clean --last`: what the last cleaning removed. The cleaning itself is one of a tree that stands for a machine. */
import { cpSync, mkdirSync } from "node:fs";
import { expect, it } from "vitest";
import { readLastCleaning } from "../../src/execute/clean/last-manifest.ts";
import { makeMachine } from "../execute/clean/machine.ts";
import { asOrdinaryUser } from "../support/ordinary-user.ts";
import { argus } from "./argus.ts";

async function withCleaning() {
  const its = argus();
  const machine = makeMachine();
  machine.file("/tmp/build/large", "x".repeat(2_000_000));
  machine.file("/tmp/evil\u001b[31m\n", "");
  machine.file("/var/tmp/small", "x");
  const of = {
    stateDir: "/srv/state",
    cycle: "20261128-1",
    source: "rule:disk-full",
    problem: "disk:0123456789abcdef",
    target: "/",
  };
  await machine.clean({ of, keep: ["/srv/state"] });
  mkdirSync(its.state(""), { recursive: true });
  cpSync(machine.at("/srv/state"), its.state(""), { recursive: true });
  return its;
}

it("says that there was none", () => {
  const its = argus();
  expect(its.run("clean", "--last")).toMatchObject({ status: 0, stdout: "Nothing was cleaned yet.\n" });
  expect(its.run("clean", "--last", "--json")).toMatchObject({ status: 0, stdout: "null\n" });
});

it("shows the folders, the largest and who asked, and nothing that the terminal would follow", async () => {
  const { status, stdout } = (await withCleaning()).run("clean", "--last");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^The last cleaning removed 4 entries, which freed 2\.0\d MB\.\n/);
  expect(stdout).toContain("on /, asked for by rule:disk-full in cycle 20261128-1");
  expect(stdout).toMatch(/By folder\n +2\.0\d MB +\/tmp +3 entries\n +1 B +\/var\/tmp +1 entry\n/);
  expect(stdout).toMatch(
    /Largest\n +2\.00 MB +\/tmp\/build\/large +file of \S+, last touched \d{4}-\d\d-\d\d\n/,
  );
  expect(stdout).toContain("/tmp/evil\\e[31m\\n");
  expect(stdout).not.toContain("\u001b");
});

it("has them all as data", async () => {
  const { stdout } = (await withCleaning()).run("clean", "--last", "--json");
  const data = JSON.parse(stdout) as { entries: { path: string }[]; end: { complete: boolean } };
  expect(data.entries.map(({ path }) => path).sort()).toEqual([
    "/tmp/build",
    "/tmp/build/large",
    "/tmp/evil\u001b[31m\n",
    "/var/tmp/small",
  ]);
  expect(data.end.complete).toBe(true);
});

it.runIf(process.getuid?.() === 0)("is root's to read", async () => {
  const machine = makeMachine();
  machine.file("/tmp/old");
  const of = {
    stateDir: "/srv/state",
    cycle: "c",
    source: "operator",
    problem: "disk:0123456789abcdef",
    target: null,
  };
  await machine.clean({ of, keep: ["/srv/state"] });
  const read = () => readLastCleaning(machine.system.files, "/srv/state");
  expect(read()?.entries).toHaveLength(1);
  asOrdinaryUser(machine.at("/srv/state/cleanings"), () => expect(read).toThrow(/permission denied/));
});
