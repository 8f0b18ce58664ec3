import { type Command, Option } from "commander";
import { isOpen } from "../record/problems.ts";
import {
  type RegistryHistory,
  readHistory,
  readProblems,
  registryNotes,
  registryPath,
} from "../record/registry-reader.ts";
import { readTrail } from "../record/trail.ts";
import { type Acknowledged, acknowledged } from "../report/acks.ts";
import { problemsReport, recordsReport } from "../report/problems.ts";
import type { Ack } from "../types/ack.ts";
import { isoTime } from "../types/moment.ts";
import { type Problem, problemTypes, type RegistryRecord, severities } from "../types/problem.ts";
import { type Context, lookAtState, printJsonList } from "./context.ts";
import { parseDuration } from "./duration.ts";
import { knownAcks } from "./executor-view.ts";

interface ProblemsOptions {
  readonly since?: number;
  readonly type?: string;
  readonly severity?: string;
  readonly key?: string;
  readonly all?: true;
  readonly open?: true;
  readonly json?: true;
}

const mostLines = 1000;
const daySeconds = 86_400;

export function problemsCommand(program: Command, context: Context): void {
  program
    .command("problems")
    .description(
      "the problems of the last 24 hours; with --since or --all the registry's lines, one for each event",
    )
    .option("--since <time>", "lines not older than 30m, 2h, 7d …", parseDuration)
    .addOption(
      new Option("--all", `every line there is, newest first (as text at most ${mostLines})`).conflicts(
        "since",
      ),
    )
    .addOption(new Option("--open", "only problems that are open now").conflicts(["since", "all"]))
    .addOption(new Option("--type <type>", "only of this type").choices(problemTypes))
    .addOption(new Option("--severity <severity>", "only of this severity").choices(severities))
    .option("--key <key>", "only this problem")
    .option("--json", "the registry's lines as data; with --open, the problems")
    .action(async (options: ProblemsOptions) => {
      const config = lookAtState(context);
      const { stateDir } = config;
      const acks = knownAcks(context, config);
      const wantsLines = options.since !== undefined || options.all || (options.json && !options.open);
      if (wantsLines) await showLines(context, stateDir, options, acks);
      else await showProblems(context, stateDir, options, acks);
    });
}

const fits = (
  options: ProblemsOptions,
  one: Pick<Problem | RegistryRecord, "type" | "severity" | "key">,
): boolean =>
  (options.type === undefined || one.type === options.type) &&
  (options.severity === undefined || one.severity === options.severity) &&
  (options.key === undefined || one.key === options.key);

export async function showProblems(
  context: Context,
  stateDir: string,
  options: ProblemsOptions,
  acks: readonly Ack[],
): Promise<void> {
  const since = context.system.clock.now().wallMs - daySeconds * 1000;
  const keys = options.key === undefined ? undefined : new Set([options.key]);
  const read = readProblems(context.system.files, stateDir, { keys, recentMs: since });
  const ended = ({ resolvedAt, lastSeen }: Problem): number => Date.parse(resolvedAt ?? lastSeen);
  const wanted = (problem: Problem) => isOpen(problem) || (!options.open && ended(problem) >= since);
  const shown = [...read.problems.values()]
    .filter((problem) => fits(options, problem) && wanted(problem))
    .map((problem) => ({ ...problem, acknowledged: acknowledged(acks, problem) }));
  const rank = (problem: Problem): number =>
    Number(!isOpen(problem)) * 10 + severities.indexOf(problem.severity);
  shown.sort((a, b) => rank(a) - rank(b) || (a.lastSeen < b.lastSeen ? 1 : -1));
  const notes = registryNotes(registryPath(stateDir), read);
  if (options.json) {
    await printJsonList(context, shown);
    for (const note of registryNotes(registryPath(stateDir), { ...read, passedOver: 0 })) context.warn(note);
  } else
    context.print(
      problemsReport(
        shown,
        isoTime(context.system.clock.now()),
        context.style,
        notes,
        shown.length === 0 ? noneOf(context, stateDir, options, read.problems.size) : undefined,
      ),
    );
}

async function showLines(
  context: Context,
  stateDir: string,
  options: ProblemsOptions,
  acks: readonly Ack[],
): Promise<void> {
  const history = readHistory(context.system.files, stateDir);
  const from = options.all ? 0 : context.system.clock.now().wallMs - (options.since ?? daySeconds) * 1000;
  const wanted = (record: RegistryRecord) => Date.parse(record.ts) >= from && fits(options, record);
  if (options.json) return printJsonList(context, withAcks(context, stateDir, history, wanted, acks));
  const lines: RegistryRecord[] = [];
  for (const record of history.records()) {
    if (wanted(record) && lines.push(record) >= mostLines) break;
  }
  context.print(
    recordsReport(
      lines,
      context.style,
      registryNotes(registryPath(stateDir), { passedOver: history.passedOver() }),
      lines.length > 0 || hasLooked(context, stateDir) ? undefined : nothingKnown,
    ),
  );
}

function* withAcks(
  { system }: Context,
  stateDir: string,
  history: RegistryHistory,
  wanted: (record: RegistryRecord) => boolean,
  acks: readonly Ack[],
): Generator<RegistryRecord & { acknowledged: Acknowledged }> {
  const keys = new Set(acks.map(({ key }) => key));
  const problems = keys.size === 0 ? new Map() : readProblems(system.files, stateDir, { keys }).problems;
  for (const record of history.records()) {
    if (wanted(record)) yield { ...record, acknowledged: ofLine(record, problems.get(record.key), acks) };
  }
}

/** Of a line of the present outage. */
function ofLine({ ts }: RegistryRecord, problem: Problem | undefined, acks: readonly Ack[]): Acknowledged {
  return problem === undefined || ts < problem.openedAt ? null : acknowledged(acks, problem);
}

/** Before the first look, nothing found is no sign of health. */
const nothingKnown =
  "Nothing is known yet. No cycle has run on this state folder; argus run --once makes one.";
const hasLooked = ({ system }: Context, stateDir: string): boolean =>
  readTrail(system.files, stateDir).newest() !== null;

/** @param known problems that the registry has, whenever they were. */
function noneOf(
  context: Context,
  stateDir: string,
  { open, type, severity, key }: ProblemsOptions,
  known: number,
): string {
  if (!hasLooked(context, stateDir))
    return known === 0
      ? nothingKnown
      : "No cycle has run on this state folder yet; argus problems --all lists what was recorded before.";
  const kind = [type, severity, key].every((each) => each === undefined) ? "" : " of that kind";
  return `No problem${kind} is open${open ? "" : ", and none was in the last 24 hours"}.`;
}
