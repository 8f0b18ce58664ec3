/** What the mode is called, and what it means: the same words wherever it is named. */
import { utc } from "../types/quantities.ts";
import type { Mode, ModeSource } from "../types/settings.ts";

/** Completes `Mode: `, on top of reports; what Argus may do as a rule is not said there. */
export const watchOnly = "watch-only";
export const watchMeans = "Argus looks and alerts, and changes nothing (argus mode act lets it act)";

/** The first line of a daemon's or executor's log. */
export const startedAs = (mode: Mode): string =>
  mode === "watch" ? `started, ${watchOnly}: nothing on this machine is changed` : "started";

export interface ModeData {
  readonly mode: Mode;
  readonly source: ModeSource;
  /** null: not by `argus mode`, or this user may not know. */
  readonly setBy: { readonly by: string; readonly at: string } | null;
  readonly dryRun: boolean;
}

const meanings: Readonly<Record<Mode, string>> = {
  watch:
    "Argus looks, alerts, and records what it would have done. It restarts, kills and cleans nothing, and starts no coding agent. `argus mode act` lets it act.",
  act: "Argus looks, alerts, and does on this machine what its rules ask for and the settings allow, within its budgets. `argus mode watch` lets it only look and alert.",
};

/** A line each. */
export function modeText({ mode, source, setBy, dryRun }: ModeData): string[] {
  const who = setBy === null ? "" : `, by ${setBy.by} at ${utc(setBy.at)}`;
  return [
    `Mode: ${mode === "watch" ? watchOnly : mode} (${sourceWords(source)}${who})`,
    meanings[mode],
    ...(dryRun
      ? ["ARGUS_DRY_RUN is set as well: nothing is changed, and nobody is notified, whatever the mode."]
      : []),
  ];
}

function sourceWords(source: ModeSource): string {
  switch (source.kind) {
    case "environment":
      return "ARGUS_MODE in the environment";
    case "default":
      return "the default; ARGUS_MODE is not set";
    case "kept":
      return "as argus.env said before; it says nothing of ARGUS_MODE any more";
    case "file":
      return `ARGUS_MODE in ${source.file}, line ${source.line}`;
    case "unclear":
      return `because ${source.variable} in the environment is unclear`;
    case "broken":
      return `because ${source.file} cannot be used, and no good copy of it is kept`;
    case "hidden":
      return `because this user may not read ${source.file}`;
  }
}
