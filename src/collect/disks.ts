/** Every file system that can fill up. */
import { readMountInfo, realFileSystems } from "../system/file-systems.ts";
import { homesOf } from "../system/homes.ts";
import { type Mount, mayHang, parseMountInfo } from "../system/mounts.ts";
import { safelist } from "../system/safelist.ts";
import { foldersByFileSystem } from "../system/safelist-places.ts";
import type { FileSystemStatus, System } from "../system/system.ts";
import type { Disk } from "../types/facts.ts";
import { bytes, percent } from "../types/quantities.ts";
import type { Config } from "../types/settings.ts";
import type { Collect } from "./collector.ts";
import { count, list } from "./words.ts";

/** A local disk answers in microseconds; a network file system whose server is gone, never. */
const answerWithinMs = 1_000;
/**
 * A question that gets no answer keeps one of Node's four threads for file and name look-ups busy, and nothing can
 * take it back. Two dead mounts are the most that Argus asks.
 */
const maxStuck = 2;

/** @param config without it nobody asks what may be cleaned. */
export function createDiskCollector(system: System, config?: Pick<Config, "settings" | "logDir">): Collect {
  const { files, clock } = system;
  /** Mount points with an open question, from whatever cycle. */
  const stuck = new Set<string>();

  async function ask({ mount }: Mount, signal: AbortSignal): Promise<FileSystemStatus | null> {
    stuck.add(mount);
    const answer = files.statfs(mount).finally(() => stuck.delete(mount));
    const limit = new AbortController();
    const late = clock.sleep(answerWithinMs, AbortSignal.any([limit.signal, signal])).then(() => null);
    try {
      return await Promise.race([answer, late]);
    } finally {
      limit.abort();
      answer.catch(() => undefined); // of a late answer nobody is left to be told
    }
  }

  return async ({ signal }) => {
    const all = parseMountInfo(readMountInfo(files));
    const mounts = realFileSystems(all);
    const cleanable = config === undefined ? null : cleanableFolders(system, config, all);
    const disks: Disk[] = [];
    const silent: string[] = [];
    const unreadable: string[] = [];
    const look = async (mount: Mount) => {
      if (stuck.has(mount.mount) || (mayHang(mount.type) && stuck.size >= maxStuck)) {
        silent.push(mount.mount);
        return;
      }
      try {
        const status = await ask(mount, signal);
        if (status === null) silent.push(mount.mount);
        else if (status.totalBytes > 0) disks.push(toDisk(mount, status, cleanable?.(mount)));
      } catch (error) {
        unreadable.push(`${mount.mount} (${error instanceof Error && "code" in error ? error.code : error})`);
      }
    };
    await Promise.all(mounts.filter((mount) => !mayHang(mount.type)).map(look));
    // One after the other, so that never more than the last one is in question.
    for (const mount of mounts.filter((each) => mayHang(each.type))) await look(mount);
    if (disks.length === 0) throw new Error(`no file system could be measured${trouble(silent, unreadable)}`);
    disks.sort((a, b) => (a.mount < b.mount ? -1 : 1));
    return { facts: { disk: disks }, detail: sentence(disks) + trouble(silent, unreadable) };
  };
}

function cleanableFolders(
  system: System,
  { settings, logDir }: Pick<Config, "settings" | "logDir">,
  mounts: readonly Mount[],
): (mount: Mount) => string[] {
  const folders = safelist(homesOf(system, settings.homes ?? null), logDir);
  const found = foldersByFileSystem(system.files, folders, mounts);
  return ({ deviceNumber }) => found.get(deviceNumber) ?? [];
}

export function toDisk(
  { mount, device, type }: Mount,
  status: FileSystemStatus,
  cleanableRoots?: string[],
): Disk {
  const { totalBytes, freeBytes, availableBytes, inodes, inodesFree } = status;
  const usedBytes = totalBytes - freeBytes;
  const usable = usedBytes + availableBytes; // what is kept back for root is in neither, as df has it
  return {
    mount,
    device,
    type,
    totalBytes,
    usedBytes,
    availableBytes,
    usedPercent: usable === 0 ? 0 : (usedBytes / usable) * 100,
    inodesUsedPercent: inodes === 0 ? null : ((inodes - inodesFree) / inodes) * 100,
    ...(cleanableRoots === undefined ? {} : { cleanableRoots }),
    fullInHours: null,
  };
}

function sentence(disks: readonly Disk[]): string {
  const fullest = disks.reduce((most, disk) => (disk.usedPercent > most.usedPercent ? disk : most));
  const left = `${bytes(fullest.availableBytes)} left`;
  return `${count(disks.length, "file system")}; fullest ${fullest.mount} at ${percent(fullest.usedPercent)}, ${left}`;
}

function trouble(silent: readonly string[], unreadable: readonly string[]): string {
  const parts = [];
  if (silent.length > 0) parts.push(`; no answer from ${list(silent)}`);
  if (unreadable.length > 0) parts.push(`; ${list(unreadable)} cannot be measured`);
  return parts.join("");
}
