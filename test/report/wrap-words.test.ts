/** Sentences outside the reports on a terminal: broken between words, and never in a pipe. */
import { expect, it } from "vitest";
import { columnsOf, wrapWords } from "../../src/cli/terminal.ts";

const sentence = "argus: this user may not read the state folder /var/lib/argus: sudo argus status";

it("is broken between words, with what goes on set in", () => {
  expect(wrapWords(sentence, 42)).toBe(
    "argus: this user may not read the state\n  folder /var/lib/argus: sudo argus status",
  );
  for (const line of wrapWords(sentence.repeat(20), 60).split("\n"))
    expect(line.length).toBeLessThanOrEqual(60);
});

it("keeps a word that is longer than a line whole, to be copied", () => {
  const path = `/${"a".repeat(100)}`;
  expect(wrapWords(`see ${path} first`, 40)).toBe(`see\n  ${path}\n  first`);
});

it("stays one line where there is no terminal", () => {
  expect(wrapWords(sentence, columnsOf({ columns: 40 }))).toBe(sentence);
  expect(columnsOf({ isTTY: true, columns: 97 })).toBe(97);
  expect(columnsOf({ isTTY: true })).toBe(80);
});
