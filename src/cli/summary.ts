import type { Command } from "commander";
import { putIntoOutbox } from "../execute/outbox.ts";
import { isOpen } from "../record/problems.ts";
import { readHistory, readProblems } from "../record/registry.ts";
import { openStateDir } from "../record/state-dir.ts";
import { readTrail } from "../record/trail.ts";
import { type Summary, summarise, summaryText } from "../report/summary.ts";
import { redact } from "../system/redact/redact.ts";
import { isoTime } from "../types/moment.ts";
import type { RegistryRecord } from "../types/problem.ts";
import { type Context, printJson } from "./context.ts";
import { parseDuration } from "./duration.ts";

const daySeconds = 86_400;

interface SummaryOptions {
  readonly since?: number;
  readonly send?: true;
  readonly json?: true;
}

export function summaryCommand(program: Command, context: Context): void {
  program
    .command("summary")
    .description("the last day in a few lines: what went wrong, what was done, what is open")
    .option("--since <time>", "another time than a day, such as 12h or 7d", parseDuration)
    .option("--send", "put it into the outbox as well: the daemon sends it after its next cycle")
    .option("--json", "print data instead of text")
    .action((options: SummaryOptions) => {
      const summary = read(context, options.since ?? daySeconds);
      if (options.send) send(context, summary);
      if (options.json) printJson(context, summary);
      else context.print(summaryText(summary));
    });
}

function read({ system: { files, clock }, config }: Context, seconds: number): Summary {
  const { stateDir } = config();
  const now = clock.now();
  const to = isoTime(now);
  const from = isoTime({ ...now, wallMs: now.wallMs - seconds * 1000 });
  const trail = readTrail(files, stateDir);
  const host =
    trail.newest()?.cycle.host ?? files.tryRead("/proc/sys/kernel/hostname")?.trim() ?? "unknown host";
  const open = [...readProblems(files, stateDir).problems.values()].filter(isOpen);
  return summarise(
    host,
    { from, to },
    since(readHistory(files, stateDir).records(), from),
    trail.cycles(),
    open,
  );
}

function* since(records: Iterable<RegistryRecord>, from: string): Generator<RegistryRecord> {
  for (const record of records) if (record.ts >= from) yield record;
}

function send({ system, config }: Context, summary: Summary): void {
  const { stateDir } = config();
  openStateDir(system, stateDir);
  const now = system.clock.now();
  const message = {
    version: 1 as const,
    createdAt: isoTime(now),
    severity: "info" as const,
    text: redact(summaryText(summary)),
    problems: summary.open.map(({ key }) => key),
    host: summary.host,
  };
  putIntoOutbox(system.files, stateDir, message, now);
}
