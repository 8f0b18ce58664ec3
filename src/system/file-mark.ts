/** Whether files of people changed since somebody looked at them: they are read again only then. */
import { reach } from "./reach.ts";
import type { Files } from "./system.ts";

/** Another text when another file, or another content, stands at one of the paths; links are followed. */
export const markOf = (files: Files, paths: readonly string[]): string =>
  paths
    .map((path) => {
      const reached = reach(files, path);
      if (!("status" in reached)) return `${path} ${reached.kind}`;
      const { inode, sizeBytes, modifiedMs } = reached.status;
      return `${path} ${inode} ${sizeBytes} ${modifiedMs}`;
    })
    .join("\n");
