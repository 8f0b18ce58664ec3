/** What a cleaning removed, a JSON line each: a head, the entries in the order in which they went, and an end. */
import * as z from "zod";

export const ManifestHead = z.strictObject({
  kind: z.literal("head"),
  version: z.literal(1),
  cycle: z.string(),
  /** Who asked: `rule:NAME`, `llm:MODEL`, `operator`. */
  source: z.string(),
  problem: z.string(),
  /** Mount point; null: all of them. */
  target: z.string().nullable(),
  maxAgeDays: z.number(),
  /** ISO 8601. */
  begun: z.string(),
});
export type ManifestHead = z.infer<typeof ManifestHead>;

export const ManifestEntry = z.strictObject({
  path: z.string(),
  /** Only where the path is not UTF-8: its bytes, a character each (latin1). `path` is what can be shown of it. */
  pathBytes: z.string().optional(),
  kind: z.enum(["file", "directory", "link", "socket", "pipe", "special"]),
  /** Length, as `ls` shows it; of a directory with `entries`, the disk space of all of them. */
  sizeBytes: z.number(),
  uid: z.number(),
  /** Name of the owner; null when /etc/passwd has none. */
  user: z.string().nullable(),
  /** The newest of its time stamps that count, ISO 8601. */
  newest: z.string(),
  /** Folder of the safelist. */
  root: z.string(),
  /** A directory, with so many more below it that are not listed one by one: the manifest has its full size. */
  entries: z.number().optional(),
});
export type ManifestEntry = z.infer<typeof ManifestEntry>;

/** The entry before it was not removed after all: it changed at the last moment, or the system refused. */
export const ManifestStayed = z.strictObject({ kind: z.literal("stayed"), path: z.string() });

export const ManifestEnd = z.strictObject({
  kind: z.literal("end"),
  /** ISO 8601. */
  ended: z.string(),
  /** What went as a whole, and files, links, directories in all. */
  units: z.number(),
  entries: z.number(),
  bytesReclaimed: z.number(),
  /** How many of the entries have no line of their own. */
  notListed: z.number(),
  /** Whether the cleaning came to its end. */
  complete: z.boolean(),
});
export type ManifestEnd = z.infer<typeof ManifestEnd>;
