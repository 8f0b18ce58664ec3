/** Why the coding agent of the settings cannot be started on this machine: for the executor, and for `argus doctor`. */
import type { Files } from "../system/system.ts";
import { isSystemdRunning } from "../system/systemd.ts";
import type { HandOffPolicy } from "./policy.ts";
import { accountFault } from "./unprivileged.ts";

/** @param isRoot of the process that would have it started. @returns one sentence; null: it can be. */
export function agentFault(files: Files, handOff: HandOffPolicy, isRoot: boolean): string | null {
  if (!isSystemdRunning(files) || !isRoot)
    return "a coding agent is started by systemd alone, for an Argus that runs as root or has its executor";
  const { user, directory, environmentFile } = handOff;
  const account = accountFault(files, user);
  if (account !== null) return `handOff.user: ${account}`;
  if (files.stat(directory)?.kind !== "directory") return `handOff.directory: ${directory} is no folder`;
  if (environmentFile !== null && files.stat(environmentFile) === null)
    return `handOff.environmentFile: there is no ${environmentFile}`;
  return null;
}
