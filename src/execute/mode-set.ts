/** `mode.json`: who set the mode with `argus mode`, and when. The mode itself stands in argus.env. */
import { join } from "node:path";
import * as z from "zod";
import { stringify } from "../system/printable.ts";
import { redactDeep } from "../system/redact/redact.ts";
import { RefusedFile } from "../system/refused.ts";
import type { Files } from "../system/system.ts";
import { utc } from "../types/quantities.ts";
import { modes } from "../types/settings.ts";

export const ModeSet = z.strictObject({
  version: z.literal(1),
  mode: z.enum(modes),
  by: z.string().max(256),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
});
export type ModeSet = z.infer<typeof ModeSet>;

const fileOf = (stateDir: string): string => join(stateDir, "mode.json");

/** null: nobody did, or it cannot be understood. It decides nothing. */
export function readModeSet(files: Files, stateDir: string): ModeSet | null {
  try {
    return ModeSet.safeParse(JSON.parse(files.tryRead(fileOf(stateDir), "own") ?? "")).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RefusedFile) return null;
    throw error;
  }
}

export function writeModeSet(files: Files, stateDir: string, set: Omit<ModeSet, "version">): void {
  files.makeDirectory(stateDir);
  files.writeAtomic(fileOf(stateDir), `${stringify(redactDeep(ModeSet.parse({ version: 1, ...set })))}\n`);
}

/** For the decision log. */
export const modeSentence = (mode: ModeSet["mode"], set: ModeSet | null): string => {
  const what = mode === "watch" ? "Argus only watches from now on" : "Argus may act from now on";
  return set?.mode === mode ? `${what}: ${set.by} set the mode at ${utc(set.at)}` : `${what} (ARGUS_MODE)`;
};
