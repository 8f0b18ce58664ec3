/** Whether files of people changed since somebody looked at them: they are read again only then. */
import { reach } from "./reach.ts";
import type { Files } from "./system.ts";

/** Another text when another file, or another content, stands at one of the paths; links are followed. */
export const markOf = (files: Files, paths: readonly string[]): string =>
  paths
    .map((path) => {
      const reached = reach(files, path);
      if (!("status" in reached)) return `${path} ${reached.kind}`;
      // cp -p and touch -r put the time of modification back; nobody can do that to the time of change.
      const { inode, sizeBytes, modifiedMs, changedMs } = reached.status;
      return `${path} ${inode} ${sizeBytes} ${modifiedMs} ${changedMs}`;
    })
    .join("\n");

/** Whoever writes a file in several pieces has written all of them by then. */
const settleMs = 2_000;

/** Whether one of the files may be half written: what is wrong with it now may not be wrong in a moment. */
export const isBeingWritten = (files: Files, paths: Iterable<string>, nowMs: number): boolean =>
  [...paths].some((path) => {
    const reached = reach(files, path);
    return "status" in reached && Math.abs(nowMs - reached.status.changedMs) < settleMs;
  });
