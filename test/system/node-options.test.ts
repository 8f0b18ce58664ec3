import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isTestRun,
  parseNodeCommand,
  reportsElsewhere,
  runtimeOptionsOf,
} from "../../src/system/node-options.ts";

const options = (line: string) => runtimeOptionsOf("node", ["node", ...line.split(" ")]);

describe("Node's own options", () => {
  it.each([
    ["--test", ["--test"]],
    ["--test a.test.js --test-only", ["--test"]],
    ["bot.js --test", []],
    ["-- bot.js --test", []],
    ["- --test", []],
    ["-r x --test", ["-r", "--test"]],
    ["-r x bot.js --test", ["-r"]],
    ["--require x bot.js --test", ["--require"]],
    ["--require=x bot.js --test", ["--require"]],
    ["--import x --test", ["--import", "--test"]],
    ["--loader x bot.js --test", ["--loader"]],
    ["-C dev bot.js --test", ["-C"]],
    ["--env-file .env bot.js --test", ["--env-file"]],
    ["--env-file=.env --test", ["--env-file", "--test"]],
    ["--test-name-pattern --test", []],
    ["--test_name_pattern=x --test", ["--test-name-pattern", "--test"]],
    ["--max-old-space-size=100 --test", ["--max-old-space-size", "--test"]],
    ["--max_old_space_size=100 --test", ["--max-old-space-size", "--test"]],
    // V8 takes a value after `=` only: Node would take 100 for the script.
    ["--max-old-space-size 100 --test", []],
    ["-e 1 --test", ["-e", "--test"]],
    ["-p 1 --test", ["-p", "--test"]],
    ["-p --test", ["-p", "--test"]],
    ["--inspect --test", ["--inspect", "--test"]],
    ["--inspect=0 --test", ["--inspect", "--test"]],
    ["--test --no-test", []],
    ["--no-test --test", ["--test"]],
    ["--no-warnings bot.js --test", []],
    ["--no-warnings --test", ["--test"]],
    ["--test=1", []],
    ["--from-the-future --test", ["--from-the-future", "--test"]],
    ["--from-the-future x --test", []],
    ["inspect --test", []],
    ["--watch-path=x --test", ["--watch-path", "--test", "--watch"]],
  ])("%s", (line, wanted) => expect(options(line)).toEqual(wanted));

  it("other programs have none", () => {
    expect(runtimeOptionsOf("bun", ["node", "--test"])).toEqual([]);
    expect(runtimeOptionsOf(null, ["node", "--test"])).toEqual([]);
    expect(runtimeOptionsOf("node", ["node --test"])).toEqual([]);
    expect(runtimeOptionsOf("node", [])).toEqual([]);
  });

  const word = fc.stringMatching(/^[a-z./][a-z0-9./=-]{0,8}$/);
  const option = fc.stringMatching(/^--?[a-z][a-z_=-]{0,9}$/);
  it("nothing behind the script is one of them, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("--enable-source-maps", "--import=x", "--inspect")),
        word,
        fc.array(fc.oneof(option, word)),
        (front, script, rest) => {
          const command = parseNodeCommand(["node", ...front, script, ...rest]);
          expect(command?.script).toBe(script);
          expect(command?.options).toEqual(front.map((each) => each.split("=")[0]));
        },
      ),
    );
  });

  it("a run is one only where --test stands among the arguments before the first word that is no value", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(option, word, fc.constantFrom("--test", "--", "-", "--watch"))),
        (args) => {
          if (!isTestRun(runtimeOptionsOf("node", ["node", ...args]))) return;
          expect(args).toContain("--test");
          expect(args.slice(0, args.indexOf("--test"))).not.toContain("--");
        },
      ),
    );
  });
});

describe("a test run", () => {
  const isRun = (line: string) => isTestRun(options(line));
  it.each(["--test", "--test a.test.js", "--import x --test", "--test --test-only"])("%s", (line) =>
    expect(isRun(line)).toBe(true),
  );
  it.each([
    "a.js",
    "--test --watch",
    "--watch --test",
    "--test -e 1",
    "--test --eval 1",
    "--test -c x.js",
    "-p 1 --test",
  ])("not %s", (line) => expect(isRun(line)).toBe(false));
});

describe("a reporter's destination", () => {
  const elsewhere = (line: string) => {
    const command = parseNodeCommand(["node", ...line.split(" ")]);
    return command === null ? null : reportsElsewhere(command);
  };
  it.each([
    ["--test", false],
    ["--test --test-reporter=spec", false],
    ["--test --test-reporter tap --test-reporter-destination stdout", false],
    ["--test --test-reporter tap --test-reporter-destination=stderr", false],
    ["--test --test-reporter tap --test-reporter-destination r.tap", true],
    ["--test --test_reporter_destination=r.tap", true],
    ["--test --test-reporter ./mine.mjs", true],
    ["--test --test-reporter=@scope/mine", true],
  ])("%s", (line, wanted) => expect(elsewhere(line)).toBe(wanted));
});
