/** What is typed after `argus silence add` and cannot be meant. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { argus } from "./argus.ts";

const instant = "must be a time with its zone, such as 2026-12-24T18:00Z";
const key = "must be a problem's key, such as service:3f1c0c9a5d2e7b40";
const cases: [what: string, option: string, value: string, why: string][] = [
  ["a variable that a script did not set", "--rule <name>", "", "must be text of 1 to 256 characters"],
  ["a rule of blanks", "--rule <name>", "  ", "must be text of 1 to 256 characters"],
  ["an empty subject", "--subject <text>", "", "must be text of 1 to 1024 characters"],
  ["a rule too long to be one", "--rule <name>", "r".repeat(257), "must be text of 1 to 256 characters"],
  ["a subject too long", "--subject <text>", "s".repeat(1025), "must be text of 1 to 1024 characters"],
  ["a reason too long", "--reason <text>", "x".repeat(1025), "must be text of 1 to 1024 characters"],
  ["an empty key", "--key <key>", "", key],
  ["a rule's name for a key", "--key <key>", "service-down", key],
  ["half a key", "--key <key>", "service:3f1c", key],
  ["a time without its zone", "--until <time>", "2026-12-24T18:00", instant],
  ["a day that there is not", "--until <time>", "2027-02-30T00:00Z", instant],
  ["an hour that there is not", "--until <time>", "2027-01-01T25:00Z", instant],
  ["a month that there is not", "--until <time>", "2027-13-01T00:00Z", instant],
  ["a word for a time", "--until <time>", "tomorrow", instant],
  ["no time at all", "--for <time>", "0h", "It must be a number and s, m, h or d, such as 30m, 2h or 7d."],
];

describe("argus silence add", () => {
  it.each(cases)("refuses %s, and leaves the silences as they are", (_, option, value, why) => {
    const watch = argus();
    watch.run("silence", "add", "--subject", "web", "--for", "2h");
    const before = readFileSync(watch.state("silences.json"), "utf8");
    const [name = ""] = option.split(" ");
    const rest = name === "--for" || name === "--until" ? [] : ["--for", "1h"];
    const more = name === "--subject" ? [] : ["--subject", "api"];
    const { status, stderr } = watch.run("silence", "add", name, value, ...more, ...rest);
    expect([status, stderr]).toEqual([
      2,
      `error: option '${option}' argument '${value}' is invalid. ${why}\n(argus --help lists the commands)\n`,
    ]);
    expect(readFileSync(watch.state("silences.json"), "utf8")).toBe(before);
  });

  it("says that a name is no rule's, and which one may be meant", () => {
    const { status, stderr } = argus().run("silence", "add", "--rule", "sevice-down", "--for", "1h");
    expect([status, stderr]).toEqual([
      0,
      'argus: no rule in force is called "sevice-down" (did you mean "service-down"?): until one is, this silences nothing\n',
    ]);
  });

  it("works while a rule file is broken", () => {
    const watch = argus();
    writeFileSync(`${watch.dir}/rules.d/broken.json`, "{");
    const made = watch.run("silence", "add", "--rule", "service-down", "--for", "1h");
    expect([made.status, made.stderr]).toEqual([0, ""]);
  });

  it("makes no more than can be read back", () => {
    const watch = argus();
    watch.run("silence", "add", "--subject", "web", "--for", "2h");
    const file = JSON.parse(readFileSync(watch.state("silences.json"), "utf8"));
    const many = Array.from({ length: 500 }, () => file.silences[0]);
    writeFileSync(watch.state("silences.json"), JSON.stringify({ version: 1, silences: many }));
    const { status, stderr } = watch.run("silence", "add", "--subject", "api", "--for", "1h");
    expect([status, stderr]).toEqual([
      2,
      "argus: 500 silences are in force, and there may be no more; argus silence remove ends one\n",
    ]);
    expect(JSON.parse(watch.run("silence", "list", "--json").stdout)).toHaveLength(500);
  });
});

it("a file that cannot be understood is set aside and said, and the next silence is in force", () => {
  const watch = argus();
  mkdirSync(watch.state(""), { mode: 0o700 });
  writeFileSync(watch.state("silences.json"), "{");
  const path = watch.state("silences.json");
  const list = watch.run("silence", "list");
  expect([list.status, list.stdout, list.stderr]).toEqual([
    0,
    "Nothing is silenced.\n",
    `argus: ${path} is not valid JSON; it was set aside as ${path}.corrupt-1 and Argus starts with an empty one\n`,
  ]);
  expect(readFileSync(`${path}.corrupt-1`, "utf8")).toBe("{");
  watch.run("silence", "add", "--subject", "web", "--for", "1h");
  expect(JSON.parse(watch.run("silence", "list", "--json").stdout)).toMatchObject([
    { match: { subject: "web" } },
  ]);
});
