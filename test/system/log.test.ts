import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import { createLog } from "../../src/system/log.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function logIn(echo?: (line: string) => void) {
  const dir = mkdtempSync(join(tmpdir(), "argus-log-"));
  dirs.push(dir);
  return { dir, log: createLog(createFiles("/"), dir, echo) };
}

it("writes one JSON object a line, with a level by name and a time, and echoes the same", () => {
  const echoed: string[] = [];
  const { dir, log } = logIn((line) => void echoed.push(line));
  log.info({ cycle: "c1", key: "disk:be01f8c1906c157c" }, "/ is 91.2 % full");
  const text = readFileSync(join(dir, "argus.log"), "utf8");
  expect(echoed).toEqual([text]);
  const line = JSON.parse(text);
  expect(line).toMatchObject({
    level: "info",
    cycle: "c1",
    key: "disk:be01f8c1906c157c",
    msg: "/ is 91.2 % full",
  });
  expect(line.time).toMatch(/^20\d\d-.*Z$/);
});

it("keeps no secret that a command line or an error gives away", () => {
  const { dir, log } = logIn();
  const password = ["hunter", "2", "hunter"].join("");
  log.warn({ detail: `mysql --password=${password} died` }, `orphan: mysql --password=${password}`);
  log.error({ err: new Error(`connect postgres://app:${password}@db/x failed`) }, "the cycle failed");
  const text = readFileSync(join(dir, "argus.log"), "utf8");
  expect(text).not.toContain(password);
  expect(text).toContain("the cycle failed");
  expect(JSON.parse(text.split("\n")[1] ?? "").err.stack).toContain("log.test.ts");
});

it("goes on when the file cannot be written", () => {
  const dir = mkdtempSync(join(tmpdir(), "argus-log-"));
  dirs.push(dir);
  const echoed: string[] = [];
  const log = createLog(createFiles("/"), join(dir, "missing"), (line) => void echoed.push(line));
  log.info("one");
  log.info("two");
  expect(echoed).toHaveLength(2);
});
