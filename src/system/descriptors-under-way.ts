/**
 * Descriptors that were sent over a unix socket and not received yet (SCM_RIGHTS of unix(7)): they keep files open that
 * no process shows. Since Linux 5.6 `fdinfo` of the socket says how many wait in it, but not which.
 */
import { setTimeout } from "node:timers/promises";
import { errorCode } from "./files.ts";
import type { Mount } from "./mounts.ts";
import type { Pace } from "./pace.ts";
import { tryLink, tryText, unreadable } from "./proc-bytes.ts";
import { type Gathering, lookInto } from "./process-files.ts";

/** Whoever is at work receives them within three seconds, on a busy machine too; what waits longer is parked. */
const looks = 30;
const betweenLooksMs = 100;

/** Marks the processes in whose sockets they stay, and looks again at those that have received theirs meanwhile. */
export async function settleUnderWay(all: Gathering, pace: Pace): Promise<void> {
  const looksAt = new Map<string, number>();
  for (const [info, pid] of [...all.carrying])
    if (holdsNamespaces(`${all.proc}/${pid}`, info)) all.carrying.delete(info);
  for (let look = 0; look < looks && all.carrying.size > 0; look += 1) {
    await setTimeout(betweenLooksMs);
    await pace.rest();
    for (const [info, pid] of [...all.carrying]) {
      if (/^scm_fds:\s*[1-9]/m.test(tryText(info) ?? "")) {
        looksAt.set(info, (looksAt.get(info) ?? 0) + 1);
        continue;
      }
      all.carrying.delete(info);
      try {
        await lookInto(all, pid, pace);
      } catch (error) {
        if (!unreadable.has(errorCode(error))) throw error;
      }
    }
  }
  for (const [info, pid] of all.carrying) if ((looksAt.get(info) ?? 0) > 1) all.doubtful.add(pid);
}

export interface Doubtful {
  readonly pid: number;
  /** In whose name it runs. 0 when it does not say: then it may be anybody. */
  readonly users: readonly number[];
  /** What it sees: whoever shares a socket with it sees the same, as long as no container sends out of itself. */
  readonly mounts: readonly Mount[];
}

export function doubtOf(all: Gathering, pid: string): Doubtful {
  const line = /^Uid:((?:\s+\d+)+)$/m.exec(tryText(`${all.proc}/${pid}/status`) ?? "")?.[1];
  const users = line === undefined ? [0] : [...new Set(line.trim().split(/\s+/).map(Number))];
  const mounts = all.mountsByNamespace.get(tryLink(`${all.proc}/${pid}/ns/mnt`) ?? "") ?? [];
  // One that has ended may have handed them on to anybody.
  return {
    pid: Number(pid),
    users,
    mounts: mounts.length > 0 ? mounts : [...all.mountsByNamespace.values()].flat(),
  };
}

/** Types of sockets in /proc/net/unix: SOCK_DGRAM and SOCK_SEQPACKET of socket(2). */
const stores: readonly (readonly [executable: RegExp, type: string])[] = [
  [/^(?:\/usr)?\/lib\/systemd\/systemd$/, "0002"],
  [/^(?:\/usr)?\/bin\/systemd-nspawn$/, "0005"],
];

/**
 * systemd parks the network namespace of each unit with `PrivateNetwork=`, the executor's among them, in a pair of
 * sockets of its own for as long as the unit runs (systemd 252, netns_storage_socket of execute.c), and systemd-nspawn
 * leaves a descriptor of its container's unread. No file that could be cleaned is held by it; and as root's it would
 * put everything in doubt, so that nothing would ever be cleaned. What somebody sent to a socket with a name, or over a
 * stream, may be any file, also there.
 */
function holdsNamespaces(base: string, info: string): boolean {
  const executable = tryLink(`${base}/exe`) ?? "";
  const type = stores.find(([pattern]) => pattern.test(executable))?.[1];
  if (type === undefined) return false;
  const inode = /^socket:\[(\d+)\]$/.exec(tryLink(info.replace(/\/fdinfo\/(\d+)$/, "/fd/$1")) ?? "")?.[1];
  // Num RefCount Protocol Flags Type St Inode, and no path; 03: connected.
  const row = new RegExp(`^[0-9a-f]+: \\S+ \\S+ 00000000 ${type} 03 +${inode}\\s*$`, "m");
  return inode !== undefined && row.test(tryText(`${base}/net/unix`) ?? "");
}
