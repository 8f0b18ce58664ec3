/** What seldom changes about a process, and costs four to five times as much to read as its stat file. */
import { type Cgroup, noCgroup, parseCgroup } from "../system/cgroup.ts";
import { runtimeOptionsOf } from "../system/node-options.ts";
import { executableName, isNamespaceInit, type ProcessStat, parseStatus } from "../system/proc.ts";
import type { Files } from "../system/system.ts";

export interface Details extends Cgroup {
  readonly uid: number;
  readonly executable: string | null;
  readonly executablePath: string | null;
  readonly commandLine: string;
  readonly arguments: string[];
  readonly runtimeOptions: string[];
  readonly containerInit: boolean;
  readonly userManager: boolean;
  /** False when the command line was left for later. */
  readonly complete: boolean;
}

/** Enough for any rule; a command line may be 2 MB long, and a snapshot holds thousands of them. */
const maxCharacters = 4096;
const maxBytes = 4 * maxCharacters;

const ofKernelThread: Details = {
  ...noCgroup,
  uid: 0,
  executable: null,
  executablePath: null,
  commandLine: "",
  arguments: [],
  runtimeOptions: [],
  containerInit: false,
  userManager: false,
  complete: true,
};

/** Null when the process is gone. */
export function readDetails(files: Files, stat: ProcessStat): Details | null {
  if (stat.kernelThread) return ofKernelThread;
  const folder = `/proc/${stat.pid}`;
  const status = files.tryReadOnce(`${folder}/status`);
  if (status === null) return null;
  const parsed = parseStatus(status);
  const executablePath = files.tryReadLink(`${folder}/exe`);
  const executable = executablePath === null ? null : executableName(executablePath);
  const cgroup = files.tryRead(`${folder}/cgroup`);
  // Reading it takes the lock on the process's memory map, which a process that is stuck in the kernel (D) may hold
  // for ever; ps is known to hang on such a process.
  const complete = stat.state !== "D";
  const parts = complete ? splitArguments(files.tryReadHead(`${folder}/cmdline`, maxBytes) ?? "") : [];
  return {
    ...(cgroup === null ? noCgroup : parseCgroup(cgroup)),
    uid: parsed.uid ?? 0,
    executable,
    executablePath,
    commandLine: parts.join(" "),
    arguments: parts,
    runtimeOptions: runtimeOptionsOf(executable, parts),
    containerInit: isNamespaceInit(parsed),
    userManager: stat.parentPid === 1 && stat.name === "systemd" && parts.includes("--user"),
    complete,
  };
}

/** @param text `/proc/PID/cmdline`: a NUL after each argument. A process may have written anything over it. */
export function splitArguments(text: string): string[] {
  const end = text.endsWith("\0") ? text.length - 1 : text.length;
  if (end === 0) return [];
  const kept = text.slice(0, Math.min(end, maxCharacters));
  // Half of a character that takes two code units is no text.
  return (/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept).split("\0");
}
