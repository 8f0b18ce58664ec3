/**
 * The few figures that can get dangerous within minutes: memory, its pressure, swap, and how full the local file
 * systems are. Read every few seconds, so it costs a handful of small files and one statfs(2) for each file system.
 */
import { readMountInfo, realFileSystems } from "../system/file-systems.ts";
import { parseMeminfo } from "../system/kernel.ts";
import { type Mount, mayHang, parseMountInfo } from "../system/mounts.ts";
import type { System } from "../system/system.ts";
import type { Disk } from "../types/facts.ts";
import type { PulseFact, PulseFacts } from "../types/pulse.ts";
import { toDisk } from "./disks.ts";
import { readMemory, readPressure, readSwap } from "./host.ts";

/** @param wanted what some rule watches: the rest is not read. Throws when /proc gives no memory figures. */
export type Pulse = (wanted: ReadonlySet<PulseFact>) => Promise<PulseFacts>;

/** A local disk answers in microseconds; one whose driver hangs, never. */
const answerWithinMs = 500;
/**
 * What seldom changes is read once in this time: the list of mounts, and whether there is a memory limit. With them a
 * look took 1.1 ms of processor time, without 0.8. Every file counts: after five seconds of sleep no cache is warm.
 */
const settledMs = 60_000;

export function createPulse({ files, clock }: System): Pulse {
  let mounts: readonly Mount[] = [];
  let inCgroup = true;
  let settledAtMs = Number.NEGATIVE_INFINITY;
  /** The disks' question that is open, from whatever look. */
  let asking: Promise<Disk[]> | null = null;

  /** Disks where nobody but this machine's kernel has to answer: what may be far away is looked at by the cycles alone. */
  function settle(): void {
    const nowMs = clock.monotonicMs();
    if (nowMs - settledAtMs < settledMs) return;
    mounts = realFileSystems(parseMountInfo(readMountInfo(files))).filter((mount) => !mayHang(mount.type));
    inCgroup = true;
    settledAtMs = nowMs;
  }

  function readMemoryAndSwap(): Pick<PulseFacts, "memory" | "swap"> {
    const meminfo = parseMeminfo(files.read("/proc/meminfo"));
    const memory = readMemory(files, meminfo, { inCgroup });
    inCgroup = memory.limitedByCgroup;
    const { totalBytes, usedBytes, usedPercent } = readSwap(meminfo);
    return { memory, swap: { totalBytes, usedBytes, usedPercent } };
  }

  /** One after the other: whatever hangs, the pulse keeps no more than one of Node's four threads from their work. */
  async function askDisks(): Promise<Disk[]> {
    const disks: Disk[] = [];
    for (const mount of mounts) {
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

  return async (wanted) => {
    settle();
    const memory = wanted.has("memory") || wanted.has("swap") ? readMemoryAndSwap() : {};
    const pressure = wanted.has("pressure") ? readPressure(files) : null;
    const disk = wanted.has("disk") ? await disksInTime() : null;
    return {
      ...memory,
      ...(pressure === null ? {} : { pressure }),
      ...(disk === null ? {} : { disk }),
    };
  };
}
