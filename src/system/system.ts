/**
 * All that Argus may do with the operating system. One value of this type is made in cli/ and passed on, so that
 * every stage runs against a rooted directory tree, recorded executables and loopback servers as well as against
 * the real machine. Nothing outside this folder imports node's fs, child_process, http, net, or sends a signal.
 */
import type { Moment } from "../types/moment.ts";

export interface System {
  readonly files: Files;
  readonly run: Run;
  /** Whether `run` would find it: a name on the search path, or an absolute path. Starts nothing. */
  readonly hasProgram: (program: string) => boolean;
  readonly http: Http;
  readonly signal: Signal;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly self: Identity;
}

export interface Identity {
  readonly pid: number;
  readonly parentPid: number;
  /** Effective user. */
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/**
 * Errors are node's own (`error.code` is `ENOENT`, `EACCES`, ...). Paths are absolute.
 *
 * Two kinds of files are read. Those of the system and of people may be links; what is no regular file, outside /proc
 * and /sys, is refused. Argus's own (`"own"`, and all that is written) are held to more: no link, a regular file, of
 * the right owner, writable by nobody else, in folders of which the same is true. Whatever stands there instead throws
 * a RefusedFile, one sentence with the fix, and nothing makes Argus wait.
 */
export interface Files {
  /** Whole small file as UTF-8, synchronously: for /proc and /sys this is two to five times cheaper than promises. */
  read(path: string): string;
  /**
   * The same, null when it is not there, vanished while read, or may not be read. With `own`, null means that nothing
   * is there, and all else throws a WorkError.
   */
  tryRead(path: string, whose?: "own"): string | null;
  /** At most `maxBytes` from the start, null as for tryRead. */
  tryReadHead(path: string, maxBytes: number, whose?: "own"): string | null;
  /** What one read(2) gives, null as for tryRead: the whole of what /proc prints in one go, such as /proc/PID/stat. */
  tryReadOnce(path: string): string | null;
  /** Of an own file at most the last `maxBytes`, null as for tryRead. A character cut in two at the start reads as U+FFFD. */
  tryReadTail(path: string, maxBytes: number): string | null;
  /**
   * An own file, to be read in pieces however large it is: a rename of it meanwhile changes nothing. Errors as for
   * tryRead with `own`; null: nothing is there. Whoever opens it closes it.
   */
  openOwn(path: string): OpenFile | null;
  /** With `own`, none where there is no folder. */
  list(path: string, whose?: "own"): string[];
  tryReadLink(path: string): string | null;
  /** null when nothing is there. Does not follow a symbolic link. */
  stat(path: string): FileStatus | null;
  /** Asynchronous, because a dead network mount blocks it for ever. */
  statfs(path: string): Promise<FileSystemStatus>;
  /** mkdir -p with mode 0700 for what it makes. */
  makeDirectory(path: string): void;
  /** Written beside, fsynced, renamed: the old or the new content, never a part. Replaces a link, never follows it. */
  writeAtomic(path: string, text: string, options?: { mode?: number; durable?: boolean }): void;
  /** Fails with EEXIST when the path exists. */
  writeExclusive(path: string, text: string, mode?: number): void;
  /**
   * A small file (4 KiB) that is there gets this text in its place, filled up with blanks: needs no room, and a crash may
   * leave a mixture. False, and nothing is written: it is not there, empty, or one of the two is larger.
   */
  overwrite(path: string, text: string): boolean;
  /** With `durable`, on disk when it returns. Throws (ENOSPC) when not all could be written; a part may then stand there. */
  append(path: string, text: string, options?: { durable?: boolean }): void;
  /** link(2): a second name for the same file. Fails with EEXIST when the name exists: exclusive, content and all. */
  link(existing: string, path: string): void;
  truncate(path: string, sizeBytes: number): void;
  rename(from: string, to: string): void;
  /** No error when it is not there. */
  remove(path: string): void;
  /** Only an empty one. */
  removeDirectory(path: string): void;
  /**
   * From now on `dir` is a folder of Argus's own: all that is read and written below it must belong to its owner.
   * @param path the same folder with links followed, looked at by openStateDir or lookIntoStateDir.
   */
  claim(dir: string, path: string): void;
  /** Where the rooted path lies on the real machine. */
  realPath(path: string): string;
  /** Of a process that goes on when its folders cannot be written (held-files.ts). */
  readonly holding?: Holding;
}

/** What waits in memory for room. */
export interface Holding {
  /** null: all is on the disk. */
  held(): Held | null;
  /** Writes what can be written now. Also done every second while something waits. */
  settle(): void;
  /** The same files without that: what cannot be written is an error. */
  readonly disk: Files;
}

export interface Held {
  /** ISO 8601, UTC. */
  readonly since: string;
  /** As a sentence without its end: `cannot write /var/lib/argus: no space left on the file system`. */
  readonly why: string;
  readonly bytes: number;
  /** Lines that were given up because too much waited. */
  readonly droppedLines: number;
}

export interface OpenFile {
  /** When it was opened. */
  readonly sizeBytes: number;
  readonly inode: number;
  /** Fills `bytes` with what stands from `position` on. @returns how many bytes; fewer only at the file's end. */
  read(bytes: Uint8Array, position: number): number;
  close(): void;
}

export interface FileStatus {
  readonly kind: "file" | "directory" | "link" | "other";
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** ctime: of its content, its mode or its owner. */
  readonly changedMs: number;
  readonly inode: number;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, 0o7777. */
  readonly mode: number;
}

export interface FileSystemStatus {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly availableBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

export interface RunResult {
  /** null: it could not be started, was killed, or ran out of time. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** The program does not exist here. */
  readonly missing: boolean;
}

/** Runs a program with an argument vector: never a shell. Does not throw for what the program does. */
export type Run = (program: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

export interface RunOptions {
  /** Default 10 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly input?: string;
  /** Where it runs; `/` when left out. One that is not there counts as a missing program. */
  readonly directory?: string;
  /** Added to what it is given. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Of each stream; the program is ended at more. Default 4 MiB. */
  readonly maxOutputBytes?: number;
  /** For systemd-notify alone: no other program shall speak in the service's name. */
  readonly notifySocket?: string;
}

export interface Http {
  /** Redirects are not followed. Throws with one sentence when no answer came. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Opens and closes a TCP connection; milliseconds until it stood. Throws with one sentence. */
  connect(host: string, port: number, timeoutMs: number): Promise<number>;
}

export interface HttpRequest {
  readonly url: string;
  readonly method?: "GET" | "HEAD" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  /** What is kept of the body; the rest is thrown away. Default 65 536; 0 reads none. */
  readonly maxBodyBytes?: number;
  /** An answer whose body breaks off, or does not end in time, is one. */
  readonly cutBodyPasses?: true;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** The body is not whole: it broke off, or did not end in time. */
  readonly isCut?: true;
  /** Until the answer's head. */
  readonly latencyMs: number;
}

/** kill(2). False when there is no such process. Throws EPERM. */
export type Signal = (pid: number, name: "SIGTERM" | "SIGKILL" | "SIGUSR1" | "SIGHUP") => boolean;

/** How systemd is asked without starting a program: by D-Bus messages (the D-Bus specification, dbus-daemon(1)). */
export interface Bus {
  /**
   * systemd's own socket for root, else the system's message bus. The connection that stands is used again. It does
   * not keep the process alive, except while a call waits for its answer. `why` is one sentence: nobody is there.
   */
  connect(): Promise<{ connection: BusConnection } | { why: string }>;
}

export interface BusConnection {
  /** systemd itself is at the other end: no bus with names, match rules and other people's messages is between. */
  readonly isDirect: boolean;
  /** Throws one sentence: an error reply, a time limit, a lost connection. */
  call(call: BusCall, options?: BusCallOptions): Promise<BusMessage>;
  /** Signals in their order, and once the connection's end. Returns what stops it. */
  listen(listener: BusListener): () => void;
}

export interface BusListener {
  onSignal(message: BusMessage): void;
  onLost(why: string): void;
}

export interface BusCall {
  /** Well-known name; not sent where systemd itself is at the other end. */
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Types of `body`, such as `ss` or `as`. */
  readonly signature?: string;
  readonly body?: readonly BusValue[];
}

export interface BusCallOptions {
  /** Default 5 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** 64-bit integers are bigint, arrays and structs lists, a dictionary a list of pairs, a variant its value alone. */
export type BusValue = string | number | bigint | boolean | readonly BusValue[];

export interface BusMessage {
  readonly kind: "call" | "reply" | "error" | "signal";
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly errorName: string;
  /** Throws one sentence when they are not what the message says they are. */
  body(): BusValue[];
  /** Of what GetAll answers, the wanted ones. Throws as body does. */
  properties(wanted: ReadonlySet<string>): ReadonlyMap<string, BusValue>;
}

export interface Clock {
  now(): Moment;
  /** For durations only. */
  monotonicMs(): number;
  /** Resolves early, without an error, when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
