import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requiresTrue } from "../../src/detect/required-flags.ts";
import type { Condition } from "../../src/types/rules.ts";

const leaf = (path: string, value: boolean, operator = "equal"): Condition => ({
  fact: "process",
  path,
  operator,
  value,
});
const holds = (condition: Condition, facts: Record<string, boolean>): boolean => {
  if ("all" in condition) return condition.all.every((each) => holds(each, facts));
  if ("any" in condition) return condition.any.some((each) => holds(each, facts));
  if ("not" in condition) return !holds(condition.not, facts);
  return (facts[condition.path ?? ""] === condition.value) === (condition.operator === "equal");
};
const requires = (condition: Condition) => requiresTrue(condition, "process", "orphan");

describe("a field that must be true", () => {
  it.each<[string, Condition, boolean]>([
    ["alone", leaf("orphan", true), true],
    ["among others", { all: [leaf("killable", true), leaf("orphan", true)] }, true],
    ["further down", { all: [{ all: [leaf("orphan", true)] }] }, true],
    ["not false", leaf("orphan", false, "notEqual"), true],
    ["false is denied", { not: leaf("orphan", false) }, true],
    [
      "on both ways",
      { any: [leaf("orphan", true), { all: [leaf("killable", true), leaf("orphan", true)] }] },
      true,
    ],
    ["on one way only", { any: [leaf("orphan", true), leaf("killable", true)] }, false],
    ["false", leaf("orphan", false), false],
    ["denied", { not: leaf("orphan", true) }, false],
    ["another field", leaf("killable", true), false],
    ["of another fact", { fact: "session", path: "orphan", operator: "equal", value: true }, false],
  ])("%s", (_, condition, wanted) => expect(requires(condition)).toBe(wanted));

  it("is never said of a rule that holds without it", () => {
    const { tree } = fc.letrec<{ tree: Condition; node: Condition }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        fc.record({
          fact: fc.constant("process"),
          path: fc.constantFrom("orphan", "killable"),
          operator: fc.constantFrom("equal", "notEqual"),
          value: fc.boolean(),
        }),
        tie("node"),
      ),
      node: fc.oneof(
        fc.record({ all: fc.array(tie("tree"), { minLength: 1, maxLength: 3 }) }),
        fc.record({ any: fc.array(tie("tree"), { minLength: 1, maxLength: 3 }) }),
        fc.record({ not: tie("tree") }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.boolean(), (condition, killable) => {
        if (requires(condition)) expect(holds(condition, { orphan: false, killable })).toBe(false);
      }),
    );
  });
});
