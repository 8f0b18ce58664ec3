/** tmux sessions, on the default socket and on those that argus.json names. */

import type { System } from "../system/system.ts";
import { defaultTmuxSocket, listSessions } from "../system/tmux.ts";
import type { Witness } from "../system/witness.ts";
import type { Session } from "../types/facts.ts";
import { withoutLeap } from "../types/moment.ts";
import type { Config } from "../types/settings.ts";
import type { Collect } from "./collector.ts";
import { count, list } from "./words.ts";

const rootUid = 0;

export function createSessionCollector(
  system: System,
  config: Config,
  witness: Witness | null = null,
): Collect {
  const { files, run, clock, self } = system;
  const configured = new Set(config.settings.tmuxSockets);
  const sockets = [...new Set([defaultTmuxSocket(witness === null ? self.uid : rootUid), ...configured])];
  const sessionsOn = (socket: string, signal: AbortSignal) =>
    witness === null ? listSessions(system, socket, signal) : witness.sessions(socket, signal);
  const begun = clock.now();
  let installed: boolean | null = null;

  /** Without a socket nothing else would tell; once is enough, since a socket that appears tells the rest. */
  async function isInstalled(signal: AbortSignal): Promise<boolean> {
    installed ??= !(await run("tmux", ["-V"], { timeoutMs: 5_000, signal })).missing;
    return installed;
  }

  return async ({ signal }) => {
    // A clock that leaps ahead makes every session stale at once.
    const now = withoutLeap(begun, clock.now()).wallMs / 1000;
    // The folder of somebody else's socket hides it: then the witness alone can tell.
    const present = sockets.filter((socket) => witness !== null || files.stat(socket) !== null);
    const sessions: Session[] = [];
    const troubles: string[] = [];
    const look = async (socket: string) => {
      const found = await sessionsOn(socket, signal);
      installed = found !== null;
      for (const { name, windows, createdAt, activeAt, attached } of found ?? []) {
        const ages = { ageSeconds: Math.max(0, now - createdAt), idleSeconds: Math.max(0, now - activeAt) };
        sessions.push({ socket, name, windows, ...ages, attached, watched: configured.has(socket) });
      }
    };
    const answers = await Promise.allSettled(present.map(look));
    for (const answer of answers) {
      if (answer.status === "rejected")
        troubles.push(answer.reason instanceof Error ? answer.reason.message : String(answer.reason));
    }
    if (troubles.length > 0 && troubles.length === present.length) throw new Error(troubles.join("; "));
    if (!(await isInstalled(signal))) return { absent: true, facts: {}, detail: "tmux is not installed" };
    return { facts: { session: sessions }, detail: [sentence(sessions), ...troubles].join("; ") };
  };
}

function sentence(sessions: readonly Session[]): string {
  if (sessions.length === 0) return "no tmux session";
  const attached = sessions.filter((session) => session.attached).length;
  return `${count(sessions.length, "tmux session")}, ${attached} attached: ${list(sessions.map(({ name }) => name))}`;
}
