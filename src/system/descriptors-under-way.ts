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

/**
 * systemd's managers park descriptors for their units as long as those run, and none of a file that a cleaning could
 * meet: namespaces of PrivateNetwork= (netns_storage_socket in its src/core/namespace.c) and locks of DynamicUser= in /run
 * (storage_socket in dynamic-user.c). Every host on which such a unit runs has some, Argus's own among them.
 */
const parksForUnits = (all: Gathering, pid: string): boolean =>
  /^(?:\/usr)?\/lib\/systemd\/systemd$/.test(tryLink(`${all.proc}/${pid}/exe`) ?? "");

/** Marks the processes in whose sockets they stay, and looks again at those that have received theirs meanwhile. */
export async function settleUnderWay(all: Gathering, pace: Pace): Promise<void> {
  const looksAt = new Map<string, number>();
  for (const [info, pid] of [...all.carrying]) if (parksForUnits(all, pid)) all.carrying.delete(info);
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
