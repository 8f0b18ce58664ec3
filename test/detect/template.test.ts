import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formats, parseTemplate, type Template } from "../../src/detect/template.ts";
import { shortName } from "../../src/system/printable.ts";
import { problemKey } from "../../src/system/problem-key.ts";
import { look, rulesFrom } from "./support.ts";

const available = new Set(["memory", "process", "problem"]);

function template(source: string): Template {
  const parsed = parseTemplate(source, available);
  if ("fault" in parsed) throw new Error(parsed.fault);
  return parsed;
}

const render = (source: string, facts: Record<string, unknown>) => template(source).render(facts);

describe("a template", () => {
  it.each([
    ["{{process.pid}}", "4242"],
    ["pid {{process.pid}} of {{ process.user }}", "pid 4242 of dev"],
    ["{{process.arguments}}", "node --test"],
    ["{{process.orphan}}", "true"],
    ["{{process.unit}}", "unknown"],
    ["{{process.cpuPercent}}", "12.35"],
    ["{{process.rssBytes|bytes}}", "83.0 MB"],
    ["{{memory.hog.name}}", "unknown"],
    ["{{problem.openSeconds|duration}}", "unknown"],
    ["no field", "no field"],
    ["{ process.pid }", "{ process.pid }"],
  ])("%s", (source, text) => {
    const process = {
      pid: 4242,
      user: "dev",
      arguments: ["node", "--test"],
      orphan: true,
      unit: null,
      cpuPercent: 12.3456,
      rssBytes: 83_000_000,
    };
    expect(render(source, { process, memory: { hog: null } })).toBe(text);
  });

  it("gives the bare value where it is one field and nothing else", () => {
    const process = { pid: 7, name: "x" };
    expect(template("{{process.pid}}").value({ process })).toBe(7);
    expect(template("{{process.pid|round}}").value({ process })).toBe("7");
    expect(template(" {{process.pid}}").value({ process })).toBe(" 7");
  });
});

describe("the format", () => {
  it.each([
    ["bytes", 0, "0 B"],
    ["bytes", 999, "999 B"],
    ["bytes", 1234.5, "1.23 kB"],
    ["bytes", 0.4, "0 B"],
    ["bytes", 999_499, "999 kB"],
    ["bytes", 999_900_000, "1.00 GB"],
    ["bytes", 1_530_000_000, "1.53 GB"],
    ["bytes", -2_000_000, "-2.00 MB"],
    ["bytes", 5e18, "5000 PB"],
    ["percent", 91.23, "91.2 %"],
    ["percent", 100, "100 %"],
    ["duration", 0, "0 s"],
    ["duration", 59.7, "1 min"],
    ["duration", 5430, "1 h 30 min"],
    ["duration", 86_400, "1 d"],
    ["duration", 90_061, "1 d 1 h"],
    ["round", 3.7, "4"],
  ] as const)("%s shows %d as %s", (format, value, text) => {
    expect(formats[format].render(value)).toBe(text);
  });

  it("bytes has three digits and a unit, whatever the number", () => {
    fc.assert(
      fc.property(fc.double({ min: 1000, max: 1e17, noNaN: true }), (value) => {
        expect(formats.bytes.render(value)).toMatch(/^(\d\.\d\d|\d\d\.\d|\d{3}) (kB|MB|GB|TB|PB)$/);
      }),
    );
  });

  it("duration has at most two parts, the first the largest, and loses less than a part in 24", () => {
    const seconds = { d: 86_400, h: 3600, min: 60, s: 1 };
    fc.assert(
      fc.property(fc.nat({ max: 100 * 86_400 }), (value) => {
        const text = formats.duration.render(value);
        expect(text).toMatch(/^(\d+ d( \d+ h)?|\d+ h( \d+ min)?|\d+ min( \d+ s)?|\d+ s)$/);
        const shown = [...text.matchAll(/(\d+) (d|h|min|s)/g)].reduce(
          (sum, [, count, unit]) => sum + Number(count) * seconds[unit as "s"],
          0,
        );
        expect(value - shown).toBeGreaterThanOrEqual(0);
        expect(value - shown).toBeLessThan(Math.max(1, value / 24));
      }),
    );
  });
});

describe("a hostile text", () => {
  const hostile = [
    "{{process.pid}}",
    "{{memory.hog.name|bytes}}",
    "$" + "{process.exit(1)}",
    "$& $1 $$ $`",
    "}}{{",
    "\u001b[31mred\nline",
    "foo) Z 1",
    "$(reboot)",
    "__proto__",
    "\u0000",
    "x".repeat(4096),
  ];

  it.each(hostile.map((text) => [JSON.stringify(text).slice(0, 40), text]))(
    "%s passes through unchanged",
    (_, text) => {
      const facts = { process: { pid: 1, commandLine: text, arguments: [text] } };
      expect(render("<{{process.commandLine}}> of {{process.pid}}", facts)).toBe(`<${text}> of 1`);
      expect(template("{{process.commandLine}}").value(facts)).toBe(text);
      expect(render("{{process.arguments}}", facts)).toBe(text);
    },
  );

  it("of any kind identifies and acts unchanged, and is told on one line, in printable characters", async () => {
    const rules = rulesFrom({
      forEach: "process",
      conditions: {
        all: [{ fact: "process", path: "commandLine", operator: "notEqual", value: "{{process.pid}}!" }],
      },
      params: {
        subject: "{{process.commandLine}}",
        summary: "<{{process.commandLine}}>",
        actions: [
          { type: "restart_service", target: "{{process.commandLine}}" },
          { type: "log", message: "{{process.commandLine}} and {{process.commandLine}}" },
        ],
      },
    });
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...hostile));
    await fc.assert(
      fc.asyncProperty(text, async (commandLine) => {
        const { findings } = await look(rules, { process: [{ pid: 1, startTime: 1, commandLine }] });
        const shown = shortName(commandLine, 200);
        const told = `${shown} and ${shown}`.replace(/\s+/g, " ").trim();
        expect(findings[0]).toMatchObject({
          key: problemKey("process", commandLine, "odd"),
          subject: commandLine,
          summary: `<${shown.replace(/\s+/g, " ")}>`,
          actions: [
            { type: "restart_service", target: commandLine },
            { type: "log", message: told },
          ],
          evidence: [{ saw: commandLine }],
        });
        expect(findings[0]?.summary).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it("in a field that a pattern is matched against is never a pattern itself", async () => {
    const reference = { fact: "process", path: "name" };
    const compare = { fact: "process", path: "commandLine", operator: "matches", value: reference };
    expect(() => rulesFrom({ forEach: "process", conditions: compare })).toThrow(/must be a constant/);
  });
});
