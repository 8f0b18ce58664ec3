/** What the last cycle saw, as far as its snapshot was kept. */
import type { readSnapshot } from "../record/history.ts";
import { unkeptNote } from "../space.ts";
import { reach } from "../system/reach.ts";
import type { Files } from "../system/system.ts";
import type { Broken, Config } from "../types/settings.ts";
import type { Snapshot } from "../types/snapshot.ts";
import type { TrailCycle } from "../types/trail.ts";

interface Kept {
  /** Of the last cycle; null: there is none, or it is of an earlier one. */
  readonly snapshot: Snapshot | null;
  /** One clause: why what the last cycle saw is not known; null: it is, or no cycle has run. */
  readonly why: string | null;
  /** What that cycle itself said of it. */
  readonly note: string | null;
}

/** A snapshot of before must not be taken for the last cycle's. */
export function keptSnapshot(last: TrailCycle | null, read: ReturnType<typeof readSnapshot>): Kept {
  const note = last === null ? null : unkeptNote(last);
  const snapshot = read.ok ? read.snapshot : null;
  // A power failure may leave the one before: it is not synced, the trail is.
  const isOld =
    last !== null && snapshot !== null && Date.parse(snapshot.takenAt) < Date.parse(last.cycle.ts);
  if (note === null && !isOld) return { snapshot, why: null, note: null };
  const why = "the last cycle's snapshot was not kept";
  return { snapshot: null, why: note === null ? why : `${why}: ${reasonOf(note)}`, note };
}

const reasonOf = (note: string): string =>
  note.startsWith("less than 100 MB") ? "less than 100 MB free" : "it could not be written";

/** What only the daemon's user sees, such as a file that root may read and it may not. */
export function brokenSettings(files: Files, config: Config, snapshot: Snapshot | null): Broken | null {
  const fault = snapshot?.facts.self?.settingsFault;
  if (snapshot === null || fault == null) return null;
  if (!wasChanged(files, config, fault, Date.parse(snapshot.takenAt)))
    return { faults: [fault], inForce: "that is what the last cycle saw" };
  const atOnce = config.executorSocket === null ? "" : ", or at once with: sudo systemctl reload argus";
  return {
    faults: [fault],
    inForce: `fixed meanwhile; in force from the next cycle${atOnce}`,
    isFixed: true,
  };
}

/** Whether the files that it names were changed since, and are good for whoever reads them here. */
function wasChanged(files: Files, config: Config, fault: string, sinceMs: number): boolean {
  if (config.broken !== undefined || config.unreadEnvFile !== undefined) return false;
  const named = [config.settingsFile, config.envFile].filter((path) => path !== null && fault.includes(path));
  return named.some((path) => {
    const reached = reach(files, path ?? "");
    if (!("status" in reached)) return false;
    const { changedMs, mode } = reached.status;
    // Root reads what the daemon may not. argus.env is read by systemd.
    const isOpen = path !== config.settingsFile || config.executorSocket === null || (mode & 0o004) !== 0;
    return isOpen && changedMs > sinceMs;
  });
}
