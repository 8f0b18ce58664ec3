/** What is set under a name of the first Argus, as the settings of today: none of it is ever a fault. */
import { join } from "node:path";
import { type Variable, type VariableName, variables } from "../../types/variables.ts";
import type { EnvFile } from "../env-file.ts";
import { lookUp, type Value } from "../env-values.ts";
import { quoted } from "../names.ts";
import { oneLine } from "../printable.ts";
import { reach } from "../reach.ts";
import type { System } from "../system.ts";
import { formerSetting } from "./settings-table.ts";

export interface FormerGiven {
  /** Under their names of today, as far as those are not set themselves. */
  readonly values: ReadonlyMap<VariableName, Value>;
  /** `tickets.directory` of argus.json. */
  readonly ticketsDirectory: string | null;
  readonly cleanDryRun: boolean;
  /** A sentence for each that is not used, or that keeps Argus from something. */
  readonly notes: readonly string[];
}

export interface FormerSource {
  readonly system: Pick<System, "files" | "self">;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envFile: EnvFile;
  /** The absolute path that a value names where it stands. */
  readonly pathOf: (value: Value) => string;
  /** Of argus.json. */
  readonly hasTicketsDirectory: boolean;
}

export function formerGiven({
  system,
  env,
  envFile,
  pathOf,
  hasTicketsDirectory,
}: FormerSource): FormerGiven {
  const values = new Map<VariableName, Value>();
  const notes: string[] = [...envFile.notes];
  let ticketsDirectory: string | null = null;
  let cleanDryRun = false;
  const names = new Set([...Object.keys(env), ...envFile.values.keys()]);

  /** null, and a note: it is not there, or Argus could not write in it. */
  function folderOf(name: string, value: Value): string | null {
    const path = pathOf(value);
    const reached = reach(system.files, path);
    const { uid } = system.self;
    const why =
      reached.kind === "directory"
        ? uid === 0 || reached.status.uid === uid || (reached.status.mode & 0o022) !== 0
          ? null
          : "in which this user may not write"
        : reached.kind === "forbidden"
          ? "which this user cannot reach"
          : "where there is no folder";
    if (why === null) return path;
    notes.push(`${name} (of the first Argus) names ${oneLine(path, 200)}, ${why}: it is not used`);
    return null;
  }

  for (const name of names) {
    const former = formerSetting(name);
    const value = lookUp(name, env, envFile);
    if (former === null || value === null) continue;
    const isSet = former.name !== undefined && lookUp(former.name, env, envFile) !== null;
    const unused = (why: string) => void notes.push(`${name} (of the first Argus) is not used: ${why}`);
    if (isSet) unused(`${former.name} is set`);
    else if (former.said !== undefined) unused(oneLine(former.said(value.text), 500));
    else if (name === "DEDUP_WINDOW")
      values.set("ARGUS_DEDUP_WINDOW", inRange(name, "ARGUS_DEDUP_WINDOW", value, notes));
    else if (name === "ARGUS_MEMORY_DIR") {
      const folder = folderOf(name, value);
      if (folder !== null)
        values.set("ARGUS_OBSERVATIONS_FILE", { ...value, text: join(folder, "observations.md") });
    } else if (name === "ARGUS_BEADS_WORKDIR") {
      if (hasTicketsDirectory) unused("tickets.directory is set in argus.json");
      else ticketsDirectory = folderOf(name, value);
    } else if (name === "ARGUS_RELAY_SUMMARY_ENABLED") {
      if (isNo(value)) values.set("ARGUS_SUMMARY_AT", { ...value, text: "never" });
    } else if (name === "ARGUS_DISK_CLEAN_DRY_RUN" && !isNo(value)) {
      cleanDryRun = true;
      notes.push(
        `${name} is ${quoted(value.text)}: disks are not cleaned, Argus only says what would go; take it out of the settings to let it clean`,
      );
    }
  }
  return { values, ticketsDirectory, cleanDryRun, notes };
}

/** What is not clearly a no is a yes: of a setting that keeps files from being removed, that is the safe reading. */
const isNo = ({ text }: Value): boolean => ["false", "0", "no", "off"].includes(text.trim().toLowerCase());

function inRange(name: string, as: VariableName, value: Value, notes: string[]): Value {
  const row: Variable = variables[as];
  if (row.kind !== "integer") throw new Error(`${as} is no number`);
  const number = /^-?\d{1,15}$/.test(value.text) ? Number(value.text) : Number.NaN;
  const taken = Number.isNaN(number) ? row.fallback : Math.min(row.max, Math.max(row.min, number));
  if (taken !== number)
    notes.push(
      `${name} (of the first Argus) is ${quoted(value.text)}: ${as} is ${taken} ${row.unit}, which may be ${row.min} to ${row.max}`,
    );
  return { ...value, text: String(taken) };
}
