import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atPath, isFault, type JsonSource, parseJson, pathText } from "../../src/system/json-source.ts";

function source(text: string): JsonSource {
  const parsed = parseJson("x.json", text);
  if (isFault(parsed)) throw new Error(parsed.message);
  return parsed;
}

/** Without the prototypes, which parseJson leaves out on purpose. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe("JSON that people write", () => {
  it("is read exactly as JSON.parse reads it", () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 5 }).filter((text) => !/[\0\uFFFD]/.test(text)),
        (text) => {
          expect(plain(source(text).value)).toEqual(JSON.parse(text));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is refused exactly when JSON.parse refuses it, whatever one character does", () => {
    const valid =
      '{"rules": [{"name": "a-b", "n": -1.5e3, "t": true, "o": {"x": null, "s": "\\u0041\\n"}}], "l": [1, "2"]}';
    const character = fc.constantFrom(..."{}[],:\"\\ \n\t-+.e0a/*#'n".split(""));
    fc.assert(
      fc.property(
        fc.nat({ max: valid.length }),
        fc.nat({ max: 2 }),
        fc.array(character, { maxLength: 2 }),
        (at, cut, put) => {
          const text = valid.slice(0, at) + put.join("") + valid.slice(at + cut);
          let value: unknown;
          try {
            value = JSON.parse(text);
          } catch {
            expect(isFault(parseJson("x.json", text))).toBe(true);
            return;
          }
          const parsed = parseJson("x.json", text);
          if (isFault(parsed)) expect(parsed.message).toMatch(/twice in one object/);
          else expect(plain(parsed.value)).toEqual(value);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("keeps __proto__ as a key like any other", () => {
    const { value } = source('{ "__proto__": { "admin": true } }');
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect((value as { admin?: boolean }).admin).toBeUndefined();
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it("knows the line of every value, and of the nearest one where there is none", () => {
    const { lineOf } = source('{\n  "a": [\n    1,\r\n    { "b":\n      2 }\n  ]\n}\n');
    expect(
      [[], ["a"], ["a", 0], ["a", 1], ["a", 1, "b"], ["a", 1, "c"], ["a", 9], ["z", "y"]].map(lineOf),
    ).toEqual([1, 2, 3, 4, 4, 4, 2, 1]);
  });

  it("writes a path as it stands in the file, and odd keys so that they cannot disturb a terminal", () => {
    expect(pathText(["rules", 3, "event", "$schema"])).toBe("rules[3].event.$schema");
    expect(pathText(["a b", "\u001b[2J", "x".repeat(70)])).toBe(`["a b"]["\\u001b[2J"]["${"x".repeat(70)}"]`);
    expect(atPath({ a: [{ b: 1 }] }, ["a", 0, "b"])).toBe(1);
    expect(atPath({ a: null }, ["a", "b"])).toBeUndefined();
  });
});
