import { dirname, join } from "node:path";
import { Argument, type Command, InvalidArgumentError } from "commander";
import { rootSocketOf } from "../execute/entrance.ts";
import { readModeSet, writeModeSet } from "../execute/mode-set.ts";
import { ExecutorView } from "../execute/view.ts";
import { folderNames, openStateDir } from "../record/state-dir.ts";
import { type ModeData, modeText } from "../report/mode.ts";
import { withVariable } from "../system/env-line.ts";
import { errorCode } from "../system/error-code.ts";
import { fileError } from "../system/file-error.ts";
import { createLink } from "../system/link/client.ts";
import { quoted } from "../system/names.ts";
import { reach } from "../system/reach.ts";
import { rewriteFile } from "../system/rewrite.ts";
import type { Files } from "../system/system.ts";
import { UserError, WorkError } from "../types/errors.ts";
import { isoTime } from "../types/moment.ts";
import { type Config, type Mode, modes } from "../types/settings.ts";
import { type Context, printJson } from "./context.ts";
import { mustChangeSettings, mustReadSettings } from "./other-user.ts";
import { reloadDaemon, runningDaemon, wakeDaemon } from "./wake-daemon.ts";
import { whoAsks } from "./who-asks.ts";

export function modeCommand(program: Command, context: Context): void {
  program
    .command("mode")
    .description("whether Argus may act or only watches, and what that means; with a mode: set it")
    .addArgument(new Argument("[mode]", "watch or act").choices(modes).argParser(parseMode))
    .option("--json", "print data instead of text")
    .action(async (wanted: Mode | undefined, { json = false }: { json?: boolean }) => {
      const effect = wanted === undefined ? null : await set(context, wanted);
      const config = context.config();
      if (config.modeSource.kind === "hidden") mustReadSettings(context, config.modeSource.file);
      const data = dataOf(context, config);
      const inForce = effect === null ? await modeOfExecutor(context, config) : effect.inForce;
      if (json) printJson(context, { ...data, inForce, ...(effect === null ? {} : { effect: effect.said }) });
      else
        for (const line of [...modeText(data), ...(effect === null ? [] : [effect.said])]) context.say(line);
      if (inForce !== null && inForce !== config.mode)
        throw new WorkError(
          `the executor ${inForce === "act" ? "acts all the same" : "only watches all the same"}: ARGUS_MODE is set in its own environment; take it out: systemctl edit argus-executor`,
        );
    });
}

function parseMode(text: string): Mode {
  const mode = modes.find((each) => each === text);
  if (mode === undefined) throw new InvalidArgumentError("It must be watch or act.");
  return mode;
}

function dataOf({ system }: Context, { mode, modeSource, dryRun, executorStateDir }: Config): ModeData {
  const { kind } = modeSource;
  const set = kind === "file" ? known(() => readModeSet(system.files, executorStateDir)) : null;
  const setBy = set?.mode === mode ? { by: set.by, at: set.at } : null;
  return { mode, source: modeSource, setBy, dryRun };
}

/** null: this user may not look there. */
function known<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

interface Effect {
  /** What the executor's process says it keeps to; null: there is none, or it does not answer. */
  readonly inForce: Mode | null;
  /** What happens now, in one sentence. */
  readonly said: string;
}

async function set(context: Context, mode: Mode): Promise<Effect> {
  const { env, system, command } = context;
  const { config } = context.settings();
  const path = join(dirname(config.settingsFile), "argus.env");
  const ofEnvironment = env["ARGUS_MODE"] ?? "";
  if (ofEnvironment !== "")
    throw new UserError(
      `ARGUS_MODE is ${quoted(ofEnvironment)} in the environment, which wins over ${path}; take it out there: unset ARGUS_MODE; ${command} mode ${mode}`,
    );
  mustChangeSettings(context, path);
  const faults = config.broken?.faults ?? [];
  // What is set in it would not be in force. argus pause needs no settings.
  if (faults.some((fault) => [":", " "].some((after) => fault.startsWith(`${path}${after}`))))
    throw new UserError(faults);
  if (config.mode === mode && config.modeSource.kind === "file")
    return { inForce: await modeOfExecutor(context, config), said: "It was set already." };
  setInFile(system.files, path, mode);
  noteWho(context, config, mode);
  return await takeUp(context, config);
}

/** Once the mode stands in the file: a mode that could not be written was set by nobody. */
function noteWho(context: Context, { executorStateDir }: Config, mode: Mode): void {
  const { system } = context;
  try {
    openStateDir(system, executorStateDir, folderNames.executor);
    const at = isoTime(system.clock.now());
    writeModeSet(system.files, executorStateDir, { mode, by: whoAsks(context), at });
  } catch (error) {
    const why = fileError("write", executorStateDir, error);
    if (!(why instanceof UserError)) throw error;
    context.warn(`who set the mode could not be noted: ${why.message}`);
  }
}

function setInFile(files: Files, path: string, mode: Mode): void {
  try {
    const isThere = reach(files, path).kind !== "nothing";
    if (!isThere && files.stat(path) !== null)
      throw new WorkError(
        `${path} is a link that leads nowhere; bring back the file that it leads to, or remove the link: sudo rm ${path}`,
      );
    const text = isThere ? files.read(path) : "";
    // What is no UTF-8 would come back as something else.
    if (text.includes("\u{fffd}"))
      throw new WorkError(
        `${path} holds bytes that are not UTF-8, which would be lost; write ARGUS_MODE=${mode} into it yourself`,
      );
    rewriteFile(files, path, withVariable(text, "ARGUS_MODE", mode));
  } catch (error) {
    if (["EBUSY", "EXDEV"].includes(errorCode(error)))
      throw new WorkError(
        `${path} is mounted there by itself (a bind mount), so Argus cannot replace it; write ARGUS_MODE=${mode} into it yourself`,
      );
    throw fileError("write", path, error);
  }
}

async function takeUp(context: Context, config: Config): Promise<Effect> {
  if (config.executorSocket === null) return { inForce: null, said: ofOneProcess(context, config) };
  const inForce = await modeOfExecutor(context, config);
  const woken = wakeDaemon(context, config) ? "; a cycle begins now" : "";
  return {
    inForce,
    said:
      inForce === null
        ? `The executor does not answer; it takes the mode up when it is asked for the next time${woken}.`
        : `The executor keeps to it from now on${woken}.`,
  };
}

function ofOneProcess(context: Context, config: Config): string {
  const daemon = runningDaemon(context, config);
  if (daemon === null) return "No daemon runs; the next run begins with it.";
  if (reloadDaemon(context, config))
    return "The daemon takes it up with its next cycle, which begins now; one that is under way ends first.";
  return daemon.what === "argus run"
    ? `The daemon could not be told; tell it: sudo kill -HUP ${daemon.pid}`
    : "A cycle is under way, and ends as it began; the next one begins with it.";
}

/** Asking makes it look at the settings. null: one process does it all, this user may not ask it, or it is not there. */
async function modeOfExecutor({ system }: Context, { executorSocket }: Config): Promise<Mode | null> {
  if (executorSocket === null || system.self.uid !== 0) return null;
  const link = createLink(rootSocketOf(executorSocket));
  try {
    return ExecutorView.parse(await link.ask("view", null)).mode;
  } catch {
    return null;
  } finally {
    link.close();
  }
}
