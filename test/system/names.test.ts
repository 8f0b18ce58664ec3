import { describe, expect, it } from "vitest";
import { nearest, quoted } from "../../src/system/names.ts";

const fields = ["usedPercent", "usedBytes", "availableBytes", "in", "pid"];

describe("the nearest known name", () => {
  it.each([
    ["usedPercnt", "usedPercent"],
    ["used_percent", "usedPercent"],
    ["USEDBYTES", "usedBytes"],
    ["avail", "availableBytes"],
    ["percent", "usedPercent"],
    ["pd", "pid"],
  ])("to %s is %s", (name, known) => {
    expect(nearest(name, fields)).toBe(`; did you mean "${known}"?`);
  });

  it.each(["gt", "x", "", "temperature"])("to %j is none: then all are listed", (name) => {
    expect(nearest(name, fields)).toBe("; known: usedPercent, usedBytes, availableBytes, in, pid");
  });

  it("is not mentioned where nothing is known", () => {
    expect(nearest("x", [])).toBe("");
  });
});

it("a quoted value is one line, harmless and short", () => {
  expect(quoted("a\n\u001b[31m")).toBe('"a\\n\\u001b[31m"');
  expect(quoted("x".repeat(500))).toHaveLength(81);
  expect(quoted(undefined)).toBe("undefined");
});
