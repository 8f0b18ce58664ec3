import { type Command, InvalidArgumentError, Option } from "commander";
import { changeSilences, newSilenceId, readSilences, type Silence } from "../execute/silences.ts";
import { openStateDir } from "../record/state-dir.ts";
import { matchText, silencesReport } from "../report/silences.ts";
import { UserError } from "../types/errors.ts";
import { isoTime } from "../types/moment.ts";
import { type ProblemType, problemTypes } from "../types/problem.ts";
import { type Context, printJson } from "./context.ts";
import { parseDuration } from "./duration.ts";

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
    .description("not to be told of something for a while; the watching goes on");
  command
    .command("add")
    .description("silence what fits all that is given")
    .option("--rule <name>", "of this rule")
    .option("--key <key>", "this problem")
    .option("--subject <text>", "what it is about, such as a service's name")
    .addOption(new Option("--type <type>", "of this type").choices(problemTypes))
    .option("--for <time>", "such as 30m, 2h or 1d", parseDuration)
    .option("--until <time>", "such as 2026-12-24T18:00Z", parseInstant)
    .option("--reason <text>", "shown by `argus status` and `argus explain`", "no reason given")
    .option("--actions", "stop Argus's actions about it as well")
    .action((options: AddOptions) => add(context, options));
  command
    .command("list")
    .description("the silences in force")
    .option("--json", "print data instead of text")
    .action(({ json }: { json?: true }) => {
      const { files, clock } = context.system;
      const silences = readSilences(files, context.config().executorStateDir, clock.now());
      if (json) printJson(context, silences);
      else context.print(silencesReport(silences, context.style));
    });
  command
    .command("remove")
    .description("end a silence")
    .argument("<id>", "as `argus silence list` names it")
    .action((id: string) => remove(context, id));
}

/** ISO 8601 with a time zone: without one nobody knows whose evening is meant. */
function parseInstant(text: string): number {
  const isZoned = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(text);
  const ms = isZoned ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (Number.isNaN(ms))
    throw new InvalidArgumentError("must be a time with its zone, such as 2026-12-24T18:00Z");
  return ms;
}

function add(context: Context, options: AddOptions): void {
  const { system, env } = context;
  const { executorStateDir: stateDir } = context.config();
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
  openStateDir(system, stateDir);
  let made: Silence | null = null;
  changeSilences(system.files, stateDir, now, context.warn, (silences) => {
    made = {
      id: newSilenceId(silences),
      match,
      since: isoTime(now),
      until: isoTime({ ...now, wallMs: untilMs }),
      reason: options.reason,
      by: env["SUDO_USER"] ?? env["USER"] ?? (system.self.uid === 0 ? "root" : `uid ${system.self.uid}`),
      actions: options.actions ?? false,
    };
    return [...silences, made];
  });
  const { id, until } = made ?? { id: "", until: "" };
  const too = options.actions ? " and no action" : "";
  context.print(
    `Silenced until ${until} (${id}): no message${too} about ${matchText(match)}; the watching goes on.`,
  );
}

function remove(context: Context, id: string): void {
  const { system } = context;
  const { executorStateDir: stateDir } = context.config();
  const now = system.clock.now();
  if (readSilences(system.files, stateDir, now).every((each) => each.id !== id))
    throw new UserError(`there is no silence "${id}"; argus silence list names those in force`);
  openStateDir(system, stateDir);
  changeSilences(system.files, stateDir, now, context.warn, (all) => all.filter((each) => each.id !== id));
  context.print(`Ended ${id}: what is still there is told by the next cycle.`);
}
