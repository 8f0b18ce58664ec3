/**
 * The few figures that can get dangerous within minutes: memory, its pressure, and how full the local file systems
 * are. Read every few seconds, so it costs a handful of small files and one statfs(2) for each file system.
 */
import { readMountInfo, realFileSystems } from "../system/file-systems.ts";
import { parseMeminfo } from "../system/kernel.ts";
import { type Mount, mayHang, parseMountInfo } from "../system/mounts.ts";
import type { System } from "../system/system.ts";
import type { Facts } from "../types/snapshot.ts";
import { toDisk } from "./disks.ts";
import { readMemory, readPressure } from "./host.ts";

export type Pulse = () => Promise<Pick<Facts, "memory" | "pressure" | "disk">>;

/** Throws when /proc gives no memory figures. */
export function createPulse({ files }: System): Pulse {
  let mountInfo = "";
  let mounts: Mount[] = [];

  /** Where nobody but this machine's kernel has to answer. */
  function localMounts(): Mount[] {
    const text = readMountInfo(files);
    if (text !== mountInfo) {
      mountInfo = text;
      mounts = realFileSystems(parseMountInfo(text)).filter((mount) => !mayHang(mount.type));
    }
    return mounts;
  }

  return async () => {
    const memory = readMemory(files, parseMeminfo(files.read("/proc/meminfo")));
    const pressure = readPressure(files);
    const looks = localMounts().map(async (mount) => {
      try {
        return [toDisk(mount, await files.statfs(mount.mount))];
      } catch {
        return []; // unmounted meanwhile, or not for this user: the cycle says so
      }
    });
    const disk = (await Promise.all(looks)).flat();
    return { memory, disk, ...(pressure === null ? {} : { pressure }) };
  };
}
