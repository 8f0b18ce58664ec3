/**
 * Which processes can read what is written into a pipe or a deleted file. No file says it: the descriptors of every
 * process have to be looked at, which only root may do. What could not be looked into counts as a reader.
 */
import { errorCode } from "./files.ts";
import { firstPidNamespace, listPids } from "./proc.ts";
import type { Files } from "./system.ts";

export interface ReadersSeen {
  /** Whether some process other than the holder can read it, or may be able to. */
  mayRead(link: string, holder: number): boolean;
  /**
   * The same a moment later, in 2 ms. A descriptor comes from somebody who has it, so only those that hold the pipe, and
   * processes that have started since, can have become its readers; nobody else is looked at.
   */
  lookAgain(): ReadersSeen;
}

/** What was found in the last look, so that the next one need not look at every process. Bounded by what is asked. */
export interface ReaderMemory {
  /** A reader of each link; null: there was none, and nobody can become one whom `lookAgain` would not have to find. */
  readonly known: Map<string, number | null>;
}

export const createReaderMemory = (): ReaderMemory => ({ known: new Map() });

/** `O_ACCMODE` and its value `O_WRONLY`, fcntl(2); fdinfo shows the flags in octal. */
const accessMode = 3;
const writeOnly = 1;

interface Findings {
  readonly links: ReadonlySet<string>;
  /** Who can read each, and who has it open at all. */
  readonly readers: Map<string, Set<number>>;
  readonly holders: Set<number>;
  /** Held also by a process that came from outside this pid namespace: whoever reads it there is not seen here. */
  readonly fromOutside: Set<string>;
  readonly looked: Set<number>;
  /** Somebody could not be looked into. */
  hidden: boolean;
}

/**
 * One process at each step, so that a daemon can rest in between.
 * @param links what `/proc/PID/fd/N` leads to. With none nothing is looked at.
 * @param memory with one, a reader that is still there and a pipe that had none are not looked for again. Before a
 * signal there is none.
 */
export function* seekReaders(
  files: Files,
  links: ReadonlySet<string>,
  memory: ReaderMemory | null = null,
): Generator<void, ReadersSeen> {
  const all: Findings = {
    links,
    readers: new Map(),
    holders: new Set(),
    fromOutside: new Set(),
    looked: new Set(),
    hidden: false,
  };
  const open = memory === null ? links : recall(files, all, memory);
  if (open.size > 0) {
    const pids = listPids(files);
    // /proc mounted with hidepid shows an ordinary user only its own processes.
    all.hidden = !pids.includes(1);
    for (const pid of pids) {
      if (all.hidden) break;
      lookInto(files, all, pid, open);
      yield;
    }
  }
  if (memory !== null) remember(all, memory);
  return seenIn(files, all);
}

/** Fills in what is known still; answers the links that must be looked for. */
function recall(files: Files, all: Findings, memory: ReaderMemory): ReadonlySet<string> {
  const open = new Set<string>();
  for (const link of all.links) {
    const reader = memory.known.get(link);
    if (reader === null) continue;
    if (reader !== undefined) lookInto(files, all, reader, new Set([link]));
    if (!all.readers.has(link)) open.add(link);
  }
  all.hidden = false;
  return open;
}

function remember(all: Findings, { known }: ReaderMemory): void {
  known.clear();
  if (all.hidden) return;
  for (const link of all.links) {
    if (all.fromOutside.has(link)) continue;
    const [reader = null] = all.readers.get(link) ?? [];
    known.set(link, reader);
  }
}

function lookInto(files: Files, all: Findings, pid: number, links: ReadonlySet<string>): void {
  all.looked.add(pid);
  const held = readHeld(files, pid, links);
  if (held === "hidden") {
    all.hidden = true;
    return;
  }
  for (const { link, canRead } of held) {
    all.holders.add(pid);
    if (canRead) all.readers.set(link, (all.readers.get(link) ?? new Set()).add(pid));
    if (isInside(files) && isFromOutside(files, pid)) all.fromOutside.add(link);
  }
}

const isInside = (files: Files): boolean => files.tryReadLink("/proc/self/ns/pid") !== firstPidNamespace;

function seenIn(files: Files, all: Findings): ReadersSeen {
  return {
    mayRead(link, holder) {
      if (all.hidden || !all.links.has(link) || all.fromOutside.has(link)) return true;
      return [...(all.readers.get(link) ?? [])].some((pid) => pid !== holder);
    },
    lookAgain() {
      const again: Findings = {
        ...all,
        readers: new Map(),
        holders: new Set(),
        fromOutside: new Set(all.fromOutside),
        looked: new Set(all.looked),
      };
      if (all.links.size === 0) return seenIn(files, again);
      for (const pid of listPids(files))
        if (!all.looked.has(pid) || all.holders.has(pid)) lookInto(files, again, pid, all.links);
      return seenIn(files, again);
    },
  };
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
