/** Whether somebody looks at this machine, and when somebody did last. For `argus doctor`. */
import { errorCode } from "../system/files.ts";
import type { System } from "../system/system.ts";
import { readCycleState } from "./cycle-state.ts";
import { readHolder } from "./lock.ts";

export interface Liveness {
  /** This user may look into the state folder; otherwise nothing else is known. */
  readonly known: boolean;
  /** Who runs on the state now. */
  readonly holder: { readonly pid: number; readonly what: string } | null;
  /** Since the last cycle ended or the present one began; null when there was none. */
  readonly lastCycleSeconds: number | null;
  readonly failuresInARow: number;
  readonly lastError: string | null;
}

/** Throws a WorkError about what stands in the place of the lock or of the state of the cycles. */
export function readLiveness({ files, clock }: System, stateDir: string, logDir: string): Liveness {
  const now = clock.now();
  const known = mayLookInto(files, stateDir) && mayLookInto(files, logDir);
  const holder = known ? readHolder(files, stateDir, now.bootId) : null;
  const state = known ? readCycleState(files, logDir) : null;
  const atMs = Date.parse(state?.finishedAt ?? state?.startedAt ?? "");
  return {
    known,
    holder: holder === null ? null : { pid: holder.pid, what: holder.what },
    lastCycleSeconds: Number.isNaN(atMs) ? null : Math.max(0, (now.wallMs - atMs) / 1000),
    failuresInARow: state?.failuresInARow ?? 0,
    lastError: state?.lastError ?? null,
  };
}

function mayLookInto(files: System["files"], folder: string): boolean {
  try {
    files.list(folder);
    return true;
  } catch (error) {
    if (errorCode(error) === "EACCES") return false;
    if (errorCode(error) === "ENOENT") return true;
    throw error;
  }
}
