/** `argus clean`: what goes, what stays and why. */
import { blank, type Line, print, toned, wrap } from "./layout.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { bytes, count, grouped, percent } from "./values.ts";

export interface CleanData {
  readonly dryRun: boolean;
  readonly maxAgeDays: number;
  readonly bytesReclaimed: number;
  /** All of it: files, links, directories. */
  readonly entries: number;
  readonly removed: readonly { path: string; bytes: number; entries: number; why: string }[];
  readonly notListed: number;
  readonly kept: readonly { count: number; why: string }[];
  readonly keptExamples: readonly { path: string; why: string }[];
  readonly disks: readonly { mount: string; usedPercentBefore: number; usedPercentAfter: number }[];
  readonly passedOver: readonly { path: string; why: string }[];
  readonly notes: readonly string[];
}

const mostListed = 30;
const mostExamples = 10;

export function cleanReport(data: CleanData, style: Style): string {
  const listed = data.removed.slice(0, mostListed);
  const more = data.removed.length - listed.length + data.notListed;
  const section = (title: string, lines: readonly Line[]): Line[] =>
    lines.length === 0 ? [] : [blank, ...wrap(toned("strong", title), { style }), ...lines];
  const lines: Line[] = [
    ...wrap(toned("strong", headline(data)), { style, marked: "none" }),
    ...section(
      data.dryRun ? "Would go" : "Gone",
      table(
        listed.map((unit) => [
          bytes(unit.bytes),
          unit.path,
          toned("quiet", `${unit.entries > 1 ? `${grouped(unit.entries)} entries, ` : ""}${unit.why}`),
        ]),
        [{ align: "right" }, { wraps: true }, { wraps: true }],
        { style, indent: 2 },
      ),
    ),
    ...(more > 0 ? wrap(toned("quiet", `and ${grouped(more)} smaller`), { style, indent: 2 }) : []),
    ...section(
      "Stays",
      table(
        data.kept.map((each) => [grouped(each.count), each.why]),
        [{ align: "right" }, { wraps: true }],
        { style, indent: 2 },
      ),
    ),
    ...section(
      "Such as",
      table(
        data.keptExamples.slice(0, mostExamples).map(({ path, why }) => [path, toned("quiet", why)]),
        [{ wraps: true }, { wraps: true }],
        { style, indent: 2 },
      ),
    ),
    ...section(
      "Not looked through",
      table(
        data.passedOver.map(({ path, why }) => [path, why]),
        [{}, { wraps: true }],
        { style, indent: 2 },
      ),
    ),
    ...section(
      "Disks",
      table(
        data.disks.map((disk) => [
          disk.mount,
          `${percent(disk.usedPercentBefore)} ${style.unicode ? "→" : "->"} ${percent(disk.usedPercentAfter)}`,
        ]),
        [{}, { wraps: true }],
        { style, indent: 2 },
      ),
    ),
    ...section(
      "Note",
      data.notes.flatMap((note) => wrap(`· ${note}`, { style, indent: 2, hang: 4 })),
    ),
  ];
  return print(lines, style);
}

function headline({ dryRun, maxAgeDays, bytesReclaimed, entries }: CleanData): string {
  if (entries === 0) return `Nothing on the safelist is older than ${count(maxAgeDays, "day")}.`;
  const what = `${bytes(bytesReclaimed)} in ${grouped(entries)} ${entries === 1 ? "entry" : "entries"}, untouched for ${count(maxAgeDays, "day")} or more`;
  return dryRun ? `A cleaning would free ${what}.` : `Freed ${what}.`;
}
