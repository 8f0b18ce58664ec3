/** What every command is given: the machine, the environment, and where to print. */

import { keepWatching } from "../execute/mode-set.ts";
import { folderNames, lookIntoStateDir } from "../record/state-dir.ts";
import { unwrittenSentence } from "../record/unwritten.ts";
import { brokenSentence } from "../report/broken.ts";
import { createStyle, type Style } from "../report/style.ts";
import { type copiesFolder, type SettingsInForce, settingsInForce } from "../settings-in-force.ts";
import { createSystem } from "../system/machine.ts";
import { printable, stringify } from "../system/printable.ts";
import { reach } from "../system/reach.ts";
import { redact, redactDeep } from "../system/redact/redact.ts";
import type { System } from "../system/system.ts";
import { UserError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import { mustReachExecutor, mustReadState } from "./other-user.ts";
import { columnsOf, openTerminal, type Terminal, wrapWords } from "./terminal.ts";

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
  /**
   * Read at each call, so that SIGHUP gets the files as they are then. While one is broken its last good copy counts,
   * which is said once; `broken` has the faults. Throws UserError.
   */
  readonly config: () => Config;
  /** The same with the texts of the files, for who keeps copies; it says nothing. */
  readonly settings: (folderOf?: typeof copiesFolder) => SettingsInForce;
  /** Lines that Argus made, without the secrets in them. */
  print(text: string): void;
  /** What is free of them already: JSON, or a program. */
  printRaw(text: string): void;
  /** One sentence, on one line, whatever stands in it. */
  say(sentence: string): void;
  /** The same to standard error, or several of them. */
  warn(said: string | readonly string[]): void;
  readonly terminal: Terminal;
  /** Exit status to end with: 0 fine, 1 the work failed, 2 wrong usage or settings. */
  exit(status: 0 | 1 | 2): void;
}

/**
 * The settings, for commands that read the state: its folders are looked at first. Throws UserError.
 * @param saysAge whether a daemon that cannot write is said, on standard error.
 */
export function lookAtState(context: Context, saysAge = true): Config {
  const settings = context.config();
  lookAtFolders(context.system, settings);
  mustReadState(context, settings);
  if (saysAge) sayAge(context, settings);
  return settings;
}

function sayAge({ system, warn }: Context, settings: Config): void {
  try {
    const sentence = unwrittenSentence(system.files, settings, system.clock.now().bootId);
    if (sentence !== null) warn(sentence);
  } catch (error) {
    // The state of the cycles is not Argus's file: that is `argus status`'s to say, and no other command needs it.
    if (!(error instanceof UserError)) throw error;
  }
}

/** The same for commands that change what the executor keeps: who may not is given the command of who may, at once. */
export function lookAtStateToChange(context: Context): Config {
  mustReachExecutor(context, context.config(), "write");
  return lookAtState(context);
}

/** Refuses what others could have put there. */
export function lookAtFolders(system: System, { stateDir, logDir, executorStateDir }: Config): void {
  lookIntoStateDir(system, stateDir, folderNames.state);
  lookIntoStateDir(system, logDir, folderNames.logs);
  if (executorStateDir !== stateDir) lookIntoStateDir(system, executorStateDir, folderNames.executor);
}

/** Commands with a place of their own for broken settings, and one that runs while somebody types. */
const sayThemselves = ["run", "executor", "status", "doctor", "check", "completion"];

export function printJson(context: Context, value: unknown): void {
  // As data, so that what is taken out breaks no JSON; the text is printed as it is.
  context.printRaw(stringify(redactDeep(value), 2));
}

/**
 * The same for an array of any length: its text is never held as a whole.
 * @param around an object in which it is the last field, of this name.
 */
export async function printJsonList(
  context: Context,
  values: Iterable<unknown>,
  around: { readonly object: object; readonly name: string } | null = null,
): Promise<void> {
  const [before, after] = around === null ? ["", ""] : frameOf(around);
  const end = around === null ? "\n" : "\n  ";
  let text = `${before}[`;
  let isFirst = true;
  for (const value of values) {
    text += isFirst ? "\n" : ",\n";
    isFirst = false;
    if (text.length > piece) {
      if (!(await context.terminal.outWhole(text))) return;
      text = "";
    }
    const lines = stringify(redactDeep([value]), 2).slice(2, -2);
    text += around === null ? lines : lines.replace(/^/gm, "  ");
  }
  await context.terminal.outWhole(`${text}${isFirst ? "" : end}]${after}\n`);
}

/** What stands in front of the array, and behind it. */
function frameOf({ object, name }: { readonly object: object; readonly name: string }): [string, string] {
  const text = stringify(redactDeep({ ...object, [name]: [] }), 2);
  const at = text.lastIndexOf("[]");
  return [text.slice(0, at), text.slice(at + 2)];
}

/** So much is printed at once. */
const piece = 65_536;

export function createContext(invocation: Invocation, exit: Context["exit"]): Context {
  const system = createSystem({ bootId: invocation.env["ARGUS_BOOT_ID"] });
  const terminal = openTerminal();
  const print = (text: string) => terminal.out(text.endsWith("\n") ? text : `${text}\n`);
  const folders = (invocation.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const settings = (folderOf?: typeof copiesFolder): SettingsInForce => {
    const { config, texts } = settingsInForce({ ...invocation, system }, folderOf);
    return { config: keepWatching(system.files, config), texts };
  };
  const warn = (said: string | readonly string[]): void =>
    terminal.err(
      `${[said]
        .flat()
        .map((each, index) => `${index === 0 ? "argus: " : ""}${printable(redact(each))}`)
        .map((line) => wrapWords(line, columnsOf(process.stderr)))
        .join("\n")}\n`,
    );
  let wasSaid = sayThemselves.includes(invocation.argv[2] ?? "");
  const isInstalled = folders.some((folder) => reach(system.files, `${folder}/argus`).kind === "file");
  return {
    ...invocation,
    system,
    command: isInstalled ? "argus" : "npx argus",
    style: {
      ...createStyle({
        env: invocation.env,
        isTerminal: process.stdout.isTTY ?? false,
        columns: process.stdout.columns,
      }),
      ink: terminal.ink,
    },
    config: () => {
      const { config } = settings();
      if (config.broken !== undefined && !wasSaid) warn(brokenSentence(config.broken));
      wasSaid = true;
      return config;
    },
    settings,
    terminal,
    print: (text) => print(redact(text)),
    printRaw: print,
    say: (sentence) => terminal.out(`${wrapWords(printable(redact(sentence)), columnsOf(process.stdout))}\n`),
    warn,
    exit,
  };
}
