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
import { redact } from "../../src/system/redact/redact.ts";
import { fillIn } from "../system/made-up-secrets.ts";
it("x", () => {
  const lines = readFileSync("test/fixtures/redact/journals.txt", "utf8").split("\n").slice(1).map((l) => redact(fillIn(l, 3).text));
  const long = lines.join(" ").slice(0, 6000);
  const json = JSON.stringify(lines).slice(0, 6000);
  const stages = { redactPrivateKeys, redactShell, redactCommands, redactSettingsLines, redactAssignments, redactProtocols, redactSentences, redactLanguages, redactCodes, redactFormats };
  for (const [what, t0] of [["long", long], ["json", json]] as const)
    for (let i = 0; i < 2; i++)
      for (const [n, f] of Object.entries(stages)) {
        const t = performance.now();
        for (let k = 0; k < 10; k++) f(t0, "[redacted]");
        if (i) console.log(what, n, ((performance.now() - t) / 10).toFixed(2), "ms");
      }
}, 100000);
