/** The silences in force. */
import { printable } from "../system/printable.ts";
import { type Line, print, spansOf, type Text, toned, wrap } from "./layout.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { oneLine } from "./text.ts";
import { minute } from "./values.ts";

export interface SilenceData {
  readonly id: string;
  readonly match: Readonly<Record<string, string | undefined>>;
  readonly until: string;
  readonly reason: string;
  readonly by: string;
  readonly actions: boolean;
}

/** `rule disk-full, subject /data` */
export const matchText = (match: SilenceData["match"]): string =>
  Object.entries(match)
    .map(([name, value]) => `${name} ${printable(value ?? "")}`)
    .join(", ");

export function silencesReport(silences: readonly SilenceData[], style: Style): string {
  if (silences.length === 0) return "Nothing is silenced.";
  return print(silenceRows(silences, { style, indent: 0 }), style);
}

/** Less has no room for all of it beside each other, and a key that breaks in two cannot be copied. */
const narrow = 100;

export function silenceRows(
  silences: readonly SilenceData[],
  layout: { style: Style; indent: number },
): Line[] {
  const rows = silences.map(({ id, match, until, reason, by, actions }): [Text, string, string, string] => [
    toned("strong", id),
    matchText(match),
    `until ${minute(until)} UTC`,
    `${by}: ${oneLine(reason)}${actions ? " (actions too)" : ""}`,
  ]);
  if (layout.style.width >= narrow) return table(rows, [{}, { wraps: true }, {}, { wraps: true }], layout);
  const further = layout.indent + 2;
  return rows.flatMap(([id, match, until, reason]) => [
    ...wrap([...spansOf(id), `  ${match}`], { ...layout, hang: further }),
    ...wrap(`${until}, ${reason}`, { ...layout, indent: further }),
  ]);
}
