import type { Command } from "commander";
import { daySeconds, readSummary, sendSummary } from "../daily-summary.ts";
import { readSilences } from "../execute/silences.ts";
import { openStateDir } from "../record/state-dir.ts";
import { summaryText } from "../report/summary.ts";
import { createLink } from "../system/link/client.ts";
import { readOnly } from "../system/read-only.ts";
import { UserError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import { type Context, lookAtState, printJson } from "./context.ts";
import { parseDuration } from "./duration.ts";
import { executorOf, silencedBy } from "./parts.ts";

interface SummaryOptions {
  readonly since?: number;
  readonly send?: true;
  readonly daily?: true;
  readonly json?: true;
}

export function summaryCommand(program: Command, context: Context): void {
  program
    .command("summary")
    .description("the last day in a few lines: what went wrong, what was done, what is open")
    .option("--since <time>", "how far back, such as 12h or 7d; a day without it", parseDuration)
    .option("--send", "put it into the outbox as well: the daemon sends it after its next cycle")
    .option(
      "--daily",
      "with --send: send nothing where the daemon sends one a day (ARGUS_SUMMARY_AT, or the relay)",
    )
    .option("--json", "print data instead of text")
    .action(async (options: SummaryOptions) => {
      if (options.daily && !options.send)
        throw new UserError("--daily needs --send: it says when nothing is sent");
      const config = lookAtState(context);
      const { system } = context;
      const silenced = await silencesOf(context, config);
      const summary = readSummary(system, config.stateDir, options.since ?? daySeconds, silenced);
      if (options.send && (options.daily !== true || config.summaryAt === null)) {
        openStateDir(system, config.stateDir);
        sendSummary(system, config.stateDir, summary);
      }
      if (options.json) printJson(context, summary);
      else context.print(summaryText(summary));
    });
}

async function silencesOf({ system }: Context, config: Config) {
  // The executor goes on without silences that cannot be read; here they must not look like none.
  if (config.executorSocket === null)
    readSilences(readOnly(system).files, config.executorStateDir, system.clock.now(), () => {});
  const link = config.executorSocket === null ? null : createLink(config.executorSocket);
  try {
    return await silencedBy(executorOf(readOnly(system), config, link));
  } finally {
    link?.close();
  }
}
