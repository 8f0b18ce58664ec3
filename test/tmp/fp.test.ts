import { readFileSync, writeFileSync } from "node:fs";
import { it } from "vitest";
import { redact } from "../../src/system/redact/redact.ts";

it("x", () => {
  const out: string[] = [];
  for (const name of (process.env.FILES ?? "").split(",")) {
    const lines = readFileSync(name, "utf8")
      .split("\n")
      .filter((l) => l.trim() !== "")
      .map((l) => l.slice(0, 400));
    const t = performance.now();
    const bad = lines.filter((l) => redact(l) !== l);
    out.push(
      `=== ${name}: ${bad.length}/${lines.length} = ${((100 * bad.length) / lines.length).toFixed(2)} %  ${(((performance.now() - t) * 1000) / lines.length).toFixed(1)} us/line`,
    );
    out.push(...bad.map((l) => `${l}\n    -> ${redact(l)}`));
  }
  writeFileSync("/tmp/sec/fp.txt", out.join("\n"));
  console.log(out.filter((l) => l.startsWith("===")).join("\n"));
}, 300_000);
