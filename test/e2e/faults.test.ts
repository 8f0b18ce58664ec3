/** Settings and rules with many faults: each fault is a line of its own, none is dropped without a word. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Argus, argus, ended, until } from "./argus.ts";

const settings = Object.fromEntries(Array.from({ length: 12 }, (_, number) => [`fault${number}`, number]));

/** Three files of ten rules, with one fault each. */
function breakRules({ dir }: Argus): void {
  for (const file of ["a", "b", "c"]) {
    const rules = Array.from({ length: 10 }, (_, number) => ({ name: `${file}${number}`, enabled: "no" }));
    writeFileSync(join(dir, "rules.d", `${file}.json`), JSON.stringify({ rules }));
  }
}

const commands: string[][] = [
  ["run"],
  ["run", "--once"],
  ["check"],
  ["explain"],
  ["status"],
  ["problems"],
  ["summary"],
  ["stats"],
  ["approve"],
  ["deny", "abcd"],
  ["clean", "--dry-run"],
  ["silence", "list"],
  ["pause"],
  ["resume"],
  ["notify", "--test"],
  ["doctor"],
  ["executor"],
];

/** Beginnings of the lines that name a fault. */
const named = (text: string, fault: RegExp): string[] =>
  text.split("\n").flatMap((line) => fault.exec(line)?.slice(1, 2) ?? []);
const all = Object.keys(settings);
const ofRules = ["a", "b", "c"].flatMap((file) =>
  Array.from({ length: 10 }, (_, number) => `${file}${number}`),
);

it.each(commands.map((args) => [args]))("twelve faults of argus.json: argus %s", (args) => {
  const watch = argus();
  watch.settings(settings);
  const { status, stdout, stderr } = watch.run(...args);
  const text = stdout + stderr;
  expect(status).toBe(2);
  expect(named(text, /argus\.json:1: (fault\d+): unknown key/)).toEqual(all);
  expect(text).not.toContain("\\n");
});

it.each([
  [["check"], 2, /^ {2}- \S+: rule "(\w+)", enabled: must be/],
  [["doctor"], 1, /^ *- \S+: rule "(\w+)", enabled:/],
  [["run", "--once"], 2, /^\S+: rule "(\w+)", enabled: must be/],
  [["run"], 2, /^\S+: rule "(\w+)", enabled: must be/],
  [["explain", "--rule", "service-down"], 2, /^\S+: rule "(\w+)", enabled: must be/],
] as const)("thirty faults of rules: argus %s", (args, wanted, fault) => {
  const watch = argus();
  breakRules(watch);
  const { status, stdout, stderr } = watch.run(...args);
  expect(status).toBe(wanted);
  // A folder's name may be so long that what follows it stands on the next line.
  const text = (stdout + stderr).replace(/\n *\| /g, " ");
  expect(named(text, fault)).toEqual(ofRules);
  expect(text).not.toContain("\\n");
});

it("more than fifty are counted", () => {
  const watch = argus();
  for (const file of ["d", "e", "f", "g"]) {
    const rules = Array.from({ length: 20 }, (_, number) => ({ name: `${file}${number}`, enabled: "no" }));
    writeFileSync(join(watch.dir, "rules.d", `${file}.json`), JSON.stringify({ rules }));
  }
  expect(watch.run("check").stdout).toContain("\n  - and 30 more\n");
  // The heading is one of the fifty lines.
  expect(watch.run("run", "--once").stderr).toMatch(/\nand 31 more\n$/);
});

it("a log has the faults in one line, with a semicolon between them", async () => {
  const watch = argus({ ARGUS_INTERVAL: "1" });
  const daemon = watch.start("run");
  await until("the first cycle", () => daemon.output().includes('"msg":"cycle"'));
  watch.settings({ one: 1, two: 2 });
  daemon.kill("SIGHUP");
  await until("it is said", () => daemon.output().includes("stay as they are"));
  breakRules(watch);
  watch.settings({});
  daemon.kill("SIGHUP");
  await until("the rules as well", () => daemon.output().includes("the rules cannot be used"));
  daemon.kill("SIGTERM");
  await ended(daemon);
  const messages = daemon
    .output()
    .split("\n")
    .filter((line) => line.includes("stay as they are"))
    .map((line) => String((JSON.parse(line) as { msg: string }).msg));
  expect(messages[0]).toMatch(
    /^the settings and rules in force stay as they are: \S+ one: unknown key.*; \S+ two: unknown key/,
  );
  expect(messages[1]).toMatch(/stay as they are: the rules cannot be used: \S+: rule "a0", enabled: /);
  expect(messages.join("")).not.toMatch(/\n|\\n/);
});

it("check --json has them as a list, and all in one text as versions before did", () => {
  const watch = argus();
  watch.settings(settings);
  const { faults, error } = JSON.parse(watch.run("check", "--json").stdout).settings;
  expect(faults).toHaveLength(12);
  expect(error).toBe(faults.join("\n"));
  watch.settings({});
  expect(JSON.parse(watch.run("check", "--json").stdout).settings).toMatchObject({ faults: [], error: null });
});
