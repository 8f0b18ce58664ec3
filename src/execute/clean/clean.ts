/** `clean_disk`: removes what is old below the folders of the safelist, or says what it would remove. */
import { readMountInfo } from "../../system/file-systems.ts";
import { type Mount, parseMountInfo } from "../../system/mounts.ts";
import { type OpenFiles, readOpenFiles } from "../../system/open-files.ts";
import { createPace, type Pace } from "../../system/pace.ts";
import { close, type Directory } from "../../system/safe-tree.ts";
import { type SafelistFolder, safelist } from "../../system/safelist.ts";
import type { System } from "../../system/system.ts";
import type { CleanReport, RootState } from "../../types/clean.ts";
import { cutoff } from "./age.ts";
import { afterFreeing, type DiskSpace, readDiskSpace, usedPercent } from "./disk-space.ts";
import { readExclusions } from "./exclusions.ts";
import { createGuard, type GuardFacts } from "./guard.ts";
import { beginManifest, type CleaningOf, type Manifest, ManifestError } from "./manifest.ts";
import { foldersOn } from "./on-mount.ts";
import { identitiesOf, isReachable, openRoot, ownerOf, placeOf } from "./roots.ts";
import { createTally, type Tally } from "./tally.ts";
import { cleanShelf } from "./walk.ts";

export interface CleanOptions {
  readonly maxAgeDays: number;
  /** Absolute paths. */
  readonly homes: readonly string[];
  /** Argus's own log folder: rotated logs in it are cleaned, the folder stays. */
  readonly logDir: string;
  /** What else stays, wherever it lies: state folder, observations, settings, rules. Absolute paths. */
  readonly keep: readonly string[];
  /** Only folders on this file system are looked through; all when left out. */
  readonly fileSystem?: Mount | null;
  /** Whose cleaning it is, for the list of what was removed; none is kept when left out, and in a forecast. */
  readonly of?: CleaningOf;
  readonly dryRun: boolean;
  /** Ends the cleaning within some milliseconds, between two entries. */
  readonly signal: AbortSignal;
}

/** What is in use is read again after this long: a file may be opened, and even be mapped, without a trace on it. */
const inUseMaxAgeMs = 10_000;

/** What it meets on the disk stands in the report; it throws only for bugs. */
export async function cleanDisk(system: System, options: CleanOptions): Promise<CleanReport> {
  const { maxAgeDays, dryRun, signal } = options;
  if (!(maxAgeDays >= 1))
    throw new RangeError(`cleaning what is ${maxAgeDays} days old would remove what is in use`);
  const { files } = system;
  const tally = createTally();
  const roots: { path: string; state: RootState }[] = [];
  const spaces: DiskSpace[] = [];
  let unseenProcesses = 0;
  let doubtfulProcesses: readonly number[] = [];
  let interrupted = false;
  let manifest: Manifest | null = null;
  try {
    signal.throwIfAborted();
    const pace = createPace(system.clock, signal);
    const watch = await watchInUse(system, pace, safelist(options.homes, options.logDir));
    if (watch === null) {
      tally.error(
        "/proc does not show the running processes, so nobody can tell what is in use: nothing was removed",
      );
    } else {
      unseenProcesses = watch.known().unseenProcesses;
      if (!dryRun && options.of !== undefined) manifest = beginManifest(system, options.of, maxAgeDays);
      doubtfulProcesses = (watch.known().doubtful ?? []).map(({ pid }) => pid);
      await cleanFolders(system, options, { tally, pace, watch, roots, spaces, manifest });
    }
  } catch (error) {
    if (error instanceof ManifestError)
      tally.error(`${error.message}: nothing ${manifest === null ? "" : "more "}was removed`);
    else if (!signal.aborted || error !== signal.reason) throw error;
    interrupted = manifest !== null || signal.aborted;
  }
  if (manifest !== null) {
    const { units, entries, bytesReclaimed } = tally.totals();
    const trouble = manifest.end({ units, entries, bytesReclaimed, complete: !interrupted });
    if (trouble !== null) tally.error(trouble);
  }
  const after = await Promise.all(
    spaces.map((space) =>
      dryRun ? afterFreeing(space, tally.bytesOn(space.device)) : readDiskSpace(files, space),
    ),
  );
  const use = (space: DiskSpace) => ({ mount: space.mount, usedPercent: usedPercent(space) });
  return {
    dryRun,
    maxAgeDays,
    roots,
    ...tally.totals(),
    before: spaces.map(use),
    after: after.map(use),
    unseenProcesses,
    ...(doubtfulProcesses.length === 0 ? {} : { doubtfulProcesses: [...doubtfulProcesses] }),
    interrupted,
    ...(manifest === null ? {} : { manifest: manifest.path }),
  };
}

interface Watch {
  known(): OpenFiles;
  /** Reads it again when it is old. @returns whether it did. */
  refresh(): Promise<boolean>;
}

async function watchInUse(
  system: System,
  pace: Pace,
  folders: readonly SafelistFolder[],
): Promise<Watch | null> {
  const { clock, files, self } = system;
  let dueMs = 0;
  const read = async () => {
    const startedMs = clock.monotonicMs();
    const inUse = await readOpenFiles(
      files,
      self.pid,
      pace,
      folders.map(({ path }) => path),
    );
    const endedMs = clock.monotonicMs();
    // On a machine with very many processes most of the time is still for the cleaning.
    dueMs = endedMs + Math.max(inUseMaxAgeMs, 5 * (endedMs - startedMs));
    return inUse;
  };
  const first = await read();
  if (first === null) return null;
  let known = first;
  return {
    known: () => known,
    async refresh() {
      if (clock.monotonicMs() < dueMs) return false;
      const again = await read();
      if (again === null) throw new Error("/proc no longer shows the running processes");
      known = again;
      return true;
    },
  };
}

/** Filled as the work goes on, so that a cleaning that is cut short still reports what it did. */
interface Progress {
  readonly tally: Tally;
  readonly pace: Pace;
  readonly watch: Watch;
  readonly roots: { path: string; state: RootState }[];
  readonly spaces: DiskSpace[];
  readonly manifest: Manifest | null;
}

async function cleanFolders(system: System, options: CleanOptions, progress: Progress): Promise<void> {
  const { files, clock, self } = system;
  const { mounts } = progress.watch.known();
  const outside = parseMountInfo(readMountInfo(files));
  const all = safelist(options.homes, options.logDir);
  const folderPaths = all.map((each) => each.path);
  const { fileSystem = null } = options;
  const folders = fileSystem === null ? all : foldersOn(files, all, fileSystem, mounts);
  for (const { path } of folders) {
    const root = openRoot(files, path, mounts);
    if (typeof root === "string") continue;
    close(root);
    const place = placeOf(root, path, mounts, outside);
    if (progress.spaces.some((each) => each.mount === place.mount)) continue;
    progress.spaces.push(await readDiskSpace(files, place));
  }
  const ownPaths = [...options.homes, ...options.keep, options.logDir, ...folderPaths];
  const shared = {
    bootId: clock.now().bootId,
    ownUid: self.uid,
    ownPaths: ownPaths.map((path) => files.realPath(path)),
    ownIdentities: identitiesOf(files, ownPaths, mounts),
    isExcluded: readExclusions(files, folderPaths),
  };
  for (const folder of folders) {
    const root = openRoot(files, folder.path, mounts);
    if (typeof root === "string") {
      progress.roots.push({ path: folder.path, state: root });
      continue;
    }
    try {
      const homeOwner = folder.home === null ? null : ownerOf(files, folder.home, mounts);
      await cleanFolder(system, options, progress, {
        ...shared,
        folder,
        root,
        isReachable: isReachable(root),
        homeOwner,
      });
    } finally {
      close(root);
    }
  }
}

async function cleanFolder(
  system: System,
  options: CleanOptions,
  progress: Progress,
  facts: Omit<GuardFacts, "inUse"> & { readonly folder: SafelistFolder; readonly root: Directory },
): Promise<void> {
  const { folder, root } = facts;
  const { pace, tally, watch, manifest } = progress;
  await watch.refresh();
  let guard = createGuard({ ...facts, inUse: watch.known() });
  if (guard.locked) {
    progress.roots.push({ path: folder.path, state: "locked" });
    return;
  }
  progress.roots.push({ path: folder.path, state: "cleaned" });
  const nowMs = system.clock.now().wallMs;
  const rest = async () => {
    await pace.rest();
    if (await watch.refresh()) guard = createGuard({ ...facts, inUse: watch.known() });
  };
  await cleanShelf(
    {
      folder,
      root,
      guard: () => guard,
      rest,
      pace,
      cutoffNs: cutoff(nowMs, options.maxAgeDays),
      nowMs,
      manifest,
      dryRun: options.dryRun,
      tally,
    },
    root,
    1,
  );
}
