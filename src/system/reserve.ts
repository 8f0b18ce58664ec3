/**
 * Room for Argus itself on a disk that is full: what it must write down before it may clean. The daemon is an ordinary
 * user, so the share that file systems keep back for root does not help it.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Files } from "./system.ts";

const reserveBytes = 4_000_000;
/** Given up when less is free: a cycle writes some 100 kB. */
const shortBytes = 2_000_000;
/** Set aside only where it is no burden. */
const plentyBytes = 64_000_000;

export interface Reserve {
  /**
   * Before each cycle: gives the reserve up when the disk is full, sets it aside again when it is not.
   * @returns one sentence when it gave it up, else null.
   */
  tend(): Promise<string | null>;
}

export function createReserve(files: Files, stateDir: string): Reserve {
  const path = join(stateDir, "reserve");
  return {
    async tend() {
      const { availableBytes } = await files.statfs(stateDir);
      const isThere = files.stat(path) !== null;
      if (isThere && availableBytes < shortBytes) {
        files.remove(path);
        return `${stateDir} lies on a full disk: the reserve of ${reserveBytes / 1e6} MB is given up, so that Argus can go on`;
      }
      // Random: zeros would take no room where the file system compresses.
      if (!isThere && availableBytes > plentyBytes)
        files.writeAtomic(path, randomBytes(reserveBytes / 2).toString("hex"));
      return null;
    },
  };
}
