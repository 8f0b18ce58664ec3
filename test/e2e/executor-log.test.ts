/** The log of the executor, whose size whoever talks to its socket must not decide. */
import { existsSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { createLink } from "../../src/system/link/client.ts";
import { afterThis, argus } from "./argus.ts";

it("a request of 5,000 invalid proposals is a hundred lines of the executor's log, and their number", async () => {
  const watch = argus();
  const socket = `${watch.dir}/executor.sock`;
  watch.env["ARGUS_EXECUTOR_SOCKET"] = socket;
  watch.env["ARGUS_EXECUTOR_STATE_DIR"] = `${watch.dir}/executor`;
  const executor = watch.start("executor");
  await vi.waitFor(() => expect(existsSync(socket)).toBe(true), 10_000);
  const link = createLink(socket);
  afterThis(() => link.close());
  const proposals = Array.from({ length: 5_000 }, () => ({}));
  await link.ask("execute", { cycle: "c1", host: "h", dryRun: false, proposals });
  await vi.waitFor(() =>
    expect(executor.output()).toContain("4900 more proposals of this request were invalid"),
  );
  expect(executor.output().match(/type is missing/g)).toHaveLength(100);
});
