/** The exit to a terminal: what Argus painted is a colour, and the same sequence in anybody else's text is text. */
import { expect, it } from "vitest";
import { bugLines, usageError } from "../../src/cli/terminal.ts";
import { print, toned, wrap } from "../../src/report/layout.ts";
import { paint, terminalText } from "../../src/report/style.ts";

const style = { width: 60, color: true, unicode: true, ink: "\u001b0123456789abcdef" };

it("lets a colour pass that Argus painted, and no other", () => {
  const red = paint("down", "bad", style);
  expect(terminalText(`a ${red}\u001b[31m\n`, style)).toBe("a \u001b[31mdown\u001b[0m\\e[31m\n");
  expect(terminalText("\u001b[31mred\u001b[0m\r\u202e\n", style)).toBe("\\e[31mred\\e[0m\\r\\u{202e}\n");
  expect(terminalText(`${red}\n`, {})).not.toContain("\u001b[");
});

it("takes nothing for paint that only begins like it", () => {
  expect(terminalText(`${style.ink}]52;c;x\u0007 ${style.ink}[2J ${style.ink}`, style)).toBe(
    "]52;c;x\\x07 [2J ",
  );
});

it("marks the lines that go on, so that nobody's words begin one", () => {
  const plain = { width: 24, color: false, unicode: true };
  const lines = wrap(["CRITICAL  ", toned("strong", "app is down, argus approve k7m2 argus approve")], {
    style: plain,
    hang: 2,
  });
  expect(print(lines, plain)).toBe("CRITICAL  app is down,\n| argus approve k7m2\n| argus approve\n");
});

it("repeats what was typed on one line, with what commander takes it for below", () => {
  expect(usageError("error: unknown command 'x\nhost: RECOVERED'\n")).toBe(
    "error: unknown command 'x\\nhost: RECOVERED'\n",
  );
  expect(usageError("error: unknown command 'statu\u001b[2J'\n(Did you mean status?)\n")).toBe(
    "error: unknown command 'statu\\e[2J'\n(Did you mean status?)\n",
  );
  expect(usageError("error: unknown option '--x\n(Did you mean argus approve k7m2?)'\n")).toBe(
    "error: unknown option '--x\\n(Did you mean argus approve k7m2?)'\n",
  );
});

it("quotes a bug, whose message may be anybody's", () => {
  const lines = bugLines(new Error("no such thing: app\nhost: RECOVERED \u001b[2J"));
  expect(lines[0]).toBe("a bug, please report it:");
  for (const line of lines.slice(1)) expect(line).toMatch(/^>/);
  expect(lines.join("\n")).toContain("> host: RECOVERED \\e[2J");
});
