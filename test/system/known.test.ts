/** The secrets of the settings, taken out by value, in the forms in which others repeat them. */
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { createSystem } from "../../src/system/machine.ts";
import { ownWords } from "../../src/system/own-words.ts";
import {
  forgetSecrets,
  hideKnown,
  knowSecrets,
  protectWords,
  secretsNotHidden,
} from "../../src/system/redact/known.ts";
import { redact, redactDeep } from "../../src/system/redact/redact.ts";
import { variables } from "../../src/types/settings.ts";
import { folder } from "../support/world.ts";
import { remains } from "./planted.ts";

afterEach(forgetSecrets);

const base64 = (text: string) => Buffer.from(text).toString("base64");
const secret = fc
  .string({ unit: fc.constantFrom(..."abcXYZ019+/=&%'\"<>{}\\\\ -_.~é"), minLength: 9, maxLength: 60 })
  .filter((text) => text.trim() === text && /[a-zA-Z0-9]{4}/.test(text));

const written: Record<string, (text: string) => string> = {
  raw: (text) => `x ${text} y`,
  "percent-encoded": (text) => `https://h/?a=${encodeURIComponent(text)}&b`,
  "in JSON": (text) => JSON.stringify({ a: text }),
  "in JSON inside of JSON": (text) => JSON.stringify({ a: JSON.stringify({ b: text }) }),
  "in HTML": (text) =>
    text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;"),
  "in hexadecimal": (text) => Buffer.from(text).toString("hex"),
  "in base64": base64,
  "in base64 behind a user": (text) => base64(`u:${text}`),
  "in base64 behind a longer one": (text) => base64(`us:${text}`),
  "in base64 before something": (text) => base64(`usr:${text}:more`),
  "in base64 of URLs": (text) => Buffer.from(`a:${text}`).toString("base64url"),
};

describe("a secret of the settings", () => {
  it.each(Object.entries(written))("is found %s", (_, write) => {
    fc.assert(
      fc.property(secret, (value) => {
        forgetSecrets();
        knowSecrets([{ name: "A", value }]);
        const text = write(value);
        expect(remains(value, hideKnown(text, "[redacted]"))).toBe(false);
        expect(hideKnown(text, "[redacted]")).toContain("[redacted]");
      }),
    );
  });

  it("is found however each of its characters is spelled, and whatever stands between them", () => {
    const value = "Hn7qkettlemoorTz4w/brackenpq0vv";
    knowSecrets([{ name: "KEY", value }]);
    const bytes = [...Buffer.from(value)];
    const each = (of: (byte: number) => string, join = "") => bytes.map(of).join(join);
    const hex = (byte: number) => byte.toString(16);
    const spellings = [
      each(hex, " "),
      each(hex, ":"),
      `<Buffer ${each(hex, " ")}>`,
      `[${bytes.join(",")}]`,
      each((byte) => `\\x${hex(byte)}`),
      each((byte) => `\\u00${hex(byte)}`),
      each((byte) => `\\${byte.toString(8)}`),
      each((byte) => `%${hex(byte)}`),
      each((byte) => `%${hex(byte).toUpperCase()}`),
      each((byte) => `&#${byte};`),
      each((byte) => `&#x${hex(byte)};`),
      [...value].join("\u200b"),
      `${value.slice(0, 9)}\n${value.slice(9)}`,
      `${value.slice(0, 9)}=\r\n${value.slice(9)}`,
      `${value.slice(0, 14)}... is`,
      `${value.slice(0, 10)}****${value.slice(-9)} is`,
      `"${value.slice(0, 20)}" is`,
      `****${value.slice(-12)} is`,
    ];
    const left = spellings.filter((spelling) => {
      const text = hideKnown(`the key ${spelling} wrong`, "#");
      return !text.includes("#") || /ettlemoo|brackenp|6b.{0,3}65|107/.test(text);
    });
    expect(left).toEqual([]);
  });

  it("is looked for in time that grows with the text alone", () => {
    const value = "sk-made-up-abcdefghijklmnopqrstuvwxyz";
    knowSecrets([{ name: "KEY", value }]);
    for (const hostile of [value.slice(0, 20), value.slice(-20), `${value.slice(0, 8)}\\n`, value[0] ?? ""]) {
      const text = `%41${hostile.repeat(500_000 / hostile.length)}`;
      const startMs = performance.now();
      hideKnown(text, "#");
      expect(performance.now() - startMs, hostile).toBeLessThan(2_000);
    }
  });

  it("is found where somebody cut it", () => {
    const value = "gwK3y.8fPq2Lm+Zt7v5Xc1";
    knowSecrets([{ name: "A", value }]);
    for (let cut = 8; cut < value.length; cut += 1) {
      expect(hideKnown(`key ${value.slice(0, cut)}`, "#")).toBe("key #");
      expect(hideKnown(`key ${value.slice(0, cut)}… (+33)`, "#")).toBe("key #… (+33)");
      expect(hideKnown(`${value.slice(value.length - cut)} is the key`, "#")).toBe("# is the key");
    }
  });

  it("that stands in a word of Argus's own, or is too short, is left in the text, and named", () => {
    protectWords(ownWords);
    knowSecrets([
      { name: "ARGUS_SECRET_A", value: "service", whole: true },
      { name: "ARGUS_SECRET_B", value: "a1b2", whole: true },
      { name: "ARGUS_SECRET_C", value: "20261128", whole: true },
      { name: "ARGUS_SECRET_D", value: "longenough1", whole: true },
    ]);
    expect(secretsNotHidden()).toEqual(["ARGUS_SECRET_A", "ARGUS_SECRET_B", "ARGUS_SECRET_C"]);
    expect(redactDeep({ type: "service", at: "20261128T00", x: "longenough1" })).toEqual({
      type: "service",
      at: "20261128T00",
      x: "[redacted]",
    });
  });

  it("that was in force before a reload is still known", () => {
    knowSecrets([{ name: "A", value: "first-secret-1" }]);
    expect(redact("second-secret-2")).toBe("second-secret-2");
    knowSecrets([{ name: "A", value: "second-secret-2" }]);
    expect(redact("first-secret-1 second-secret-2")).toBe("[redacted] [redacted]");
  });

  it.each([
    ...Object.entries(variables).flatMap(([name, row]) =>
      "secret" in row ? [[name, name.endsWith("_URL") ? "https://h/ping/k7Qz81mNv4" : "k7Qz81mNv4"]] : [],
    ),
    ["ARGUS_SECRET_ANYTHING", "k7Qz81mNv4"],
    ["ARGUS_SECRET_HEADER", "Bearer k7Qz81mNv4"],
    ["ARGUS_SECRET_BASIC", `Basic ${base64("bob:k7Qz81mNv4")}`],
    ["ANTHROPIC_BASE_URL", "https://bob:k7Qz81mNv4@gateway.example/v1"],
    ["TELEGRAM_API_URL", "https://bob:k7Qz81mNv4@bots.example"],
    ["HTTPS_PROXY", "http://bob:k7Qz81mNv4@proxy.example:3128"],
    ["SOME_API_TOKEN", "k7Qz81mNv4"],
  ])("is known from %s", (name, value) => {
    const dir = folder();
    try {
      loadConfig({
        system: createSystem(),
        env: { ARGUS_STATE_DIR: dir, [name]: value },
        workingDir: dir,
        programDir: process.cwd(),
      });
    } catch {
      // Some need another beside them: what is said about that must not quote the secret either.
    }
    expect(redact("it was k7Qz81mNv4, they say")).toBe("it was [redacted], they say");
  });
});
