import { describe, expect, it } from "vitest";
import {
  countProcessors,
  flatValue,
  parseLoadavg,
  parseMeminfo,
  parsePressure,
  parseVmstat,
} from "../../src/system/kernel.ts";

describe("what the kernel says of the host", () => {
  it("reads /proc/meminfo in bytes, and counts that are not in kB as they are", () => {
    const meminfo = parseMeminfo(
      "MemTotal:       24684092 kB\nActive(anon):       1544 kB\nHugePages_Total:       3\n",
    );
    expect(Object.fromEntries(meminfo)).toEqual({
      MemTotal: 24684092 * 1024,
      "Active(anon)": 1544 * 1024,
      HugePages_Total: 3,
    });
  });

  it("reads the swap counters, and knows a kernel without them", () => {
    expect(parseVmstat("pgpgin 5\npswpin 12\npswpout 345\npgfault 9\n")).toEqual({
      pagesIn: 12,
      pagesOut: 345,
    });
    expect(parseVmstat("pgpgin 5\n")).toBeNull();
  });

  it("reads pressure, with and without a full line", () => {
    const some = "some avg10=1.25 avg60=0.50 avg300=0.10 total=12345\n";
    expect(parsePressure(`${some}full avg10=0.75 avg60=0.20 avg300=0.00 total=99\n`)).toEqual({
      some10: 1.25,
      full10: 0.75,
    });
    expect(parsePressure(some)).toEqual({ some10: 1.25, full10: null });
    expect(parsePressure("")).toBeNull();
  });

  it("reads load averages", () => {
    expect(parseLoadavg("0.52 1.40 2.25 1/120 4242\n")).toEqual({ one: 0.52, five: 1.4, fifteen: 2.25 });
    expect(parseLoadavg("")).toBeNull();
    expect(parseLoadavg("a b c")).toBeNull();
  });

  it.each([
    ["0-1", 2],
    ["0", 1],
    ["0-3,8,10-11\n", 7],
    ["", 0],
  ])("counts the processors of %j", (text, number) => expect(countProcessors(text)).toBe(number));

  it("takes a key as a whole word out of a flat file", () => {
    const text = "active_inactive_file 1\ninactive_file 4096\ninactive_file_x 2\n";
    expect(flatValue(text, "inactive_file")).toBe(4096);
    expect(flatValue(text, "nothing")).toBeNull();
  });
});
