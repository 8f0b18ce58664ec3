/** What a cleaning comes to: whether it helped, and the sentence about it. */
import type { CleanReport, RemovedBrief } from "../../types/clean.ts";
import { bytes, percent } from "../../types/quantities.ts";
import { describeClean } from "./describe.ts";

/** One that freed nothing is no success: the disk is as full as it was, and somebody has to know. */
export function ofCleaning(report: CleanReport): { ok: boolean; detail: string } {
  const ok = !report.interrupted && report.bytesReclaimed > 0;
  return { ok, detail: inWords(report) };
}

const mostLargest = 10;

/** The largest are in the record, for who may not read the manifest. */
export function valuesOf(report: CleanReport): Record<string, unknown> {
  const { bytesReclaimed, units, entries, before, after, unseenProcesses, manifest } = report;
  const largest: RemovedBrief[] = report.removed
    .slice(0, mostLargest)
    .map(({ path, bytes, untouchedDays }) => ({ path, bytes, untouchedDays }));
  return {
    bytesReclaimed,
    units,
    entries,
    before,
    after,
    unseenProcesses,
    ...(manifest === undefined ? {} : { manifest }),
    ...(largest.length === 0 ? {} : { largest }),
  };
}

/** `freed 1.2 GB: / 93.1 % -> 81.0 %` */
function inWords(report: CleanReport): string {
  const disks = report.before.map(({ mount, usedPercent }) => {
    const after = report.after.find((each) => each.mount === mount)?.usedPercent ?? usedPercent;
    return `${mount} ${percent(usedPercent)} -> ${percent(after)}`;
  });
  const freed = report.bytesReclaimed > 0 ? `freed ${bytes(report.bytesReclaimed)}` : whyNothing(report);
  return disks.length === 0 ? freed : `${freed}: ${disks.join(", ")}`;
}

function whyNothing(report: CleanReport): string {
  if (report.units > 0) {
    const what = report.entries === 1 ? "1 entry, which takes" : `${report.entries} entries, which take`;
    return `freed nothing by removing ${what} no space, or not the last of its names`;
  }
  if (report.interrupted) return "freed nothing before it was stopped";
  const [error] = report.errors;
  if (error !== undefined) return `freed nothing (${error})`;
  const stays = describeClean({ ...report, kept: { ...report.kept, young: 0, own: 0 } }).kept;
  if (stays.length === 0) return "freed nothing, because nothing is old enough";
  const reasons = stays.slice(0, 3).map(({ count, why }) => `${count} ${why}`);
  return `freed nothing, because what is old has to stay (${reasons.join("; ")})`;
}
