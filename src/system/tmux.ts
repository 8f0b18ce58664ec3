/**
 * tmux servers, each known by its socket. A client trusts its server: the server may have it read and write files and
 * run a command, as the user that the client runs as. Anybody can put a socket into /tmp; so Argus talks to a server
 * only as the user whose socket it is.
 */

import { dirname } from "node:path";
import { timeLimit } from "../types/quantities.ts";
import type { FileStatus, Files, RunResult, System } from "./system.ts";

const timeoutMs = 5_000;
/** Nobody's group: a client needs no more than its user to reach the socket. */
const noGroup = 65_534;

export interface TmuxSession {
  readonly name: string;
  readonly windows: number;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly activeAt: number;
  readonly attached: boolean;
}

/** Where tmux puts its socket when it is told nothing else. */
export function defaultTmuxSocket(uid: number): string {
  return `/tmp/tmux-${uid}/default`;
}

/**
 * Runs tmux on a socket, as the user who owns it. Null when there is no socket. Throws one sentence when the socket
 * belongs to somebody else and Argus is not root, or when somebody else could put another one in its place.
 */
export async function runTmux(
  system: Pick<System, "files" | "run" | "self">,
  socket: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<RunResult | null> {
  const { files, run, self } = system;
  const status = files.stat(socket);
  if (status === null) return null;
  if (status.kind !== "other") throw new Error(`${socket} is not a socket`);
  const tmux = ["tmux", "-S", files.realPath(socket), ...args] as const;
  const options = signal === undefined ? { timeoutMs } : { timeoutMs, signal };
  if (self.uid !== 0 && status.uid !== self.uid) {
    throw new Error(`${socket} belongs to user ${status.uid}, whose tmux only that user or root may ask`);
  }
  const loose = looseFolder(files, socket, status.uid);
  if (loose !== null) {
    throw new Error(
      `${socket} is not asked: others can change ${loose}, and so put a socket of theirs in its place`,
    );
  }
  if (status.uid === self.uid) return run(tmux[0], tmux.slice(1), options);
  const identity = [`--reuid=${status.uid}`, `--regid=${noGroup}`, "--clear-groups", "--no-new-privs", "--"];
  const result = await run("setpriv", [...identity, ...tmux], options);
  if (result.missing)
    throw new Error(`to ask the tmux of user ${status.uid}, setpriv is needed (package util-linux)`);
  return result;
}

/** The first folder on the way to a path in which another user could swap the next step. */
function looseFolder(files: Files, path: string, uid: number): string | null {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const status = files.stat(folder);
    if (status === null || !isTight(status, uid)) return folder;
    if (folder === "/") return null;
  }
}

function isTight({ uid: owner, mode, kind }: FileStatus, uid: number): boolean {
  if (owner !== 0 && owner !== uid) return false;
  const sticky = (mode & 0o1000) !== 0; // as /tmp: only the owner of an entry can replace it
  return kind === "link" || sticky || (mode & 0o022) === 0;
}

/** Empty when nothing listens there. Null when tmux is not installed. Throws one sentence when it does not answer. */
export async function listSessions(
  system: Pick<System, "files" | "run" | "self">,
  socket: string,
  signal?: AbortSignal,
): Promise<TmuxSession[] | null> {
  // Numbers first: whatever a session is called, the rest of the line is its name.
  const format =
    "#{session_windows} #{session_created} #{session_activity} #{session_attached} #{session_name}";
  const result = await runTmux(system, socket, ["list-sessions", "-F", format], signal);
  if (result === null) return [];
  if (result.missing || result.exitCode === 127) return null;
  if (result.timedOut)
    throw new Error(`the tmux server on ${socket} did not answer within ${timeLimit(timeoutMs)}`);
  if (result.exitCode === 0) return parseSessions(result.stdout);
  if (
    /^(no server running|lost server|server exited)|\((No such file or directory|Connection refused)\)/m.test(
      result.stderr,
    )
  )
    return [];
  throw new Error(`tmux on ${socket} failed: ${result.stderr.split("\n", 1)[0] ?? ""}`);
}

/** @param text a line a session: windows, created, activity, attached clients, name. */
export function parseSessions(text: string): TmuxSession[] {
  return text.split("\n").flatMap((line) => {
    const [, windows, created, activity, attached, name] = /^(\d+) (\d+) (\d*) (\d+) (.*)$/.exec(line) ?? [];
    if (name === undefined) return [];
    return {
      name,
      windows: Number(windows),
      createdAt: Number(created),
      activeAt: Number(activity === "" ? created : activity),
      attached: Number(attached) > 0,
    };
  });
}
