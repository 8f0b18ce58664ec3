/** A cleaning's report in the words of people: data that a printer lays out, no layout of its own. */
import { type CleanReport, type KeptReason, keptReasons, type RootState } from "../../types/clean.ts";

export interface CleanDescription {
  /** Largest first. `why` completes "removed because it was …". */
  readonly removed: readonly { path: string; bytes: number; entries: number; why: string }[];
  /** How many more there are than in the list. */
  readonly notListed: number;
  /** Most frequent first. */
  readonly kept: readonly { count: number; why: string }[];
  readonly keptExamples: readonly { path: string; why: string }[];
  readonly disks: readonly { mount: string; usedPercentBefore: number; usedPercentAfter: number }[];
  /** Folders of the safelist that were not looked through; those that do not exist are left out. */
  readonly passedOver: readonly { path: string; why: string }[];
  /** What a person should know besides. */
  readonly notes: readonly string[];
}

export function describeClean(report: CleanReport): CleanDescription {
  const after = new Map(report.after.map((each) => [each.mount, each.usedPercent]));
  return {
    removed: report.removed.map(({ path, bytes, entries, untouchedDays }) => ({
      path,
      bytes,
      entries,
      why: `untouched for ${untouchedDays} days`,
    })),
    notListed: report.units - report.removed.length,
    kept: keptReasons
      .map((reason) => ({ count: report.kept[reason], why: keptSentence(reason, report.maxAgeDays) }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count),
    keptExamples: report.keptExamples.map(({ path, reason }) => ({
      path,
      why: keptSentence(reason, report.maxAgeDays),
    })),
    disks: report.before.map(({ mount, usedPercent }) => ({
      mount,
      usedPercentBefore: usedPercent,
      usedPercentAfter: after.get(mount) ?? usedPercent,
    })),
    passedOver: report.roots.flatMap(({ path, state }) => {
      const why = rootSentence(state);
      return why === null ? [] : [{ path, why }];
    }),
    notes: notesOf(report),
  };
}

function notesOf(report: CleanReport): string[] {
  const notes = [...report.errors];
  if (report.interrupted) notes.unshift("the cleaning was stopped before its end");
  if (report.unseenProcesses > 0) {
    const processes = report.unseenProcesses === 1 ? "1 process" : `${report.unseenProcesses} processes`;
    notes.push(
      `Argus may not look into ${processes}, so it leaves what belongs to other users; as root, with CAP_SYS_PTRACE, it cleans more`,
    );
  }
  const doubtful = report.doubtfulProcesses ?? [];
  if (doubtful.length > 0) {
    const pids = `${doubtful.slice(0, 5).join(", ")}${doubtful.length > 5 ? ` and ${doubtful.length - 5} more` : ""}`;
    notes.push(
      `nobody can tell which files wait in the sockets of process ${pids} (descriptors sent and not received), so Argus leaves what their users could have open`,
    );
  }
  return notes;
}

function keptSentence(reason: KeptReason, maxAgeDays: number): string {
  switch (reason) {
    case "young":
      return `used within ${maxAgeDays} days`;
    case "in_use":
      return "in use by a process, a mount or the kernel";
    case "live_socket":
      return "a socket that somebody listens on";
    case "mount_point":
      return "a mount point or another file system";
    case "locked":
      return "locked by somebody";
    case "protected_name":
      return "needed by the running system, or named by tmpfiles.d";
    case "own":
      return "belongs to Argus or its settings";
    case "special":
      return "a device node";
    case "sticky":
      return "marked to be kept by its sticky bit";
    case "other_owner":
      return "belongs to another user";
    case "not_writable":
      return "in a directory that Argus may not write";
    case "too_deep":
      return "too deep a tree";
    case "unreadable":
      return "could not be looked at";
    case "changed":
      return "changed while Argus looked at it";
    case "failed":
      return "could not be removed";
  }
}

/** null when there is nothing to say. */
function rootSentence(state: RootState): string | null {
  switch (state) {
    case "cleaned":
    case "absent":
      return null;
    case "not_a_folder":
      return "a symbolic link on the way to it is not followed, or it is no folder";
    case "network":
      return "on a network or user-space file system, where nobody can tell what is in use";
    case "locked":
      return "locked by somebody";
    case "unreadable":
      return "Argus may not look into it";
  }
}
