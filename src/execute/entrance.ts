/**
 * The ways in to an executor, and what each lets through. What a proposal says of its source is only a claim: whose
 * claims are believed depends on the way it came.
 */
import { join } from "node:path";
import type { Action } from "./action.ts";
import { actions } from "./actions/index.ts";

export interface Entrance {
  /** The actions that can be asked for here. */
  readonly actions: readonly Action[];
  /** @returns why a proposal of this source is invalid here, as a sentence; null when it is believed. */
  disbelieves(source: string): string | null;
}

const ofMachine = actions.filter(({ kind }) => kind === "machine");
const ofPeople: ReadonlySet<string> = new Set(["operator", "self"]);

/** One process does it all: whoever calls is the same program with the same rights. */
export const inProcess: Entrance = { actions, disbelieves: () => null };

/** The unprivileged part's own executor, which changes nothing on the machine. */
export const notificationsOnly: Entrance = {
  actions: actions.filter(({ kind }) => kind !== "machine"),
  disbelieves: () => null,
};

/**
 * The daemon's socket. The daemon reads what others write and may have been taken over: it cannot speak for a person
 * or for the executor, and has nothing written for it by a privileged process.
 */
export const daemonSocket: Entrance = {
  actions: ofMachine,
  disbelieves: (source) =>
    ofPeople.has(source) ? `source ${source} is not believed on the daemon's socket` : null,
};

/** Root's socket, for the commands that root types. */
export const rootSocket: Entrance = {
  actions: ofMachine,
  disbelieves: (source) =>
    source === "operator"
      ? null
      : "source must be `operator` on root's socket; rules and models ask by the daemon's",
};

/** Of the daemon's socket `/run/argus-executor.sock` it is `/run/argus-executor/root.sock`: the folder is root's alone. */
export function rootSocketOf(daemonSocketPath: string): string {
  const folder = daemonSocketPath.replace(/\.sock$/, "");
  return join(folder === daemonSocketPath ? `${folder}.d` : folder, "root.sock");
}
