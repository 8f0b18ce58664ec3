import { describe, expect, it } from "vitest";
import { matches, patternFault } from "../../src/detect/pattern.ts";

const slow = "could take for ever on a hostile text: it";

describe("a pattern that a rule may have", () => {
  it.each([
    "^node$",
    "node .*--test",
    "^/usr/bin/.* --port=[0-9]+$",
    "^(node|bun|deno)$",
    "(?:foo|bar) baz",
    "^worker-[0-9]{1,6}@[a-z]{1,40}$",
    "a?b?c?",
    "[(|)*+]*",
    "\\(a\\|b\\)*",
    "\\*\\+\\{3,\\}",
    "^(?<kind>web|api) .*$",
    "^(?!root).*$",
    "\\p{L}+",
    "",
  ])("%s", (source) => {
    expect(patternFault(source)).toBeNull();
  });
});

describe("a pattern that a hostile text could make slow", () => {
  it.each([
    ["(a+)+", `${slow} repeats a group that repeats something itself`],
    ["(a*)*b", `${slow} repeats a group that repeats something itself`],
    ["([a-z]+ ?)+$", `${slow} repeats a group that repeats something itself`],
    ["(a|aa)+$", `${slow} repeats a group of alternatives`],
    ["(?:(x|y)z)*$", `${slow} repeats a group of alternatives`],
    ["(a|b){3,}$", `${slow} repeats a group of alternatives`],
    ["(a|b){500}$", `${slow} repeats a group of alternatives`],
    [
      ".*node.*test",
      `${slow} has 2 unbounded repeats such as .* or [a-z]+; begin it with ^, or split it into several conditions`,
    ],
    [
      "a{2,}b{100}",
      `${slow} has 2 unbounded repeats such as .* or [a-z]+; begin it with ^, or split it into several conditions`,
    ],
    [
      "^a.*|b.*c.*",
      `${slow} has 3 unbounded repeats such as .* or [a-z]+; begin it with ^, or split it into several conditions`,
    ],
    [
      "(.*)\\1",
      `${slow} has 2 unbounded repeats such as .* or [a-z]+; begin it with ^, or split it into several conditions`,
    ],
    [
      "(?<a>.*)\\k<a>",
      `${slow} has 2 unbounded repeats such as .* or [a-z]+; begin it with ^, or split it into several conditions`,
    ],
    ["^.*a.*b.*c", `${slow} has 3 unbounded repeats such as .* or [a-z]+; bound some, as in [a-z]{1,40}`],
    [
      "^.*?a.+?b[^x]*c",
      `${slow} has 3 unbounded repeats such as .* or [a-z]+; bound some, as in [a-z]{1,40}`,
    ],
  ])("%s", (source, fault) => {
    expect(patternFault(source)).toBe(fault);
  });
});

describe("a pattern that is none", () => {
  it.each([
    ["(", "is not a regular expression: Unterminated group"],
    ["[a", "is not a regular expression: Unterminated character class"],
    ["*", "is not a regular expression: Nothing to repeat"],
    ["\\d\\", "is not a regular expression: \\ at end of pattern"],
    ["a/b(", "is not a regular expression: Unterminated group"],
    ["{", "is not a regular expression: Lone quantifier brackets"],
    ["\\-", "is not a regular expression: Invalid escape"],
  ])("%s", (source, fault) => {
    expect(patternFault(source)).toBe(fault);
  });
});

it("matches anywhere unless it is anchored, by whole characters, and the same each time", () => {
  expect([matches("xnodex", "node"), matches("xnodex", "^node$"), matches("😀", "^.$")]).toEqual([
    true,
    false,
    true,
  ]);
  expect([matches("node", "node"), matches("node", "node")]).toEqual([true, true]);
});
