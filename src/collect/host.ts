/** The host as a whole: name, load, memory, swap, pressure. */
import {
  countProcessors,
  flatValue,
  parseLoadavg,
  parseMeminfo,
  parsePressure,
  parseVmstat,
} from "../system/kernel.ts";
import { printable } from "../system/printable.ts";
import { readPageSize } from "../system/proc.ts";
import type { Clock, Files, System } from "../system/system.ts";
import type { Load, Memory, Pressure, Swap } from "../types/facts.ts";
import { bytes, percent } from "../types/quantities.ts";
import type { Config } from "../types/settings.ts";
import type { Collect } from "./collector.ts";
import { count } from "./words.ts";

export function createHostCollector({ files, clock }: System, config: Config): Collect {
  const swapRates = createSwapRates(files, clock);
  return async ({ signal }) => {
    const cores = readCores(files);
    const meminfo = parseMeminfo(files.read("/proc/meminfo"));
    const memory = readMemory(files, meminfo);
    const load = readLoad(files, cores);
    const pressure = readPressure(files);
    const rates = await swapRates(meminfo, signal);
    const swap = {
      ...readSwap(meminfo),
      ...rates,
      thrashLimitMegabytesPerSecond: config.swapThrashMegabytesPerSecond,
    };
    const host = {
      name: printable(files.read("/proc/sys/kernel/hostname").trim()),
      bootId: clock.now().bootId,
      uptimeSeconds: Number(files.read("/proc/uptime").split(" ", 1)[0]),
      cores,
    };
    const sentence = [
      count(cores, "core"),
      `load ${load.one.toFixed(2)}`,
      `${percent(memory.usedPercent)} of ${bytes(memory.totalBytes)} memory used${memory.limitedByCgroup ? " (cgroup limit)" : ""}`,
      swap.totalBytes === 0
        ? "no swap"
        : `${percent(swap.usedPercent)} of ${bytes(swap.totalBytes)} swap used`,
      ...(pressure === null ? ["no pressure figures from this kernel"] : []),
    ];
    const facts = { host, memory, swap, load, ...(pressure === null ? {} : { pressure }) };
    return { facts, detail: sentence.join(", ") };
  };
}

function readCores(files: Files): number {
  const online = countProcessors(files.tryRead("/sys/devices/system/cpu/online") ?? "");
  return online > 0 ? online : Math.max(1, files.read("/proc/stat").match(/^cpu\d/gm)?.length ?? 1);
}

function readLoad(files: Files, cores: number): Load {
  const load = parseLoadavg(files.read("/proc/loadavg"));
  if (load === null) throw new Error("/proc/loadavg holds no load averages");
  return { ...load, perCore: load.one / cores };
}

function required(meminfo: ReadonlyMap<string, number>, name: string): number {
  const value = meminfo.get(name);
  if (value === undefined) throw new Error(`/proc/meminfo says nothing about ${name}`);
  return value;
}

/** @param inCgroup whether to ask for a limit of the cgroup: up to five more files. */
export function readMemory(
  files: Files,
  meminfo: ReadonlyMap<string, number>,
  { inCgroup } = { inCgroup: true },
): Memory {
  const host = {
    totalBytes: required(meminfo, "MemTotal"),
    availableBytes: required(meminfo, "MemAvailable"),
  };
  const limit = inCgroup ? readCgroupMemory(files) : null;
  const limitedByCgroup = limit !== null && limit.totalBytes < host.totalBytes;
  const totalBytes = limitedByCgroup ? limit.totalBytes : host.totalBytes;
  const availableBytes = limitedByCgroup
    ? Math.min(limit.availableBytes, host.availableBytes)
    : host.availableBytes;
  const usedPercent = totalBytes === 0 ? 0 : (1 - availableBytes / totalBytes) * 100;
  return { totalBytes, availableBytes, usedPercent, limitedByCgroup, hog: null };
}

/**
 * The limit on the root of the cgroup tree that is visible here. A host has none there (cgroup v2 does not even have
 * the file); a container has its own. Argus's own unit lies deeper: its limit says nothing about the machine.
 */
function readCgroupMemory(files: Files): { totalBytes: number; availableBytes: number } | null {
  const v2 = {
    limit: "memory.max",
    usage: "memory.current",
    reclaimable: "inactive_file",
    folder: "/sys/fs/cgroup",
  };
  const v1 = {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    reclaimable: "total_inactive_file",
    folder: "/sys/fs/cgroup/memory",
  };
  for (const { limit, usage, reclaimable, folder } of [v2, v1]) {
    const total = Number.parseInt(files.tryRead(`${folder}/${limit}`) ?? "", 10); // "max" is none
    const used = Number.parseInt(files.tryRead(`${folder}/${usage}`) ?? "", 10);
    if (Number.isNaN(total) || Number.isNaN(used)) continue;
    // The page cache is charged to the cgroup as well, and what lies idle in it is given back on demand.
    const cache = flatValue(files.tryRead(`${folder}/memory.stat`) ?? "", reclaimable) ?? 0;
    return { totalBytes: total, availableBytes: Math.max(0, total - Math.max(0, used - cache)) };
  }
  return null;
}

export function readSwap(meminfo: ReadonlyMap<string, number>) {
  const totalBytes = required(meminfo, "SwapTotal");
  const usedBytes = totalBytes - required(meminfo, "SwapFree");
  return {
    totalBytes,
    usedBytes,
    usedPercent: totalBytes === 0 ? 0 : (usedBytes / totalBytes) * 100,
    hog: null,
  };
}

type SwapRates = Pick<Swap, "inMegabytesPerSecond" | "outMegabytesPerSecond" | "thrashMegabytesPerSecond">;
const noTraffic: SwapRates = {
  inMegabytesPerSecond: 0,
  outMegabytesPerSecond: 0,
  thrashMegabytesPerSecond: 0,
};
const sampleMs = 100;

/** Traffic since the last cycle; in the first one, of a short sample. */
function createSwapRates(files: Files, clock: Clock) {
  const pageSize = readPageSize(files);
  let before: ReturnType<typeof read> = null;

  function read() {
    const counters = parseVmstat(files.tryRead("/proc/vmstat") ?? "");
    return counters === null ? null : { ...counters, atMs: clock.monotonicMs() };
  }

  return async (meminfo: ReadonlyMap<string, number>, signal: AbortSignal): Promise<SwapRates> => {
    const total = required(meminfo, "SwapTotal");
    if (total === 0) return noTraffic;
    const unused = total === required(meminfo, "SwapFree");
    let now = read();
    // Over a few milliseconds a single page would look like a flood.
    if (before === null || (now !== null && now.atMs - before.atMs < sampleMs)) {
      before ??= now;
      if (unused) return noTraffic;
      await clock.sleep(sampleMs, signal);
      now = read();
    }
    const seconds = now === null || before === null ? 0 : (now.atMs - before.atMs) / 1000;
    if (now === null || before === null || seconds <= 0) return noTraffic;
    const rate = (pages: number) => Math.max(0, pages * pageSize) / 1e6 / seconds;
    const inMegabytesPerSecond = rate(now.pagesIn - before.pagesIn);
    const outMegabytesPerSecond = rate(now.pagesOut - before.pagesOut);
    before = now;
    const thrashMegabytesPerSecond = inMegabytesPerSecond + outMegabytesPerSecond;
    return { inMegabytesPerSecond, outMegabytesPerSecond, thrashMegabytesPerSecond };
  };
}

export function readPressure(files: Files): Pressure | null {
  const read = (name: string) => parsePressure(files.tryRead(`/proc/pressure/${name}`) ?? "");
  const memory = read("memory");
  const io = read("io");
  const cpu = read("cpu");
  if (memory?.full10 == null || io?.full10 == null || cpu === null) return null;
  return {
    memorySome10: memory.some10,
    memoryFull10: memory.full10,
    ioSome10: io.some10,
    ioFull10: io.full10,
    cpuSome10: cpu.some10,
  };
}
