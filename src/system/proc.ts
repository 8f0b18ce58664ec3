/** `/proc/PID` as proc(5) describes it: pure parsers, and the small readers that more than one stage needs. */
import { noCgroup, parseCgroup } from "./cgroup.ts";
import type { Files } from "./system.ts";

/**
 * Clock ticks a second in /proc. The kernel counts there in USER_HZ, which is 100 on every architecture that Node runs
 * on, whatever the kernel's own HZ is.
 */
export const ticksPerSecond = 100;

/** What `/proc/PID/ns/pid` leads to in the namespace that the kernel began with (PROC_PID_INIT_INO). */
export const firstPidNamespace = "pid:[4026531836]";

const kernelThreadFlag = 0x00200000; // PF_KTHREAD, include/linux/sched.h

export interface ProcessStat {
  readonly pid: number;
  /** The kernel's name of it: 15 bytes, settable by the process, may hold anything but NUL. */
  readonly name: string;
  readonly state: string;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** Device number of the controlling terminal; 0 without one. */
  readonly terminal: number;
  readonly kernelThread: boolean;
  /** In clock ticks. */
  readonly userTicks: number;
  readonly systemTicks: number;
  /** In clock ticks since boot. */
  readonly startTime: number;
  readonly rssPages: number;
  /** Changes with execve(2), which keeps pid and start time; 0 for those we may not look into. */
  readonly startStack: number;
}

/**
 * @param text `/proc/PID/stat`; null when it is not one, or only a part. Read in every cycle for every process: a
 * split into strings would cost twice the time, and as much again to collect them.
 */
export function parseStat(text: string): ProcessStat | null {
  const open = text.indexOf("(");
  // The name may hold spaces, newlines and brackets (`foo) Z 1`); what follows it is numbers.
  const close = text.lastIndexOf(")");
  if (open < 2 || close < open) return null;
  const pid = Number(text.slice(0, open - 1));
  const startStack = scanFields(text, close + 4);
  if (startStack === null || !Number.isInteger(pid)) return null;
  return {
    pid,
    name: text.slice(open + 1, close),
    state: text.charAt(close + 2),
    parentPid: field(4),
    groupId: field(5),
    sessionId: field(6),
    terminal: field(7),
    kernelThread: (field(9) & kernelThreadFlag) !== 0,
    userTicks: field(14),
    systemTicks: field(15),
    startTime: field(22),
    rssPages: field(24),
    startStack,
  };
}

/** Fields 4 to 24 of the last stat file, by their number in proc(5). Without the large ones, integers stay unboxed. */
const fields: number[] = new Array(25).fill(0);
const field = (number: number): number => fields[number] ?? 0;

/** Fills `fields` from a position on; answers field 28, startstack, or null when there are fewer. */
function scanFields(text: string, from: number): number | null {
  let number = 4;
  let value = 0;
  let digits = 0;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) {
      value = value * 10 + code - 48;
      digits += 1;
    } else if (code !== 45) {
      // A sign is passed over: only fields that are not wanted have one.
      if (digits === 0) return null;
      if (number === 28) return value;
      if (number <= 24 && number !== 23) fields[number] = value;
      number += 1;
      value = 0;
      digits = 0;
    }
  }
  return null;
}

export interface ProcessStatus {
  /** Effective user. */
  readonly uid: number | null;
  /** Null for kernel threads and zombies, which have no memory. */
  readonly swapBytes: number | null;
  /** Its pid in each pid namespace, outermost first. */
  readonly namespacePids: readonly number[];
}

/** @param text `/proc/PID/status`. Its first line is the name, in which the kernel escapes newlines. */
export function parseStatus(text: string): ProcessStatus {
  const uid = line(text, "\nUid:")?.split("\t")[1];
  const swap = line(text, "\nVmSwap:");
  const namespacePids = (line(text, "\nNSpid:") ?? "").split("\t").filter((each) => each !== "");
  return {
    uid: uid === undefined ? null : Number(uid),
    swapBytes: swap === undefined ? null : Number.parseInt(swap, 10) * 1024,
    namespacePids: namespacePids.map(Number),
  };
}

function line(text: string, label: string): string | undefined {
  const at = text.indexOf(label);
  if (at < 0) return undefined;
  const from = at + label.length;
  const end = text.indexOf("\n", from);
  return text.slice(from, end < 0 ? undefined : end).trim();
}

/** The first process of a container or another pid namespace inside this one. */
export function isNamespaceInit(status: ProcessStatus): boolean {
  return status.namespacePids.length > 1 && status.namespacePids.at(-1) === 1;
}

/** Name of a controlling terminal by its device number (tty_nr of proc(5)), such as `pts/3`; null without one. */
export function terminalName(device: number): string | null {
  if (device === 0) return null;
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  if (major === 5 && minor === 1) return "console";
  return `${major}:${minor}`;
}

/** A file name from `/proc/PID/exe`. The kernel adds ` (deleted)` after an upgrade of the program. */
export function executableName(path: string): string {
  const kept = path.endsWith(" (deleted)") ? path.slice(0, -" (deleted)".length) : path;
  return kept.slice(kept.lastIndexOf("/") + 1);
}

/**
 * Bytes in a page of memory: the kernel counts our own resident memory in pages in one file and in kB in another. The
 * two are read one after the other, so the quotient is rounded to a power of two. 4096 where they cannot be read.
 */
export function readPageSize(files: Files): number {
  const pages = parseStat(files.tryReadOnce("/proc/self/stat") ?? "")?.rssPages ?? 0;
  const kilobytes = Number.parseInt(line(files.tryReadOnce("/proc/self/status") ?? "", "\nVmRSS:") ?? "", 10);
  if (pages === 0 || Number.isNaN(kilobytes)) return 4096;
  return 2 ** Math.round(Math.log2((kilobytes * 1024) / pages));
}

export interface ProcessIdentity {
  readonly pid: number;
  /** Together with the pid this is the process: a pid is given to another one later. */
  readonly startTime: number;
  readonly parentPid: number;
  readonly sessionId: number;
  readonly name: string;
  readonly state: string;
  readonly kernelThread: boolean;
  /** File name of the executable; null when it may not be read or has none. */
  readonly executable: string | null;
  readonly unit: string | null;
  readonly unitPath: string | null;
  readonly container: string | null;
}

/** What a pid stands for right now; null when there is no such process. */
export function readProcessIdentity(files: Files, pid: number): ProcessIdentity | null {
  const stat = readStat(files, pid);
  if (stat === null) return null;
  const path = stat.kernelThread ? null : files.tryReadLink(`/proc/${pid}/exe`);
  const cgroup = files.tryRead(`/proc/${pid}/cgroup`);
  return {
    pid,
    startTime: stat.startTime,
    parentPid: stat.parentPid,
    sessionId: stat.sessionId,
    name: stat.name,
    state: stat.state,
    kernelThread: stat.kernelThread,
    executable: path === null ? null : executableName(path),
    ...(cgroup === null ? noCgroup : parseCgroup(cgroup)),
  };
}

export function readStat(files: Files, pid: number): ProcessStat | null {
  const text = files.tryReadOnce(`/proc/${pid}/stat`);
  return text === null ? null : parseStat(text);
}

/** Null when there is no such process. */
export const effectiveUser = (files: Files, pid: number): number | null =>
  parseStatus(files.tryRead(`/proc/${pid}/status`) ?? "").uid;

/** Parent, its parent and so on up to pid 1; ends where one cannot be read. */
export function ancestorsOf(files: Files, pid: number): number[] {
  const ancestors: number[] = [];
  let next = readStat(files, pid)?.parentPid ?? 0;
  while (next > 0 && !ancestors.includes(next)) {
    ancestors.push(next);
    next = readStat(files, next)?.parentPid ?? 0;
  }
  return ancestors;
}

/** Pids of all processes that can be seen, in ascending order. */
export function listPids(files: Files): number[] {
  const pids: number[] = [];
  for (const name of files.list("/proc")) {
    const first = name.charCodeAt(0);
    if (first >= 49 && first <= 57) pids.push(Number(name));
  }
  return pids.sort((a, b) => a - b);
}
