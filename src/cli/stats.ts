import type { Command } from "commander";
import { readHistory } from "../record/registry-reader.ts";
import { readTrail } from "../record/trail.ts";
import { type Stats, statsOf } from "../report/stats.ts";
import { statsReport } from "../report/stats-text.ts";
import { isoTime } from "../types/moment.ts";
import { type Context, lookAtState, printJson } from "./context.ts";
import { parseDuration } from "./duration.ts";

const weekSeconds = 7 * 86_400;

export function statsCommand(program: Command, context: Context): void {
  program
    .command("stats")
    .description("counts over days: cycles, problems, actions, what the model was asked and what it cost")
    .option("--since <time>", "how far back, such as 24h or 30d; a week without it", parseDuration)
    .option("--json", "print data instead of text")
    .action((options: { since?: number; json?: true }) => {
      const stats = read(context, options.since ?? weekSeconds);
      if (options.json) printJson(context, stats);
      else context.print(statsReport(stats, context.style));
    });
}

function read(context: Context, seconds: number): Stats {
  const { files, clock } = context.system;
  const { stateDir } = lookAtState(context);
  const now = clock.now();
  const from = isoTime({ ...now, wallMs: now.wallMs - seconds * 1000 });
  const records = readHistory(files, stateDir).since(from);
  return statsOf({ from, to: isoTime(now) }, records, readTrail(files, stateDir).cycles());
}
