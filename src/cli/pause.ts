import type { Command } from "commander";
import { clearPause, readPause, writePause } from "../execute/pause.ts";
import { folderNames, openStateDir } from "../record/state-dir.ts";
import { isoTime } from "../types/moment.ts";
import { utc } from "../types/quantities.ts";
import { type Context, lookAtStateToChange } from "./context.ts";
import { parseDuration } from "./duration.ts";
import { mustReachExecutor } from "./other-user.ts";
import { wakeDaemon } from "./wake-daemon.ts";
import { whoAsks } from "./who-asks.ts";

export function pauseCommand(program: Command, context: Context): void {
  program
    .command("pause")
    .description("stop all actions but alerts and notes; the watching goes on")
    .option("--for <time>", "such as 30m, 2h or 1d; without it until `argus resume`", parseDuration)
    .option("--reason <text>", "shown by `argus status`", "no reason given")
    .action((options: { for?: number; reason: string }) => {
      const { system, config } = { system: context.system, config: context.config() };
      mustReachExecutor(context, config, "write");
      openStateDir(system, config.executorStateDir, folderNames.executor);
      const now = system.clock.now();
      const until =
        options.for === undefined ? null : isoTime({ ...now, wallMs: now.wallMs + options.for * 1000 });
      writePause(
        system.files,
        config.executorStateDir,
        { until, reason: options.reason, since: isoTime(now), by: whoAsks(context) },
        context.warn,
      );
      context.say(
        `Paused ${until === null ? "until `argus resume`" : `until ${utc(until)}`}: no restarts, kills or cleaning; alerts and notes go on.`,
      );
    });
}

export function resumeCommand(program: Command, context: Context): void {
  program
    .command("resume")
    .description("end a pause")
    .action(() => {
      const { system, config } = { system: context.system, config: lookAtStateToChange(context) };
      const pause = readPause(system.files, config.executorStateDir, system.clock.now());
      clearPause(system.files, config.executorStateDir, context.warn);
      wakeDaemon(context, config);
      context.say(
        pause === null
          ? "Argus was not paused."
          : `Resumed; it was paused since ${utc(pause.since)} (${pause.reason}).`,
      );
    });
}
