/** What a cleaning removed, as its record says it: the largest, and where the rest is listed. */
import * as z from "zod";
import type { ActionRecord } from "../types/action.ts";
import { RemovedBrief } from "../types/clean.ts";
import { type Line, toned, wrap } from "./layout.ts";
import type { Style } from "./style.ts";
import { bytes, count, grouped } from "./values.ts";

const Values = z.object({
  units: z.number(),
  largest: z.array(RemovedBrief),
  manifest: z.string().optional(),
});
const mostNamed = 5;

export function removedLines(
  { values }: ActionRecord,
  layout: { style: Style; indent: number; hang: number },
): Line[] {
  const parsed = Values.safeParse(values);
  if (!parsed.success) return [];
  const { units, largest, manifest } = parsed.data;
  const named = largest
    .slice(0, mostNamed)
    .map(
      ({ path, bytes: size, untouchedDays }) =>
        `${path} (${bytes(size)}, untouched for ${count(untouchedDays, "day")})`,
    );
  const rest = units - named.length;
  const where = manifest === undefined ? "" : ` in the list of it: argus clean --last, or ${manifest}`;
  const more = rest > 0 ? [`${grouped(rest)} more${where}`] : manifest === undefined ? [] : [`all${where}`];
  return wrap([toned("quiet", "removed: "), [...named, ...more].join(", ")], layout);
}
