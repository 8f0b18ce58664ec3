/** Whatever is written or printed passes the redactor: a new writer that forgets it is found here. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const src = join(import.meta.dirname, "../src");

const sources = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name, text: readFileSync(join(src, name), "utf8") }));

/** These write nothing of the machine, or only what their callers have cleaned. */
const without: Readonly<Record<string, string>> = {
  "system/own-files.ts": "the calls themselves",
  "system/system.ts": "their declaration",
  "system/read-only.ts": "writes nothing",
  "system/line-file.ts": "lines of its callers, which are looked at below",
  "system/held-files.ts": "texts of its callers, which are looked at below",
  "system/held-folder.ts": "the same, in memory until there is room",
  "system/reserve.ts": "random bytes that keep space free",
  "detect/kept-rules.ts": "rules and tests that people wrote, as they stand in their files",
  "execute/hand-offs.ts": "the incident, whose parts are cleaned as they are gathered (escalate/hand-off.ts)",
  "notify/channels/relay.ts": "messages of the outbox, cleaned when they were put there",
};

it("every file that is written passes the redactor", () => {
  const writers = sources.filter(({ text }) =>
    /\bwriteAtomic\(|\bcreateLineFile\(|\bfiles\.append\(/.test(text),
  );
  expect(writers.length).toBeGreaterThan(10);
  const forgetful = writers.filter(
    ({ name, text }) => !Object.hasOwn(without, name) && !/\bredact(?:Deep|Process|Arguments)?\b/.test(text),
  );
  expect(forgetful.map(({ name }) => name)).toEqual([]);
});

it("every output passes the redactor", () => {
  const printers = sources
    .filter(({ text }) => /process\.std(?:out|err)\.write/.test(text))
    .map(({ name }) => name);
  // The terminal prints what the context has redacted; the log redacts each line before it is echoed.
  expect(printers.sort()).toEqual(["cli/terminal.ts", "system/log.ts"]);
  expect(sources.filter(({ text }) => /\bconsole\.\w+\(/.test(text)).map(({ name }) => name)).toEqual([]);
});
