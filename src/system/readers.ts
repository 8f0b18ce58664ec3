/**
 * Which processes can read what is written into a pipe or a deleted file. No file says it: the descriptors of every
 * process have to be looked at, which only root may do. What could not be looked into counts as a reader.
 */
import { errorCode } from "./files.ts";
import { listPids } from "./proc.ts";
import type { Files } from "./system.ts";

export interface ReadersSeen {
  /** Whether some process other than the holder can read it, or may be able to. */
  mayRead(link: string, holder: number): boolean;
}

/** `O_ACCMODE` and its value `O_WRONLY`, fcntl(2); fdinfo shows the flags in octal. */
const accessMode = 3;
const writeOnly = 1;

/** The kernel's own number of the first pid namespace (PROC_PID_INIT_INO). */
const firstNamespace = "pid:[4026531836]";

/**
 * One process at each step, so that a daemon can rest in between: `finish(seekReaders(...))` does it in one go, which
 * takes 6 ms at 600 processes and 60 at 5,000.
 * @param links what `/proc/PID/fd/N` leads to. With none nothing is looked at.
 */
export function* seekReaders(files: Files, links: ReadonlySet<string>): Generator<void, ReadersSeen> {
  const readers = new Map<string, Set<number>>();
  /** Held also by a process that came from outside this pid namespace: whoever reads it there is not seen here. */
  const fromOutside = new Set<string>();
  let unseen = 0;
  if (links.size > 0) {
    const pids = listPids(files);
    // /proc mounted with hidepid shows an ordinary user only its own processes.
    if (!pids.includes(1)) unseen += 1;
    const isInside = files.tryReadLink("/proc/self/ns/pid") !== firstNamespace;
    for (const pid of pids) {
      const held = readHeld(files, pid, links);
      if (held === "hidden") unseen += 1;
      else {
        for (const { link, canRead } of held) {
          if (canRead) readers.set(link, (readers.get(link) ?? new Set()).add(pid));
          if (isInside && isFromOutside(files, pid)) fromOutside.add(link);
        }
      }
      yield;
    }
  }
  return {
    mayRead(link, holder) {
      if (unseen > 0 || !links.has(link) || fromOutside.has(link)) return true;
      return [...(readers.get(link) ?? [])].some((pid) => pid !== holder);
    },
  };
}

/** Goes through all steps without a pause. */
export function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

interface Held {
  readonly link: string;
  readonly canRead: boolean;
}

function readHeld(files: Files, pid: number, links: ReadonlySet<string>): readonly Held[] | "hidden" {
  const main = readDescriptors(files, `/proc/${pid}`, links);
  if (main !== "none") return main;
  // A process whose first thread has ended shows nothing there, while its other threads go on.
  const all: Held[] = [];
  for (const thread of listOr(files, `/proc/${pid}/task`, [])) {
    const held = readDescriptors(files, `/proc/${pid}/task/${thread}`, links);
    if (held === "hidden") return "hidden";
    if (held !== "none") all.push(...held);
  }
  return all;
}

function readDescriptors(
  files: Files,
  folder: string,
  links: ReadonlySet<string>,
): readonly Held[] | "hidden" | "none" {
  let names: readonly string[];
  try {
    names = files.list(`${folder}/fd`);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ESRCH") return "none";
    if (code !== "EACCES" && code !== "EPERM") throw error;
    return holdsNothing(files, folder) ? [] : "hidden";
  }
  if (names.length === 0) return "none";
  const held: Held[] = [];
  for (const name of names) {
    const link = files.tryReadLink(`${folder}/fd/${name}`);
    if (link === null || !links.has(link)) continue;
    held.push({ link, canRead: canRead(files.tryRead(`${folder}/fdinfo/${name}`)) });
  }
  return held;
}

function canRead(info: string | null): boolean {
  const flags = /^flags:\t([0-7]+)$/m.exec(info ?? "")?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & accessMode) !== writeOnly;
}

/** Kernel threads and zombies have no descriptors and no memory, hence no Vm lines. Everybody may read them. */
function holdsNothing(files: Files, folder: string): boolean {
  const status = files.tryRead(`${folder}/status`);
  return status === null || !/^VmSize:/m.test(status);
}

/** Process 1 of this namespace, and what somebody outside sent in (`docker exec`), which has no parent here. */
function isFromOutside(files: Files, pid: number): boolean {
  if (pid === 1) return true;
  const parent = /^PPid:\t(\d+)$/m.exec(files.tryRead(`/proc/${pid}/status`) ?? "")?.[1];
  return parent === "0";
}

function listOr(files: Files, path: string, otherwise: readonly string[]): readonly string[] {
  try {
    return files.list(path);
  } catch (error) {
    if (errorCode(error) === "") throw error;
    return otherwise;
  }
}
