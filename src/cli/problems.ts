import { type Command, Option } from "commander";
import { isOpen } from "../record/problems.ts";
import { passedOverSentence, readHistory, readProblems, registryPath } from "../record/registry.ts";
import { readTrail } from "../record/trail.ts";
import { type Acknowledged, acknowledged } from "../report/acks.ts";
import { problemsReport, recordsReport } from "../report/problems.ts";
import type { Ack } from "../types/ack.ts";
import { isoTime } from "../types/moment.ts";
import { type Problem, problemTypes, type RegistryRecord, severities } from "../types/problem.ts";
import { type Context, lookAtState, printJson } from "./context.ts";
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
    .action((options: ProblemsOptions) => {
      const config = lookAtState(context);
      const { stateDir } = config;
      const acks = knownAcks(context, config);
      const wantsLines = options.since !== undefined || options.all || (options.json && !options.open);
      if (wantsLines) showLines(context, stateDir, options, acks);
      else showProblems(context, stateDir, options, acks);
    });
}

const fits = (
  options: ProblemsOptions,
  one: Pick<Problem | RegistryRecord, "type" | "severity" | "key">,
): boolean =>
  (options.type === undefined || one.type === options.type) &&
  (options.severity === undefined || one.severity === options.severity) &&
  (options.key === undefined || one.key === options.key);

export function showProblems(
  context: Context,
  stateDir: string,
  options: ProblemsOptions,
  acks: readonly Ack[],
): void {
  const { problems, passedOver } = readProblems(context.system.files, stateDir);
  const since = context.system.clock.now().wallMs - daySeconds * 1000;
  const ended = ({ resolvedAt, lastSeen }: Problem): number => Date.parse(resolvedAt ?? lastSeen);
  const wanted = (problem: Problem) => isOpen(problem) || (!options.open && ended(problem) >= since);
  const shown = [...problems.values()]
    .filter((problem) => fits(options, problem) && wanted(problem))
    .map((problem) => ({ ...problem, acknowledged: acknowledged(acks, problem) }));
  const rank = (problem: Problem): number =>
    Number(!isOpen(problem)) * 10 + severities.indexOf(problem.severity);
  shown.sort((a, b) => rank(a) - rank(b) || (a.lastSeen < b.lastSeen ? 1 : -1));
  if (options.json) printJson(context, shown);
  else
    context.print(
      problemsReport(
        shown,
        isoTime(context.system.clock.now()),
        context.style,
        passedOverNotes(stateDir, passedOver),
        shown.length === 0 ? noneOf(context, stateDir, options, problems.size) : undefined,
      ),
    );
}

function showLines(context: Context, stateDir: string, options: ProblemsOptions, acks: readonly Ack[]): void {
  const history = readHistory(context.system.files, stateDir);
  const from = options.all ? 0 : context.system.clock.now().wallMs - (options.since ?? daySeconds) * 1000;
  const lines: RegistryRecord[] = [];
  for (const record of history.records()) {
    if (Date.parse(record.ts) < from || !fits(options, record)) continue;
    lines.push(record);
    if (!options.json && lines.length >= mostLines) break;
  }
  const { problems } = readProblems(context.system.files, stateDir);
  if (options.json)
    printJson(
      context,
      lines.map((line) => ({ ...line, acknowledged: ofLine(line, problems.get(line.key), acks) })),
    );
  else
    context.print(
      recordsReport(
        lines,
        context.style,
        passedOverNotes(stateDir, history.passedOver()),
        lines.length > 0 || hasLooked(context, stateDir) ? undefined : nothingKnown,
      ),
    );
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

const passedOverNotes = (stateDir: string, count: number): string[] =>
  count > 0 ? [passedOverSentence(registryPath(stateDir), count)] : [];
