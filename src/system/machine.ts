/** The real machine, or one that lies below a directory. */
import { homedir } from "node:os";
import { readBootId } from "./boot-id.ts";
import { createBus, noBus } from "./bus/bus.ts";
import { createClock } from "./clock.ts";
import { createFiles, errorCode } from "./files.ts";
import { createHttp } from "./http.ts";
import { createRun } from "./run.ts";
import { createSearch } from "./search-path.ts";
import type { Signal, System } from "./system.ts";

const sendSignal: Signal = (pid, name) => {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (errorCode(error) === "ESRCH") return false;
    throw error;
  }
};

/**
 * @param root "/" for the machine itself, else a directory that stands for it.
 * @param path search path for programs; the process's own when left out. With one of its own there is no bus.
 * @param bootId as the unit hands it down; left out: what the kernel shows.
 */
export function createSystem({
  root = "/",
  path,
  bootId,
}: {
  readonly root?: string;
  readonly path?: string;
  readonly bootId?: string | undefined;
} = {}): System {
  const files = createFiles(root);
  return {
    files,
    run: createRun(path),
    hasProgram: createSearch(path),
    http: createHttp(),
    signal: sendSignal,
    // Programs of a test's own stand for another machine: this one's systemd must not answer in their place.
    bus: path === undefined ? createBus(files, process.geteuid?.() ?? 0) : noBus,
    clock: createClock(readBootId(files, bootId)),
    self: {
      pid: process.pid,
      parentPid: process.ppid,
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
      home: homedir(),
    },
  };
}
