import { readFileSync } from "node:fs";
import { it } from "vitest";
import { redactAssignments } from "../../src/system/redact/assignments.ts";
import { redactCodes } from "../../src/system/redact/codes.ts";
import { redactCommands } from "../../src/system/redact/commands.ts";
import { redactFormats, redactPrivateKeys } from "../../src/system/redact/formats.ts";
import { redactLanguages } from "../../src/system/redact/languages.ts";
import { redactProtocols } from "../../src/system/redact/protocols.ts";
import { redactSentences } from "../../src/system/redact/sentences.ts";
import { redactSettingsLines } from "../../src/system/redact/settings-lines.ts";
import { redactShell } from "../../src/system/redact/shell.ts";

it("x", () => {
  const lines = readFileSync("/tmp/sec/psmany.txt", "utf8")
    .split("\n")
    .filter((l) => l.trim() !== "")
    .map((l) => l.slice(0, 400));
  const stages = {
    redactPrivateKeys,
    redactShell,
    redactCommands,
    redactSettingsLines,
    redactAssignments,
    redactProtocols,
    redactSentences,
    redactLanguages,
    redactCodes,
    redactFormats,
  };
  for (let i = 0; i < 2; i++)
    for (const [n, f] of Object.entries(stages)) {
      const t = performance.now();
      for (const l of lines) f(l, "[redacted]");
      if (i) console.log(n, (((performance.now() - t) * 1000) / lines.length).toFixed(1));
    }
}, 100000);
