/** Whoever uses what an agent left behind may use it through another process, or be an agent itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Cycle } from "../../src/collect/collector.ts";
import { createProcessCollector } from "../../src/collect/processes.ts";
import { createSystem } from "../../src/system/machine.ts";
import { configWith } from "../collect/tree.ts";

const cycle = { signal: new AbortController().signal } as Cycle;
let folder: string;
let outer: ChildProcess;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "argus-family-"));
});
afterEach(() => {
  outer.kill("SIGKILL");
  for (const name of ["inner", "above", "server"]) {
    try {
      process.kill(number(name), "SIGKILL");
    } catch {
      // It has ended, or never ran.
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

const number = (name: string) => Number(readFileSync(join(folder, name), "utf8"));
const note = (name: string) => `require("node:fs").writeFileSync("${name}", String(process.pid));`;
const start = (script: string) =>
  `require("node:child_process").spawn(process.execPath, ["${script}"], { stdio: "ignore", detached: true });`;

/** outer.cjs, an agent if it is called so, starts an agent, which starts a process that starts a server. */
async function run(title: string): Promise<void> {
  const stay = "setInterval(() => {}, 1e6);";
  writeFileSync(join(folder, "outer.cjs"), `process.title = "${title}"; ${start("inner.cjs")} ${stay}`);
  writeFileSync(
    join(folder, "inner.cjs"),
    `process.title = "claude"; ${note("inner")} ${start("above.cjs")} ${stay}`,
  );
  writeFileSync(join(folder, "above.cjs"), `${note("above")} ${start("server.cjs")} ${stay}`);
  writeFileSync(
    join(folder, "server.cjs"),
    `require("node:http").createServer().listen(0, "127.0.0.1", function () {
       ${note("server")} require("node:fs").writeFileSync("port", String(this.address().port)); });`,
  );
  outer = spawn(process.execPath, ["outer.cjs"], { cwd: folder, stdio: "ignore" });
  await vi.waitUntil(() => existsSync(join(folder, "port")) && number("port") > 0, 10_000);
}

function argus() {
  const collect = createProcessCollector(createSystem(), configWith());
  return async (pid: number) => (await collect(cycle)).facts.process?.find((each) => each.pid === pid);
}

it("is live while a client is connected to what it started, and abandoned when that has gone", async () => {
  await run("sh");
  const see = argus();
  const above = number("above");
  expect(await see(above)).toMatchObject({ abandoned: false, agent: { name: "claude" } });
  const client = connect(number("port"), "127.0.0.1");
  await once(client, "connect");
  process.kill(number("inner"), "SIGKILL");
  await vi.waitUntil(async () => (await see(above))?.orphan === true);
  expect(await see(above)).toMatchObject({ orphan: true, abandoned: false });
  client.destroy();
  await vi.waitUntil(async () => (await see(above))?.abandoned === true);
});

it("is live while the agent lives that had started the agent above it", async () => {
  await run("codex");
  const see = argus();
  const above = number("above");
  expect(await see(above)).toMatchObject({ abandoned: false, agent: { name: "claude" } });
  process.kill(number("inner"), "SIGKILL");
  await vi.waitUntil(async () => (await see(above))?.orphan === true);
  expect(await see(above)).toMatchObject({ orphan: true, abandoned: false, agent: { name: "codex" } });
  outer.kill("SIGKILL");
  await once(outer, "exit");
  expect(await see(above)).toMatchObject({ orphan: true, abandoned: true, agent: { name: "claude" } });
});
