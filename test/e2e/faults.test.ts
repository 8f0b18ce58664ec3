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
  ["run", "--once"],
  ["explain"],
  ["status"],
  ["clean", "--dry-run"],
  ["silence", "list"],
  ["pause"],
  ["resume"],
  ["mode"],
  ["completion"],
];

/** Beginnings of the lines that name a fault. */
const named = (text: string, fault: RegExp): string[] =>
  text.split("\n").flatMap((line) => fault.exec(line)?.slice(1, 2) ?? []);
const all = Object.keys(settings);
const ofRules = ["a", "b", "c"].flatMap((file) =>
  Array.from({ length: 10 }, (_, number) => `${file}${number}`),
);

it.each([[["check"], 2] as const, [["doctor"], 1] as const])(
  "twelve faults of argus.json are all named: argus %s",
  (args, wanted) => {
    const watch = argus();
    watch.settings(settings);
    const { status, stdout, stderr } = watch.run(...args);
    const text = (stdout + stderr).replace(/\n *\| /g, " ");
    expect(status).toBe(wanted);
    expect(named(text, /argus\.json:1: (fault\d+): unknown key/)).toEqual(all);
    expect(text).not.toContain("\\n");
  },
);

it("with the last good settings each command does what it did, and most say in one line that they do", () => {
  const watch = argus();
  watch.run("run", "--once");
  const before = commands.map((args) => [args, watch.run(...args).status]);
  watch.settings(settings);
  const line =
    /^argus: \S+argus\.json:1: fault0: unknown key.* \(and 11 more: argus check\); the settings of \S+ \S+ UTC stay in force until that is fixed$/m;
  const after = commands.map((args) => {
    const { status, stdout, stderr } = watch.run(...args);
    const text =
      args[0] === "status" ? `argus: ${stdout.replace(/\n *\| /g, " ").replace(/^.*\n.*?: /, "")}` : stderr;
    if (args[0] !== "completion") expect.soft(text.replace(/\n {2}/g, " "), args.join(" ")).toMatch(line);
    return [args, status];
  });
  expect(after).toEqual(before);
});

it("without a good copy the same commands work, and nothing is cleaned", () => {
  const watch = argus();
  watch.settings(settings);
  for (const args of commands.filter(([name]) => !["clean", "explain"].includes(name ?? "")))
    expect([args, watch.run(...args).status]).toEqual([args, 0]);
  expect(watch.run("clean", "--dry-run")).toMatchObject({ status: 2, stdout: "" });
  expect(JSON.parse(watch.run("status", "--json").stdout)).toMatchObject({
    mode: "watch",
    broken: {
      settings: {
        inForce: "no good copy of it is kept: Argus only watches, with default settings, until that is fixed",
      },
      rules: null,
    },
  });
});

it.each([
  [["check"], 2, /^ {2}- \S+: rule "(\w+)", enabled: must be/],
  [["doctor"], 1, /^ *- \S+: rule "(\w+)", enabled:/],
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

it("a broken rule file takes no other away, and its last good copy stays in force over a restart", () => {
  const watch = argus();
  const mine = {
    name: "mine",
    description: "Holds on every machine",
    conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
    event: {
      type: "check",
      params: {
        condition: "mine",
        severity: "info",
        subject: "host",
        summary: "there are cores",
        resolves: true,
      },
    },
  };
  const firing = () => {
    const { status, stdout } = watch.run("run", "--once", "--json");
    expect(status).toBe(0);
    const { findings } = JSON.parse(stdout) as { findings: { rule: string; summary: string }[] };
    return findings.map(({ rule, summary }) => (rule === "mine" ? rule : summary));
  };
  watch.rule("mine.json", { rules: [mine] });
  expect(firing()).toContain("mine");
  writeFileSync(join(watch.dir, "rules.d", "mine.json"), '{ "rules": [');
  breakRules(watch);
  expect(firing()).toEqual(
    expect.arrayContaining([
      "mine",
      expect.stringMatching(
        /^4 rule file\(s\) cannot be used: \S+a\.json:1: .*; the copy of \S+ \S+ UTC stays in force, what was never good is left out$/,
      ),
    ]),
  );
  expect(watch.run("explain", "--rule", "mine")).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^argus: .*stays in force.*\n$/),
  });
});

it("more than fifty are counted", () => {
  const watch = argus();
  for (const file of ["d", "e", "f", "g"]) {
    const rules = Array.from({ length: 20 }, (_, number) => ({ name: `${file}${number}`, enabled: "no" }));
    writeFileSync(join(watch.dir, "rules.d", `${file}.json`), JSON.stringify({ rules }));
  }
  expect(watch.run("check").stdout).toContain("\n  - and 30 more\n");
  expect(watch.run("run", "--once").stderr).toMatch(/ \(and 79 more: argus check\); .*\n$/);
});

it("a log has the first fault in one line, with how many more there are", async () => {
  const watch = argus({ ARGUS_INTERVAL: "1" });
  const daemon = watch.start("run");
  await until("the first cycle", () => daemon.output().includes('"msg":"cycle"'));
  watch.settings({ one: 1, two: 2 });
  daemon.kill("SIGHUP");
  await until("it is said", () => daemon.output().includes("(and 1 more: argus check)"));
  breakRules(watch);
  watch.settings({});
  daemon.kill("SIGHUP");
  await until("the rules as well", () => daemon.output().includes("and 29 more: argus check"));
  daemon.kill("SIGTERM");
  await ended(daemon);
  const messages = daemon
    .output()
    .split("\n")
    .filter((line) => line.includes('"level":"error"') || line.includes('"level":50'))
    .map((line) => String((JSON.parse(line) as { msg: string }).msg));
  expect(messages[0]).toMatch(
    /^\S+ one: unknown key.* \(and 1 more: argus check\); the settings of \S+ \S+ UTC stay in force until that is fixed$/,
  );
  expect(messages[1]).toMatch(/^\S+: rule "a0", enabled: .* \(and 29 more: argus check\); /);
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
