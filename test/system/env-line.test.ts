/** One setting of argus.env changed by a command: whatever else people wrote there stays as it is. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { readEnvFile } from "../../src/system/env-file.ts";
import { withVariable } from "../../src/system/env-line.ts";
import { createSystem } from "../../src/system/machine.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function valueIn(text: string, name: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "argus-env-"));
  folders.push(folder);
  writeFileSync(join(folder, "argus.env"), text);
  const { values, faults } = readEnvFile(createSystem().files, join(folder, "argus.env"), folder);
  expect(faults.filter(({ message }) => message.includes(name))).toEqual([]);
  return values.get(name)?.text;
}

describe("a variable that is set", () => {
  it.each([
    ["where there is none, at the end", "A=1\n", "A=1\nARGUS_MODE=watch\n"],
    ["after a last line without its end", "A=1", "A=1\nARGUS_MODE=watch\n"],
    ["in an empty file", "", "ARGUS_MODE=watch\n"],
    ["in its line's place", "A=1\nARGUS_MODE=act\n# end\n", "A=1\nARGUS_MODE=watch\n# end\n"],
    ["in a last line without its end", "ARGUS_MODE='act'", "ARGUS_MODE=watch"],
    ["below its example", "#ARGUS_MODE=act\n\nB=2\n", "#ARGUS_MODE=act\nARGUS_MODE=watch\n\nB=2\n"],
    ["below an example at the end", "# ARGUS_MODE=act", "# ARGUS_MODE=act\nARGUS_MODE=watch"],
    ["between lines of Windows", "A=1\r\nARGUS_MODE=act\r\nB=2\r\n", "A=1\r\nARGUS_MODE=watch\r\nB=2\r\n"],
    ["at the end of lines of Windows", "A=1\r\n", "A=1\r\nARGUS_MODE=watch\r\n"],
    ["behind a byte order mark", "\uFEFF ARGUS_MODE=act\n", "\uFEFF ARGUS_MODE=watch\n"],
    ["not in a longer name", "ARGUS_MODELS=x\n", "ARGUS_MODELS=x\nARGUS_MODE=watch\n"],
    ["not in a comment about it", "# ARGUS_MODE is act\n", "# ARGUS_MODE is act\nARGUS_MODE=watch\n"],
  ])("stands %s", (_, before, after) => {
    expect(withVariable(before, "ARGUS_MODE", "watch")).toBe(after);
  });

  it("is read back, whatever else stands there, and every other line stays as it was", () => {
    const line = fc.oneof(
      fc.constantFrom("", "# a comment", "  ; note", "#ARGUS_MODE=act", "TELEGRAM_CHAT_ID='5'", "\uFEFF"),
      fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "").replaceAll("\uFFFD", "")),
    );
    const own = fc.constantFrom("ARGUS_MODE=act", "  ARGUS_MODE='watch' ", 'ARGUS_MODE="act"', "ARGUS_MODE=");
    const file = fc.record({
      before: fc.array(line, { maxLength: 6 }),
      own: fc.option(own),
      after: fc.array(line, { maxLength: 6 }),
      end: fc.constantFrom("\n", "\r\n"),
    });
    const isSet = (text: string) => text.trim().startsWith("ARGUS_MODE=");
    fc.assert(
      fc.property(file, fc.constantFrom("watch", "act"), ({ before, own: its, after, end }, mode) => {
        const text = [...before, ...(its === null ? [] : [its]), ...after].join(end);
        const set = withVariable(text, "ARGUS_MODE", mode);
        expect(valueIn(set, "ARGUS_MODE")).toBe(mode);
        const others = (all: string) => all.split("\n").filter((each) => !isSet(each));
        // At the end of a file without a last line break one is added.
        const kept = others(set);
        if (kept.length === others(text).length + 1) expect(kept.pop()).toBe("");
        expect(kept).toEqual(others(text));
        expect(withVariable(set, "ARGUS_MODE", mode)).toBe(set);
      }),
      { numRuns: 500 },
    );
  });
});
