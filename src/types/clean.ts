/** What the disk cleaning reports: plain data, of the same shape for a forecast and for what was done. */
import * as z from "zod";

/** Why an entry stays, a closed list. A directory that goes as a unit stays for the first reason met below it. */
export const keptReasons = [
  "young", // one of its time stamps is younger than the age
  "in_use", // a process has it open or mapped, runs it or works in it; or the kernel itself uses it
  "live_socket", // somebody listens on it, or it could not be told
  "mount_point", // something is mounted there, or it lies on another file system
  "locked", // somebody holds a lock on it
  "protected_name", // .X11-unix and its like, lost+found, or named by the host's tmpfiles.d
  "own", // Argus's own folders, the configured homes and the folders of the safelist
  "special", // a device node, or something of an unknown kind
  "sticky", // a file with the sticky bit: its owner asked cleaners to leave it
  "other_owner", // belongs to a user whose processes Argus cannot see into, or not to the owner of the home
  "not_writable", // lies in a directory that Argus may not write
  "too_deep", // more levels of directories than Argus holds open
  "unreadable", // could not be looked at
  "changed", // changed, moved or swapped while Argus looked at it
  "failed", // the system refused to remove it
] as const;
export const KeptReason = z.enum(keptReasons);
export type KeptReason = z.infer<typeof KeptReason>;

/** What became of a folder of the safelist. */
export const rootStates = [
  "cleaned", // looked through
  "absent", // not there
  "not_a_folder", // it, or a folder above it, is a symbolic link, which is not followed, or no folder at all
  "network", // on a network or user-space file system: other hosts' open files cannot be seen, and it may hang
  "locked", // somebody holds a lock on it
  "unreadable", // it, or a folder above it, could not be opened
] as const;
export const RootState = z.enum(rootStates);
export type RootState = z.infer<typeof RootState>;

/** Why nothing is asked for where a file system is full that no folder of the safelist lies on. */
export const nothingCleanable = (mount: string): string =>
  `nothing on ${mount} is in the safelist of the cleaning`;

export const RemovedUnit = z.strictObject({
  path: z.string(),
  /** Disk blocks freed. A file with further hard links frees none until the last of them goes. */
  bytes: z.number(),
  /** Itself and all below it. */
  entries: z.number(),
  /** Whole days since the newest time stamp in it. */
  untouchedDays: z.number(),
});
export type RemovedUnit = z.infer<typeof RemovedUnit>;

/** What the record of an action says of it. */
export const RemovedBrief = RemovedUnit.omit({ entries: true });
export type RemovedBrief = z.infer<typeof RemovedBrief>;

export const DiskUse = z.strictObject({ mount: z.string(), usedPercent: z.number() });
export type DiskUse = z.infer<typeof DiskUse>;

export const CleanReport = z.strictObject({
  /** A dry run: "removed" is what would go, and `after` what would come of it. */
  dryRun: z.boolean(),
  maxAgeDays: z.number(),
  /** The folders of the safelist, in the order they were looked through. */
  roots: z.array(z.strictObject({ path: z.string(), state: RootState })),
  /** The largest, at most 200, largest first. */
  removed: z.array(RemovedUnit),
  /** How many there are in all, those left out of the list included. */
  units: z.number(),
  /** Files, links, sockets, pipes and directories. */
  entries: z.number(),
  bytesReclaimed: z.number(),
  /** Units that stay, by reason. */
  kept: z.record(KeptReason, z.number()),
  /** At most 50 of them, those that are merely young left out. `path` is what stands in the way. */
  keptExamples: z.array(z.strictObject({ path: z.string(), reason: KeptReason })),
  /** The file systems concerned. */
  before: z.array(DiskUse),
  after: z.array(DiskUse),
  /** Processes that Argus may not look into. If there are any it removes only what belongs to its own user. */
  unseenProcesses: z.number(),
  /** Processes of which nobody can tell all that they have open; what their users could have open stays. */
  doubtfulProcesses: z.array(z.number()).optional(),
  /** Stopped by the signal before its end. */
  interrupted: z.boolean(),
  /** Where all that was removed is listed; none for a forecast. */
  manifest: z.string().optional(),
  /** At most 20, one sentence each. */
  errors: z.array(z.string()),
});
export type CleanReport = z.infer<typeof CleanReport>;
