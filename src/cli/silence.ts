import { type Command, InvalidArgumentError, Option } from "commander";
import {
  changeSilences,
  mostSilences,
  newSilenceId,
  readSilences,
  type Silence,
} from "../execute/silences.ts";
import { folderNames, openStateDir } from "../record/state-dir.ts";
import { matchText, silencesReport } from "../report/silences.ts";
import { fileError } from "../system/file-error.ts";
import { nearestOf } from "../system/names.ts";
import { UserError } from "../types/errors.ts";
import { isoTime } from "../types/moment.ts";
import { ProblemKey, type ProblemType, problemTypes } from "../types/problem.ts";
import { utc } from "../types/quantities.ts";
import type { Config } from "../types/settings.ts";
import { type Context, lookAtState, printJson } from "./context.ts";
import { parseDuration } from "./duration.ts";
import { toldLast } from "./executor-view.ts";
import { mustReachExecutor } from "./other-user.ts";
import { openBook } from "./parts.ts";
import { whoAsks } from "./who-asks.ts";

interface AddOptions {
  readonly rule?: string;
  readonly key?: string;
  readonly subject?: string;
  readonly type?: ProblemType;
  readonly for?: number;
  readonly until?: number;
  readonly reason: string;
  readonly actions?: true;
}

export function silenceCommand(program: Command, context: Context): void {
  const command = program
    .command("silence")
    .description("no notifications about something for a while; the watching goes on");
  command
    .command("add")
    .description("silence what fits all that is given")
    .option("--rule <name>", "of this rule", textOf(256))
    .option("--key <key>", "this problem, as `argus problems` names it", parseKey)
    .option("--subject <text>", "what it is about, such as a service's name", textOf(1024))
    .addOption(new Option("--type <type>", "of this type").choices(problemTypes))
    .option("--for <time>", "such as 30m, 2h or 1d", parseDuration)
    .option("--until <time>", "such as 2026-12-24T18:00Z", parseInstant)
    .option("--reason <text>", "shown by `argus status` and `argus explain`", textOf(1024), "no reason given")
    .option("--actions", "stop Argus's actions about it as well")
    .action((options: AddOptions) => add(context, options));
  command
    .command("list")
    .description("the silences in force")
    .option("--json", "print data instead of text")
    .action(({ json }: { json?: true }) => {
      const config = lookAtState(context);
      const told = toldLast(context, config);
      if (told === null) mustReachExecutor(context, config, "read");
      const silences = told?.silences ?? inForce(context, config);
      if (json) printJson(context, silences);
      else context.print(silencesReport(silences, context.style));
    });
  command
    .command("remove")
    .description("end a silence")
    .argument("<id>", "as `argus silence list` names it")
    .action((id: string) => remove(context, id));
}

/** An empty one is a variable that a script did not set: it would be about nothing, or about all. */
function textOf(longest: number): (text: string) => string {
  return (text) => {
    if (text.trim() !== "" && text.length <= longest) return text;
    throw new InvalidArgumentError(`must be text of 1 to ${longest} characters`);
  };
}

function parseKey(text: string): string {
  if (ProblemKey.safeParse(text).success) return text;
  throw new InvalidArgumentError("must be a problem's key, such as service:3f1c0c9a5d2e7b40");
}

/** ISO 8601 with a time zone: without one nobody knows whose evening is meant. */
function parseInstant(text: string): number {
  const day = /^(\d{4}-\d\d-\d\d)[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.exec(text)?.[1] ?? "";
  const midnight = new Date(`${day}T00:00Z`);
  // The 30th of February would be the 2nd of March.
  const isDay = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
  const ms = isDay ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (Number.isNaN(ms))
    throw new InvalidArgumentError("must be a time with its zone, such as 2026-12-24T18:00Z");
  return ms;
}

/** Throws where they cannot be read: that must not look like none. */
function inForce({ system, warn }: Context, { executorStateDir }: Config): Silence[] {
  try {
    return readSilences(system.files, executorStateDir, system.clock.now(), warn);
  } catch (error) {
    throw fileError("read the silences in", executorStateDir, error);
  }
}

function add(context: Context, options: AddOptions): void {
  const { system } = context;
  const config = context.config();
  const { executorStateDir: stateDir } = config;
  const { rule, key, subject, type } = options;
  const given = { rule, key, subject, type };
  const match = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (Object.keys(match).length === 0)
    throw new UserError("a silence needs at least one of --rule, --key, --subject and --type");
  if ((options.for === undefined) === (options.until === undefined))
    throw new UserError("say until when: either --for, such as 2h, or --until");
  const now = system.clock.now();
  const untilMs = options.until ?? now.wallMs + (options.for ?? 0) * 1000;
  if (untilMs <= now.wallMs) throw new UserError("--until lies in the past");
  mustReachExecutor(context, config, "write");
  openStateDir(system, stateDir, folderNames.executor);
  const present = inForce(context, config);
  if (present.length >= mostSilences)
    throw new UserError(
      `${mostSilences} silences are in force, and there may be no more; argus silence remove ends one`,
    );
  const made: Silence = {
    id: newSilenceId(present),
    match,
    since: isoTime(now),
    until: isoTime({ ...now, wallMs: untilMs }),
    reason: options.reason,
    by: whoAsks(context),
    actions: options.actions ?? false,
  };
  changeSilences(system.files, stateDir, now, context.warn, (silences) => [...silences, made]);
  const too = options.actions ? " and no action" : "";
  context.say(
    `Silenced until ${utc(made.until)} (${made.id}): no message${too} about ${matchText(match)}; the watching goes on.`,
  );
  if (rule !== undefined) warnIfUnknown(context, config, rule);
}

/** No error: rules may be broken at the very time when people want silence, and a rule may come later. */
function warnIfUnknown({ system, warn }: Context, config: Config, name: string): void {
  const names = openBook(system, config)
    .rules()
    .rules.map(({ compiled }) => compiled.rule.name);
  if (names.includes(name)) return;
  const near = nearestOf(name, names);
  const meant = near === null ? "" : ` (did you mean "${near}"?)`;
  warn(`no rule in force is called "${name}"${meant}: until one is, this silences nothing`);
}

function remove(context: Context, id: string): void {
  const { system } = context;
  const config = context.config();
  const { executorStateDir: stateDir } = config;
  const now = system.clock.now();
  mustReachExecutor(context, config, "write");
  openStateDir(system, stateDir, folderNames.executor);
  if (inForce(context, config).every((each) => each.id !== id))
    throw new UserError(`there is no silence "${id}"; argus silence list names those in force`);
  changeSilences(system.files, stateDir, now, context.warn, (all) => all.filter((each) => each.id !== id));
  context.say(`Ended ${id}: the next cycle notifies about what is still there.`);
}
