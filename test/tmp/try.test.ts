import { readFileSync } from "node:fs";
import { it } from "vitest";
import { redact, redactArguments } from "../../src/system/redact/redact.ts";
import { simpleCommands } from "../../src/system/redact/words.ts";
import { fillIn } from "../system/made-up-secrets.ts";

const remains = (secret: string, text: string) => {
  const n = Math.min(secret.length, 8);
  for (let at = 0; at + n <= secret.length; at += 1) if (text.includes(secret.slice(at, at + n))) return true;
  return false;
};
it("x", () => {
  const bad = new Map<string, string>();
  for (const name of (process.env.F ?? "command-lines").split(","))
    for (const line of readFileSync(`test/fixtures/redact/${name}.txt`, "utf8")
      .split("\n")
      .slice(1)
      .filter((l) => l !== "" && !l.startsWith("# --")))
      for (let seed = 1; seed <= 8; seed += 1) {
        const s = fillIn(line, seed);
        const r = redact(s.text);
        if (s.secrets.some((x) => remains(x, r))) bad.set(`T ${line}`, `${s.text}\n      -> ${r}`);
        if (name === "command-lines") {
          const cmds = simpleCommands(s.text);
          if (cmds.length === 1 && !/<<|\|/.test(s.text)) {
            const v = cmds[0]!.words.map((w) => w.text);
            const o = redactArguments(v).join(" ");
            if (s.secrets.some((x) => remains(x, o)))
              bad.set(`V ${line}`, `${JSON.stringify(v)}\n      -> ${o}`);
          }
        }
      }
  console.log([...bad].map(([a, b]) => `${a}\n   ${b}`).join("\n"), `\n${bad.size} bad`);
});
