/** What every command is given: the machine, the environment, and where to print. */

import { loadConfig } from "../config.ts";
import { createStyle, type Style } from "../report/style.ts";
import { createSystem } from "../system/machine.ts";
import { reach } from "../system/reach.ts";
import { redact, redactDeep } from "../system/redact/redact.ts";
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
  /** Without the secrets in it. */
  print(text: string): void;
  /** What is free of them already, or a program. */
  printRaw(text: string): void;
  warn(text: string): void;
  /** Exit status to end with: 0 fine, 1 the work failed, 2 wrong usage or settings. */
  exit(status: 0 | 1 | 2): void;
}

export function printJson(context: Context, value: unknown): void {
  // As data, so that what is taken out breaks no JSON; the text is printed as it is.
  context.printRaw(JSON.stringify(redactDeep(value), null, 2));
}

const print = (text: string): void => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);

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
    print: (text) => print(redact(text)),
    printRaw: print,
    warn: (text) => void process.stderr.write(`argus: ${redact(text)}\n`),
    exit,
  };
}
