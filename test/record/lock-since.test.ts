import { rmSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { acquireLock, readHolder } from "../../src/record/lock.ts";
import { createSystem } from "../../src/system/machine.ts";
import { temporaryDir } from "./samples.ts";

const machine = createSystem();
const { bootId } = machine.clock.now();
let stateDir: string;
beforeEach(() => {
  stateDir = temporaryDir();
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

it("a lock that finds room an hour later says since when Argus runs, not since when there is room", async () => {
  let isFull = true;
  let laterMs = 0;
  const system: typeof machine = {
    ...machine,
    clock: {
      ...machine.clock,
      now: () => ({ ...machine.clock.now(), wallMs: machine.clock.now().wallMs + laterMs }),
    },
    files: {
      ...machine.files,
      writeExclusive(path, text) {
        if (isFull && text !== "") throw Object.assign(new Error("no room"), { code: "ENOSPC" });
        machine.files.writeExclusive(path, text);
      },
    },
  };
  const lock = await acquireLock(system, stateDir, "argus run");
  const before = readHolder(machine.files, stateDir, bootId)?.since;
  laterMs = 3_600_000;
  isFull = false;
  lock.settle();
  expect(machine.files.stat(`${stateDir}/daemon.lock`)).not.toBeNull();
  expect(readHolder(machine.files, stateDir, bootId)?.since).toBe(before);
  lock.release();
});
