/** Which characters may leave, and how the others are shown. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  escapeJson,
  isReadable,
  joinLines,
  oneLine,
  printable,
  printableLines,
  quotedBlock,
  shortName,
  stringify,
  withoutUnprintable,
} from "../../src/system/printable.ts";
import { faultOf } from "../egress/hostile.ts";

const anything = fc.string({ unit: "binary", maxLength: 60 });

describe("a name", () => {
  it.each([
    ["the newlines of the issue", "app\n\nhost: RECOVERED", "app\\n\\nhost: RECOVERED"],
    ["tab and carriage return", "a\tb\r", "a\\tb\\r"],
    ["an escape sequence", "\u001b[2J\u0000\u007f", "\\e[2J\\x00\\x7f"],
    ["C1", "\u009b31m\u0085", "\\x9b31m\\x85"],
    ["direction", "\u202e\u2066\u200f\u061c", "\\u{202e}\\u{2066}\\u{200f}\\u{61c}"],
    [
      "zero width",
      "a\u200b\u2060\ufeff\u00ad\u034f\u3164",
      "a\\u{200b}\\u{2060}\\u{feff}\\xad\\u{34f}\\u{3164}",
    ],
    ["separators of lines", "\u2028\u2029", "\\u{2028}\\u{2029}"],
    ["tags, and selectors that hide words", "\u{e0041}\u{e0101}", "\\u{e0041}\\u{e0101}"],
    ["half a character", "\ud83d.", "\\u{d83d}."],
    ["private and unassigned", "\ue000\u0378", "\\u{e000}\\u{378}"],
    ["a pile of marks", "e\u0301\u0301\u0301", "e\u0301\u0301\\u{301}"],
    ["other scripts", "Größe 漢字 Привет שלום ไทย", "Größe 漢字 Привет שלום ไทย"],
    ["emoji", "⚠️ 🔥 👍🏽", "⚠️ 🔥 👍🏽"],
    ["emoji that are joined, in their parts", "👩‍💻", "👩\\u{200d}💻"],
  ])("with %s", (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it("has nothing left to escape, and is the same when it is escaped again", () => {
    fc.assert(
      fc.property(anything, (text) => {
        const shown = printable(text);
        expect(faultOf(shown)).toBeNull();
        expect(shown).not.toContain("\n");
        expect(printable(shown)).toBe(shown);
      }),
    );
  });

  it("is cut for a sentence", () => {
    expect(shortName(`${"x".repeat(300)}\n`, 10)).toBe("xxxxxxxxx…");
    expect([...shortName("🔥".repeat(20), 10)]).toHaveLength(10);
  });
});

describe("lines", () => {
  it("are those that Argus made: prose goes on after a space", () => {
    expect(oneLine(" one\n\ttwo\u2028three\u202e ")).toBe("one two three\\u{202e}");
    expect(joinLines(["one\ntwo", " ", "three", "four"], 2, 100)).toBe("one two\nthree");
    expect(printableLines("one\ntwo\r\u001b")).toBe("one\ntwo\\r\\e");
  });

  it("of somebody else say so, wherever a line may end", () => {
    expect(quotedBlock("a\nb\r\nc\rd\u2028e\u2029f\u0085g\vh\fi").join("\n")).toBe(
      "> a\n> b\n> c\n> d\n> e\n> f\n> g\n> h\n> i",
    );
  });
});

describe("JSON", () => {
  it("has the same value, in printable characters", () => {
    fc.assert(
      fc.property(fc.dictionary(anything, fc.oneof(anything, fc.integer(), fc.array(anything))), (value) => {
        for (const text of [stringify(value), stringify(value, 2), escapeJson(JSON.stringify(value))]) {
          expect(faultOf(text)).toBeNull();
          expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        }
      }),
    );
  });

  it("is plain where the value is, and always JSON", () => {
    expect(stringify({ a: "ü ⚠️ \u202e\u{e0041}\u007f" })).toBe('{"a":"ü ⚠️ \\u202e\\udb40\\udc41\\u007f"}');
    expect(stringify(undefined)).toBe("null");
  });
});

it("a model is given words without what it need not see", () => {
  expect(withoutUnprintable("a\u200bb\u{e0041}\tc\n\u0007d")).toBe("ab\tc\nd");
  expect(isReadable("\u0000\n\u202e ")).toBe(false);
});
