/** What goes on beside the cycles: a channel that was away has what waits without another cycle. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { createErrands } from "../src/cli/errands.ts";
import { createLog } from "../src/system/log.ts";
import { serviceFact } from "./escalate/samples.ts";
import { folder, world } from "./support/world.ts";

it.each([
  ["is tried again by the daemon", 20, true],
  ["is left to the next run of one that runs once", null, false],
] as const)("what a channel did not take %s", async (_, againMs, isTold) => {
  const dir = folder();
  const works = join(dir, "works");
  const script = `test -e ${works} && cat >> ${join(dir, "told")}`;
  const channel = { type: "command", name: "pager", command: ["/bin/sh", "-c", script] };
  const its = world({
    dir,
    path: "/usr/bin:/bin",
    settings: { channels: [channel], tickets: { enabled: false } },
  });
  await its.look({ service: [serviceFact({ restartable: false })] }, 0);
  const ending = new AbortController();
  const log = createLog(its.system.files, null, () => undefined);
  const errands = createErrands(() => its.parts(), log, ending.signal, 5_000, againMs);
  await errands.send();
  expect(its.messages()).toHaveLength(1);
  writeFileSync(works, "");
  // Past the pause after a failure.
  its.clock.advance(60);
  const told = () =>
    existsSync(join(dir, "told")) && readFileSync(join(dir, "told"), "utf8").includes("CRITICAL");
  if (isTold) await vi.waitFor(() => expect(told()).toBe(true), 5_000);
  else {
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(told()).toBe(false);
  }
  ending.abort();
});
