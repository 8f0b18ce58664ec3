/** Where a process's output goes, and whether anybody can ever read it there. What cannot be seen counts as read. */
import { statSync } from "node:fs";
import { errorCode } from "./files.ts";
import { mayHang, parseMountInfo } from "./mounts.ts";
import type { ReadersSeen } from "./readers.ts";
import type { Files } from "./system.ts";

/** One descriptor. `link` is what `/proc/PID/fd/N` leads to, such as `pipe:[4711]`. */
export type Stream =
  | { readonly kind: "closed" | "null" | "lost terminal" | "other" | "unknown" }
  | { readonly kind: "pipe" | "deleted file"; readonly link: string }
  | { readonly kind: "socket"; readonly inode: string };

/** @returns standard output and standard error of a process, in that order. */
export function readOutputs(files: Files, pid: number): readonly Stream[] {
  const names = descriptorsOf(files, pid);
  if (names === null) return [{ kind: "unknown" }, { kind: "unknown" }];
  return ["1", "2"].map((name) =>
    names.includes(name) ? readStream(files, pid, name) : { kind: "closed" as const },
  );
}

/**
 * A shell that runs a command with a redirection may keep its own output aside meanwhile, on a descriptor from 10 on
 * (dash, bash and zsh do); and it may say what became of the command on one that it was given: `echo $? >&3`.
 */
export function readOutputsKeptAside(files: Files, pid: number): readonly Stream[] {
  const names = descriptorsOf(files, pid);
  if (names === null) return [{ kind: "unknown" }];
  const kept = names.filter((name) => Number(name) >= 3 && Number(name) < 64);
  return kept.filter((name) => mayWrite(files, pid, name)).map((name) => readStream(files, pid, name));
}

/**
 * What a test run was given to write to besides, as by `3>result`: a shell's redirections have one digit. Higher ones
 * are what editors and terminals leave open by mistake. Sockets are left out: Node has them to its own children.
 */
export function readOutputsBesides(files: Files, pid: number): readonly Stream[] {
  const names = descriptorsOf(files, pid);
  if (names === null) return [{ kind: "unknown" }];
  const given = names.filter((name) => {
    if (Number(name) < 3 || Number(name) > 9) return false;
    const link = files.tryReadLink(`/proc/${pid}/fd/${name}`) ?? "";
    return /^(?:pipe:|\/(?!dev\/(?!shm\/)))/.test(link) && mayWrite(files, pid, name);
  });
  return given.map((name) => readStream(files, pid, name));
}

/** Null where they cannot be seen. EACCES: somebody else's process. ENOENT: gone, which the identity check says better. */
function descriptorsOf(files: Files, pid: number): readonly string[] | null {
  try {
    return files.list(`/proc/${pid}/fd`);
  } catch (error) {
    if (errorCode(error) === "") throw error;
    return null;
  }
}

function mayWrite(files: Files, pid: number, descriptor: string): boolean {
  const flags = /^flags:\t([0-7]+)$/m.exec(files.tryRead(`/proc/${pid}/fdinfo/${descriptor}`) ?? "")?.[1];
  // O_ACCMODE is 3, O_RDONLY 0: fcntl(2).
  return flags === undefined || (Number.parseInt(flags, 8) & 3) !== 0;
}

function readStream(files: Files, pid: number, descriptor: string): Stream {
  const link = files.tryReadLink(`/proc/${pid}/fd/${descriptor}`);
  if (link === null) return { kind: "unknown" };
  if (link === "/dev/null") return { kind: "null" };
  if (link.startsWith("pipe:[")) return { kind: "pipe", link };
  const socket = /^socket:\[(\d+)\]$/.exec(link)?.[1];
  if (socket !== undefined) return { kind: "socket", inode: socket };
  if (!link.endsWith(" (deleted)")) return { kind: "other" };
  // The kernel takes a pseudo-terminal's name away when the other end is closed; its number may be given out again.
  if (/^\/dev\/pts\/\d+ \(deleted\)$/.test(link)) return { kind: "lost terminal" };
  if (link.startsWith("/dev/")) return { kind: "other" };
  return isUnlinked(files, pid, descriptor) ? { kind: "deleted file", link } : { kind: "other" };
}

/** A file may be called `x (deleted)`. Asked only where the call returns: not on a network whose server is gone. */
function isUnlinked(files: Files, pid: number, descriptor: string): boolean {
  const info = files.tryRead(`/proc/${pid}/fdinfo/${descriptor}`) ?? "";
  const mountId = Number(/^mnt_id:\t(\d+)$/m.exec(info)?.[1]);
  const mounts = parseMountInfo(files.tryRead(`/proc/${pid}/mountinfo`) ?? "");
  const mount = mounts.find(({ id }) => id === mountId);
  if (mount === undefined || mayHang(mount.type)) return false;
  try {
    return statSync(files.realPath(`/proc/${pid}/fd/${descriptor}`)).nlink === 0;
  } catch (error) {
    if (errorCode(error) === "") throw error;
    return false;
  }
}

/**
 * Why nobody can read what is written to it: a clause that follows "its output"; null when somebody can, or may.
 * @param holder whose stream it is: that it could read its own output does not count.
 */
export function whyUnread(files: Files, holder: number, stream: Stream, seen: ReadersSeen): string | null {
  switch (stream.kind) {
    case "closed":
      return "is closed";
    case "null":
      return "goes into /dev/null";
    case "lost terminal":
      return "goes to a terminal that is gone";
    case "pipe":
      return seen.mayRead(stream.link, holder) ? null : "goes into a pipe that nobody reads";
    case "deleted file":
      return seen.mayRead(stream.link, holder) ? null : "goes into a deleted file";
    case "socket":
      return isPeerGone(files, holder, stream.inode) ? "goes into a pipe that nobody reads" : null;
    default:
      return null;
  }
}

/**
 * Node gives its children socket pairs for pipes (libuv, uv_spawn). A connected stream socket holds a reference on the
 * one at its other end, so each has three; when the other end is closed for good, one reference is gone, while the
 * state still says connected (net/unix/af_unix.c, unix_release_sock; seen on Linux 6.18). More are taken for moments
 * only, which errs to the safe side.
 */
export function isPeerGone(files: Files, pid: number, inode: string): boolean {
  const row = unixSocket(files.tryRead(`/proc/${pid}/net/unix`) ?? "", inode);
  return row?.isStream === true && row.isConnected && row.references === 2;
}

interface UnixSocket {
  readonly references: number;
  readonly isStream: boolean;
  readonly isConnected: boolean;
}

/** Columns of /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path. */
function unixSocket(text: string, inode: string): UnixSocket | null {
  const match = new RegExp(
    `^[0-9a-f]+: ([0-9A-F]+) [0-9A-F]+ ([0-9A-F]+) ([0-9A-F]+) ([0-9A-F]+) +${inode}(?: |$)`,
    "m",
  ).exec(text);
  if (match === null) return null;
  const [, references = "", flags = "", type = "", state = ""] = match;
  const isListening = (Number.parseInt(flags, 16) & 0x10000) !== 0;
  return {
    references: Number.parseInt(references, 16),
    isStream: type === "0001" && !isListening,
    isConnected: state === "03",
  };
}

/** Whether its output was meant for another program. */
export const goesToProgram = (stream: Stream): boolean => stream.kind === "pipe" || stream.kind === "socket";

/** What a look at all processes must find the readers of. */
export const linksOf = (streams: readonly Stream[]): string[] =>
  streams.flatMap((stream) => ("link" in stream ? [stream.link] : []));
