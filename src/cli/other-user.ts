/** State and settings of another user's: who may not read or change it is given the command that does. */
import { dirname } from "node:path";
import { errorCode } from "../system/error-code.ts";
import { wayTo, weakSpot } from "../system/folder-path.ts";
import { weakSentence } from "../system/own-folder.ts";
import type { FileStatus, Files } from "../system/system.ts";
import { createUsers, groupName } from "../system/users.ts";
import { WorkError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import type { Context } from "./context.ts";

type Use = "read" | "write";
type Caller = Pick<Context, "system" | "env" | "argv" | "command">;

/** What says where the state and the rules are; sudo takes the environment away. */
const places = [
  "ARGUS_CONFIG",
  "ARGUS_STATE_DIR",
  "ARGUS_LOG_DIR",
  "ARGUS_EXECUTOR_STATE_DIR",
  "ARGUS_EXECUTOR_SOCKET",
  "ARGUS_RULES_DIR",
  "ARGUS_LOCAL_RULES_DIR",
];
/** Where the installed command looks by itself, also with sudo. */
const installedStateDir = "/var/lib/argus";

/** Throws a WorkError where this user may not read the state; one that is not there can be read. */
export function mustReadState(caller: Caller, config: Config): void {
  mustReach(caller, config.stateDir, "state folder", "read");
  // Installed, the executor is asked.
  if (config.executorSocket === null) mustReachExecutor(caller, config, "read");
}

/** The same for what lies in the executor's own folder: pause, silences, questions that wait for a yes. */
export function mustReachExecutor(caller: Caller, { stateDir, executorStateDir }: Config, use: Use): void {
  const noun = executorStateDir === stateDir ? "state folder" : "state folder of the executor";
  mustReach(caller, executorStateDir, noun, use);
}

/**
 * Throws a WorkError unless the settings file is this user's own, or its folder where there is none. root is held to
 * it as well: in a folder of another user's it writes nothing.
 */
export function mustChangeSettings(caller: Caller, path: string): void {
  const { files, self } = caller.system;
  const owner = ownerOf(files, path) ?? ownerOf(files, dirname(path));
  if (owner !== null && owner !== self.uid) throw mayNot(caller, path, "settings file", "write", owner);
  const weak = weakSpot(wayTo(files, path), [0, self.uid]);
  if (weak !== null) throw new WorkError(weakSentence(path, weak));
}

/** Throws a WorkError: this user may not. */
export function mustReadSettings(caller: Caller, path: string): never {
  throw mayNot(caller, path, "settings file", "read", ownerOf(caller.system.files, path) ?? "hidden");
}

/** Who must ask in the place of this user, with the command for that; null: this one may. root too writes nobody's state but its own. */
export function ownerInstead(caller: Caller, { stateDir }: Config): string | null {
  const { files, self } = caller.system;
  const owner = ownerOf(files, stateDir);
  if (owner === self.uid || owner === null) return null;
  const as = owner === "hidden" ? "" : `-u '#${owner}' `;
  return `sudo ${as}${again(caller)}`;
}

/** @param noun what people call the folder. */
export function mustReach(caller: Caller, dir: string, noun: string, use: Use): void {
  const { files, self } = caller.system;
  if (self.uid === 0) return;
  const status = statusOf(files, dir);
  if (status === null) return;
  const owner = status === "hidden" ? status : status.uid;
  if (owner === self.uid) return;
  if (owner !== "hidden" && use === "read" && isReadable(files, dir)) return;
  const member = use === "write" || status === "hidden" ? "" : membership(caller, status);
  throw mayNot(caller, dir, noun, use, owner, member);
}

function mayNot(
  caller: Caller,
  path: string,
  noun: string,
  use: Use,
  owner: number | "hidden",
  member = "",
): WorkError {
  const { files } = caller.system;
  const whose = owner === "hidden" ? "" : `, which belongs to ${createUsers(files)()(owner)}`;
  // root reads everybody's state, and writes nobody's but its own.
  const as = use === "read" || owner === "hidden" || owner === 0 ? "" : `-u '#${owner}' `;
  return new WorkError(
    `this user may not ${use} the ${noun} ${path}${whose}: sudo ${as}${again(caller)}${member}`,
  );
}

/** null: there is no such folder. */
function statusOf(files: Files, dir: string): FileStatus | "hidden" | null {
  try {
    return wayTo(files, dir).status;
  } catch (error) {
    if (errorCode(error) === "EACCES") return "hidden";
    throw error;
  }
}

function ownerOf(files: Files, path: string): number | "hidden" | null {
  const status = statusOf(files, path);
  return status === null || status === "hidden" ? status : status.uid;
}

/** How to be asked for no password the next time; empty where no group may read. */
function membership({ system: { files, self } }: Caller, { gid, mode }: FileStatus): string {
  const user = createUsers(files)()(self.uid);
  const group = (mode & 0o050) === 0o050 && gid !== 0 ? groupName(files, gid) : null;
  if (group === null || user === String(self.uid)) return "";
  return `; members of the group ${group} may read it without sudo: sudo usermod -aG ${group} ${user}, then log in anew`;
}

/** What every command reads. A file that a channel's program keeps beside them is nobody else's business. */
const ownFiles = [
  "problems.jsonl",
  "trail.jsonl",
  "dedup.json",
  "executor.json",
  "pause.json",
  "silences.json",
];

/** The files are closed to others, also where the folder is not. */
function isReadable(files: Files, dir: string): boolean {
  try {
    const there = files.list(dir).filter((name) => ownFiles.includes(name));
    for (const name of there) files.tryReadHead(`${dir}/${name}`, 1, "own");
    return true;
  } catch (error) {
    if (errorCode(error) === "EACCES") return false;
    throw error;
  }
}

/** What was typed, for a shell. */
function again({ env, argv, command }: Caller): string {
  const isInstalled = env["ARGUS_STATE_DIR"] === installedStateDir;
  const kept = isInstalled
    ? []
    : places.flatMap((name) => (env[name] ? [quoted(`${name}=${env[name]}`)] : []));
  return [...(kept.length === 0 ? [] : ["env", ...kept]), command, ...argv.slice(2).map(quoted)].join(" ");
}

const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
