import { readFileSync } from "node:fs";
import { it } from "vitest";
import { redact } from "../../src/system/redact/redact.ts";
it("x", () => {
  for (const f of ["harmless", "harmless-more"]) {
    const lines = readFileSync(`test/fixtures/redact/${f}.txt`, "utf8").split("\n").slice(1).filter(Boolean).map((l) => l.replaceAll("⏎", "\n"));
    const bad = lines.filter((l) => redact(l) !== l);
    console.log(f, lines.length, bad.length, "\n" + bad.map((l) => `${l}\n -> ${redact(l)}`).join("\n"));
  }
});
