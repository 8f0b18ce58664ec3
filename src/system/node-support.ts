/** How long Node's makers support the one that this process runs on, by the table that install.sh reads as well. */
import { join } from "node:path";
import * as z from "zod";
import type { Files } from "./system.ts";

const Releases = z.object({ endOfSupport: z.record(z.string(), z.iso.date()) });

/**
 * @param version as `process.version` has it.
 * @returns the day on which support ended; null while it has not, for a Node that is newer than the table, and without a table.
 */
export function supportEnded(
  files: Pick<Files, "tryRead">,
  programDir: string,
  version: string,
  nowMs: number,
): string | null {
  const text = files.tryRead(join(programDir, "docs/node-releases.json"));
  if (text === null) return null;
  const end = Releases.parse(JSON.parse(text)).endOfSupport[majorOf(version)];
  return end !== undefined && new Date(nowMs).toISOString().slice(0, 10) > end ? end : null;
}

export const majorOf = (version: string): string => version.replace(/^v/, "").split(".")[0] ?? "";

/** @param day as 2026-04-30. @returns "April 2026". */
export const monthOf = (day: string): string =>
  new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(day));
