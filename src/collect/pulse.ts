/**
 * The few figures that can get dangerous within minutes: memory, its pressure, swap, and how full the local file
 * systems are. Read every few seconds, so it costs a handful of small files and one statfs(2) for each file system.
 */
import { readMountInfo, realFileSystems } from "../system/file-systems.ts";
import { parseMeminfo } from "../system/kernel.ts";
import { type Mount, mayHang, parseMountInfo } from "../system/mounts.ts";
import type { System } from "../system/system.ts";
import type { Disk } from "../types/facts.ts";
import type { PulseFacts } from "../types/pulse.ts";
import { toDisk } from "./disks.ts";
import { readMemory, readPressure, readSwap } from "./host.ts";

/** Throws when /proc gives no memory figures. */
export type Pulse = () => Promise<PulseFacts>;

/** A local disk answers in microseconds; one whose driver hangs, never. */
const answerWithinMs = 500;

export function createPulse({ files, clock }: System): Pulse {
  let mountInfo = "";
  let mounts: Mount[] = [];
  /** The disks' question that is open, from whatever look. */
  let asking: Promise<Disk[]> | null = null;

  /** Where nobody but this machine's kernel has to answer: what may be far away is looked at by the cycles alone. */
  function localMounts(): Mount[] {
    const text = readMountInfo(files);
    if (text !== mountInfo) {
      mountInfo = text;
      mounts = realFileSystems(parseMountInfo(text)).filter((mount) => !mayHang(mount.type));
    }
    return mounts;
  }

  /** One after the other: whatever hangs, the pulse keeps no more than one of Node's four threads from their work. */
  async function askDisks(): Promise<Disk[]> {
    const disks: Disk[] = [];
    for (const mount of localMounts()) {
      try {
        const status = await files.statfs(mount.mount);
        if (status.totalBytes > 0) disks.push(toDisk(mount, status));
      } catch {
        // Unmounted meanwhile, or not for this user: the cycle says so.
      }
    }
    return disks;
  }

  async function disksInTime(): Promise<Disk[] | null> {
    if (asking !== null) return null;
    asking = askDisks().finally(() => {
      asking = null;
    });
    const limit = new AbortController();
    const late = clock.sleep(answerWithinMs, limit.signal).then(() => null);
    try {
      return await Promise.race([asking, late]);
    } finally {
      limit.abort();
    }
  }

  return async () => {
    const meminfo = parseMeminfo(files.read("/proc/meminfo"));
    const memory = readMemory(files, meminfo);
    const { totalBytes, usedBytes, usedPercent } = readSwap(meminfo);
    const pressure = readPressure(files);
    const disk = await disksInTime();
    return {
      memory,
      swap: { totalBytes, usedBytes, usedPercent },
      ...(pressure === null ? {} : { pressure }),
      ...(disk === null ? {} : { disk }),
    };
  };
}
