/** `argus clean --last`: what the last cleaning removed. */
import type { ManifestEnd, ManifestEntry, ManifestHead } from "../types/manifest.ts";
import { blank, type Line, print, toned, wrap } from "./layout.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { bytes, count, dayAndTime, grouped } from "./values.ts";

export interface CleanLastData {
  readonly file: string;
  readonly head: ManifestHead;
  readonly entries: readonly ManifestEntry[];
  readonly end: ManifestEnd | null;
  readonly laterEmpty: number;
}

const mostListed = 30;
const numberIn = ({ entries = 1 }: ManifestEntry): number => entries;

export function cleanLastReport(data: CleanLastData, style: Style): string {
  const { file, head, entries, end, laterEmpty } = data;
  const roots = byRoot(entries);
  const largest = [...entries].sort((a, b) => b.sizeBytes - a.sizeBytes).slice(0, mostListed);
  const more = entries.length - largest.length;
  const section = (title: string, lines: readonly Line[]): Line[] =>
    lines.length === 0 ? [] : [blank, ...wrap(toned("strong", title), { style }), ...lines];
  const where = head.target === null ? "all disks" : head.target;
  const asked = `${dayAndTime(head.begun)} UTC, on ${where}, asked for by ${head.source} in cycle ${head.cycle}; from an age of ${count(head.maxAgeDays, "day")}.`;
  const lines: Line[] = [
    ...wrap(toned("strong", headline(data)), { style }),
    ...wrap(asked, { style }),
    ...section(
      "By folder",
      table(
        [...roots].map(([root, all]) => [
          bytes(sum(all, ({ sizeBytes }) => sizeBytes)),
          root,
          toned("quiet", count(sum(all, numberIn), "entry", "entries")),
        ]),
        [{ align: "right" }, { wraps: true }, {}],
        { style, indent: 2 },
      ),
    ),
    ...section(
      "Largest",
      table(
        largest.map((entry) => [
          bytes(entry.sizeBytes),
          entry.path,
          toned(
            "quiet",
            `${entry.entries === undefined ? entry.kind : `${grouped(entry.entries)} entries`} of ${entry.user ?? entry.uid}, last touched ${entry.newest.slice(0, 10)}`,
          ),
        ]),
        [{ align: "right" }, { wraps: true }, { wraps: true }],
        { style, indent: 2 },
      ),
    ),
    ...(more > 0
      ? wrap(toned("quiet", `and ${grouped(more)} smaller; --json has them all`), { style, indent: 2 })
      : []),
    ...section(
      "Note",
      notesOf(end, laterEmpty).flatMap((note) => wrap(note, { style, indent: 2 })),
    ),
    blank,
    ...wrap(toned("quiet", file), { style }),
  ];
  return print(lines, style);
}

function byRoot(entries: readonly ManifestEntry[]): Map<string, ManifestEntry[]> {
  const roots = new Map<string, ManifestEntry[]>();
  for (const entry of entries) {
    const known = roots.get(entry.root);
    if (known === undefined) roots.set(entry.root, [entry]);
    else known.push(entry);
  }
  return roots;
}

function headline({ entries, end }: CleanLastData): string {
  const number = end?.entries ?? sum(entries, numberIn);
  if (number === 0) return "The last cleaning removed nothing.";
  const freed = end === null ? "" : `, which freed ${bytes(end.bytesReclaimed)}`;
  return `The last cleaning removed ${grouped(number)} ${number === 1 ? "entry" : "entries"}${freed}.`;
}

function notesOf(end: ManifestEnd | null, laterEmpty: number): string[] {
  const notes: string[] = [];
  if (end === null) notes.push("it was cut off: the last of the entries may still be there");
  else if (!end.complete) notes.push("it was stopped before its end");
  if (end !== null && end.notListed > 0)
    notes.push(`${grouped(end.notListed)} entries are not listed one by one: the list had its full size`);
  if (laterEmpty > 0) notes.push(`${count(laterEmpty, "later cleaning")} removed nothing`);
  return notes;
}

function sum<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((total, each) => total + of(each), 0);
}
