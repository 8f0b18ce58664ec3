import type { Command } from "commander";
import { daySeconds, readSummary, sendSummary } from "../daily-summary.ts";
import { openStateDir } from "../record/state-dir.ts";
import { type InForce, summaryText } from "../report/summary.ts";
import { createLink } from "../system/link/client.ts";
import { readOnly } from "../system/read-only.ts";
import { UserError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import { type Context, lookAtState, printJson } from "./context.ts";
import { parseDuration } from "./duration.ts";
import { knownView } from "./executor-view.ts";
import { executorOf, inForceAt, inForceIn } from "./parts.ts";
import { columnsOf, wrapWords } from "./terminal.ts";

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
      const inForce = await inForceNow(context, config);
      const summary = readSummary(system, config.stateDir, options.since ?? daySeconds, inForce);
      if (options.send && (options.daily !== true || config.summaryAt === null)) {
        openStateDir(system, config.stateDir);
        sendSummary(system, config.stateDir, summary);
      }
      if (options.json) printJson(context, summary);
      else
        for (const line of summaryText(summary).split("\n"))
          context.print(wrapWords(line, columnsOf(process.stdout)));
    });
}

/** The executor answers the daemon and root; others get what was kept after the last cycle. */
async function inForceNow({ system, warn }: Context, config: Config): Promise<InForce> {
  const link = config.executorSocket === null ? null : createLink(config.executorSocket);
  if (link === null) return inForceIn(knownView(system, config).view);
  try {
    const told = await inForceAt(executorOf(readOnly(system), config, link));
    if (told.silenced !== null) return told;
    const { view, asOf } = knownView(system, config);
    if (asOf !== null) warn(asOf);
    return inForceIn(view);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { silenced: null, mode: null };
  } finally {
    link.close();
  }
}
