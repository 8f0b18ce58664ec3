/** Which boot it is: as the unit hands it down, else as the kernel shows it. */
import { describe, expect, it } from "vitest";
import { entriesOfBoot, readBootId } from "../../src/system/boot-id.ts";
import { createSystem } from "../../src/system/machine.ts";

const kernel = "11111111-2222-4333-8444-555555555555";
const files = { tryRead: () => `${kernel}\n` };
const handed = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const dashed = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

describe("the boot id", () => {
  it.each([
    ["as systemd writes it", handed],
    ["with dashes", dashed],
    ["in capitals, with a line break", `${handed.toUpperCase()}\n`],
  ])("is what the unit hands down, %s", (_, given) => {
    expect(readBootId(files, given)).toBe(dashed);
  });

  it.each([
    ["nothing", undefined],
    ["an empty value", ""],
    ["a specifier that nobody replaced", "%b"],
    ["a word", "unknown"],
    ["a digit too few", handed.slice(1)],
    ["zeros, which are no id", "0".repeat(32)],
    ["a path", "../../../../etc/passwd"],
  ])("is the kernel's where the unit hands down %s", (_, given) => {
    expect(readBootId(files, given)).toBe(kernel);
  });

  it("is unknown where nobody says", () => {
    expect(readBootId({ tryRead: () => null })).toBe("unknown");
  });

  it("is what every part of the program gets", () => {
    expect(createSystem({ bootId: handed }).clock.now().bootId).toBe(dashed);
  });
});

describe("entries of this boot", () => {
  it("match its id in each alternative", () => {
    expect(entriesOfBoot(dashed, ["_PID=1", "UNIT=a"], ["_PID=1"])).toEqual([
      ...[`_BOOT_ID=${handed}`, "_PID=1", "UNIT=a", "+", `_BOOT_ID=${handed}`, "_PID=1"],
    ]);
  });

  it("are those that journalctl takes for it where the id is unknown", () => {
    expect(entriesOfBoot("unknown", ["_PID=1"], ["_PID=2"])).toEqual(["--boot", "_PID=1", "+", "_PID=2"]);
  });
});
