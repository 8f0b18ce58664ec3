/** How full the file systems are, in the way of df(1). */
import type { Files } from "../../system/system.ts";

export interface DiskSpace {
  readonly mount: string;
  /** A path on it. */
  readonly path: string;
  /** st_dev of what lies on it. */
  readonly device: bigint;
  readonly usedBytes: number;
  readonly availableBytes: number;
}

export async function readDiskSpace(
  files: Files,
  place: { readonly mount: string; readonly path: string; readonly device: bigint },
): Promise<DiskSpace> {
  const status = await files.statfs(place.path);
  return { ...place, usedBytes: status.totalBytes - status.freeBytes, availableBytes: status.availableBytes };
}

/** As `df` has it: blocks reserved for root count neither as used nor as available. */
export function usedPercent(space: DiskSpace): number {
  const usable = space.usedBytes + space.availableBytes;
  return usable === 0 ? 0 : (100 * space.usedBytes) / usable;
}

/** What freeing some bytes would make of it. */
export function afterFreeing(space: DiskSpace, bytes: number): DiskSpace {
  const freed = Math.min(bytes, space.usedBytes);
  return { ...space, usedBytes: space.usedBytes - freed, availableBytes: space.availableBytes + freed };
}
