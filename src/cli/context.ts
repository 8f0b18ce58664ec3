/** What every command is given: the machine, the environment, and where to print. */

import { loadConfig } from "../config.ts";
import { folderNames, lookIntoStateDir } from "../record/state-dir.ts";
import { createStyle, type Style } from "../report/style.ts";
import { createSystem } from "../system/machine.ts";
import { reach } from "../system/reach.ts";
import type { System } from "../system/system.ts";
import type { Config } from "../types/settings.ts";

export interface Invocation {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDir: string;
  readonly programDir: string;
}

export interface Context extends Invocation {
  readonly system: System;
  readonly style: Style;
  /** How this Argus is called from here: `argus` where that is found on the path, else `npx argus`, as in a clone. */
  readonly command: string;
  /** Read at each call, so that SIGHUP gets the files as they are then. Throws UserError. */
  readonly config: () => Config;
  print(text: string): void;
  warn(text: string): void;
  /** Exit status to end with: 0 fine, 1 the work failed, 2 wrong usage or settings. */
  exit(status: 0 | 1 | 2): void;
}

/** The settings, for commands that read the state: its folders are looked at first. Throws UserError. */
export function lookAtState({ system, config }: Pick<Context, "system" | "config">): Config {
  const settings = config();
  const { stateDir, logDir, executorStateDir } = settings;
  lookIntoStateDir(system, stateDir, folderNames.state);
  lookIntoStateDir(system, logDir, folderNames.logs);
  if (executorStateDir !== stateDir) lookIntoStateDir(system, executorStateDir, folderNames.executor);
  return settings;
}

export function printJson(context: Context, value: unknown): void {
  context.print(JSON.stringify(value, null, 2));
}

export function createContext(invocation: Invocation, exit: Context["exit"]): Context {
  const system = createSystem();
  const folders = (invocation.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const isInstalled = folders.some((folder) => reach(system.files, `${folder}/argus`).kind === "file");
  return {
    ...invocation,
    system,
    command: isInstalled ? "argus" : "npx argus",
    style: createStyle({
      env: invocation.env,
      isTerminal: process.stdout.isTTY ?? false,
      columns: process.stdout.columns,
    }),
    config: () => loadConfig({ ...invocation, system }),
    print: (text) => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`),
    warn: (text) => void process.stderr.write(`argus: ${text}\n`),
    exit,
  };
}
